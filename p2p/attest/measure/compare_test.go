package measure_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tussah-network/tussah/p2p/attest/eventlog"
	"github.com/tussah-network/tussah/p2p/attest/measure"
)

// logOf is the log of a machine that did what was predicted.
func logOf(m *measure.Measurements) *eventlog.Log {
	log := &eventlog.Log{Header: eventlog.Header{Index: 1, Word: 2}, Algorithms: []eventlog.Algorithm{eventlog.SHA384}}
	for _, s := range m.Steps {
		log.Events = append(log.Events, eventlog.Event{
			Index: uint32(s.RTMR + 1), Type: s.Type,
			Digests: []eventlog.Digest{{Algorithm: eventlog.SHA384, Value: append([]byte(nil), s.Digest[:]...)}},
		})
	}
	return log
}

func TestCompare(t *testing.T) {
	m := predict(t, syntheticImage())
	at := func(name string) int {
		for i, s := range m.Steps {
			if s.Name == name {
				return i
			}
		}
		t.Fatalf("no step %q", name)
		return 0
	}
	for name, c := range map[string]struct {
		change func(*eventlog.Log)
		want   string // start of the one difference; empty: none
	}{
		"same": {func(*eventlog.Log) {}, ""},
		"remark": {func(l *eventlog.Log) {
			remark := l.Events[0]
			remark.Type = eventlog.NoAction
			l.Events = append(l.Events, remark)
		}, ""},
		"no events of RTMR3": {func(l *eventlog.Log) { l.Events = l.Events[:at("event config")] }, ""},
		"kernel":             {func(l *eventlog.Log) { l.Events[at("kernel")].Digests[0].Value[0]++ }, "RTMR1, step 0: kernel (EV_EFI_BOOT_SERVICES_APPLICATION), predicted "},
		"key enrolled":       {func(l *eventlog.Log) { l.Events[at("variable PK")].Digests[0].Value[9]++ }, "RTMR0, step 3: variable PK"},
		"one step less": {func(l *eventlog.Log) {
			i := at("initial RAM disk")
			l.Events = append(l.Events[:i], l.Events[i+1:]...)
		}, "RTMR2, step 1: initial RAM disk (EV_EVENT_TAG), predicted "},
		"one step more": {func(l *eventlog.Log) {
			more := l.Events[0]
			more.Index, more.Type, more.Data = 3, eventlog.IPL, []byte("MokList\x00")
			l.Events = append(l.Events, more)
		}, "RTMR2, step 2: nothing predicted; the log has EV_IPL"},
		"node's configuration": {func(l *eventlog.Log) { l.Events[at("event config")].Digests[0].Value[0]++ }, "RTMR3, step 0: event config"},
	} {
		t.Run(name, func(t *testing.T) {
			log := logOf(m)
			c.change(log)
			got, err := m.Compare(log)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case c.want == "" && len(got) > 0:
				t.Errorf("got %v", got)
			case c.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0].String(), c.want)):
				t.Errorf("got %v, want %s", got, c.want)
			}
		})
	}
}

func TestCompareWithoutACPI(t *testing.T) {
	log := logOf(predict(t, syntheticImage()))
	image := syntheticImage()
	image.ACPI = nil
	m := predict(t, image)
	if got, err := m.Compare(log); err != nil || len(got) > 0 {
		t.Errorf("got %v, %v", got, err)
	}
	log.Events[8].Type = eventlog.EFIAction
	if got, err := m.Compare(log); err != nil || len(got) != 1 || got[0].Want.Name != "ACPI loader" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestCompareRefuses(t *testing.T) {
	m := predict(t, syntheticImage())
	log := logOf(m)
	log.Events[0].Index = 9
	if _, err := m.Compare(log); !errors.Is(err, eventlog.ErrRegister) {
		t.Errorf("got %v", err)
	}
}

func ExamplePredict() {
	image := syntheticImage()
	image.ACPI = nil
	m, err := measure.Predict(image)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("MRTD  %x…\nRTMR1 %x…\nRTMR2 %x…\n", m.MRTD[:8], m.RTMR1[:8], m.RTMR2[:8])
	for _, u := range m.Unknown {
		fmt.Printf("RTMR%d unknown: %s\n", u.RTMR, u.Why)
	}
	// Output:
	// MRTD  f1d93c27af94527a…
	// RTMR1 f1d5196ee863dcaf…
	// RTMR2 91b1ce06975c6007…
	// RTMR0 unknown: it has the ACPI tables, which were not given
}
