package measure

import (
	"bytes"
	"crypto/sha512"
	"fmt"
	"strings"

	"github.com/tussah-network/tussah/p2p/attest/eventlog"
)

// Measurements are what a report of the machine will show.
type Measurements struct {
	MRTD [sha512.Size384]byte
	// RTMR0 to RTMR3. One that is in Unknown is zero here.
	RTMR0, RTMR1, RTMR2, RTMR3 [sha512.Size384]byte
	// Steps are what the registers are extended with, register by register.
	Steps   []Step
	Unknown []Unknown
}

// Step is one extension of a register.
type Step struct {
	RTMR    int
	Name    string
	Type    eventlog.Type // as the event log has it
	Digest  [sha512.Size384]byte
	Unknown bool // the digest cannot be predicted from what was given
}

// Unknown is a register that could not be predicted.
type Unknown struct {
	RTMR int
	Why  string
}

// replay computes the registers from the steps.
func (m *Measurements) replay() {
	var registers eventlog.Registers
	for _, s := range m.Steps {
		registers[s.RTMR] = eventlog.Extend(registers[s.RTMR], s.Digest)
	}
	for _, u := range m.Unknown {
		registers[u.RTMR] = [sha512.Size384]byte{}
	}
	m.RTMR0, m.RTMR1, m.RTMR2, m.RTMR3 = registers[0], registers[1], registers[2], registers[3]
}

// Difference is the first step at which a machine's event log leaves the
// prediction, in one register.
type Difference struct {
	RTMR     int
	Position int             // in the register, from 0
	Want     *Step           // nil: the log has more than was predicted
	Got      *eventlog.Event // nil: the log ends before
}

// String says what differs in a line.
func (d Difference) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "RTMR%d, step %d: ", d.RTMR, d.Position)
	if d.Want == nil {
		b.WriteString("nothing predicted")
	} else {
		fmt.Fprintf(&b, "%s (%v), predicted %x", d.Want.Name, d.Want.Type, d.Want.Digest[:8])
	}
	if d.Got == nil {
		b.WriteString("; the log has nothing")
		return b.String()
	}
	digest, _ := d.Got.Digest(eventlog.SHA384)
	fmt.Fprintf(&b, "; the log has %v %x", d.Got.Type, digest[:min(8, len(digest))])
	if details, ok := d.Got.Details(); ok && details.Text != "" {
		fmt.Fprintf(&b, " %q", details.Text)
	}
	return b.String()
}

// Compare finds, for each register, the first difference between the prediction
// and a machine's event log; none when they agree. A step that is unknown agrees
// with an event of its type. The log that firmware and kernel keep has no events
// of RTMR3: that register is compared only where the log has some.
func (m *Measurements) Compare(log *eventlog.Log) ([]Difference, error) {
	// This refuses logs that do not explain any registers.
	if _, err := log.Replay(); err != nil {
		return nil, err
	}
	var differences []Difference
	for rtmr := range 4 {
		var events []*eventlog.Event
		for i := range log.Events {
			e := &log.Events[i]
			if at, _ := eventlog.Register(e.Index); at == rtmr && e.Type != eventlog.NoAction {
				events = append(events, e)
			}
		}
		if rtmr == 3 && len(events) == 0 {
			continue
		}
		if d, ok := m.compare(rtmr, events); !ok {
			differences = append(differences, d)
		}
	}
	return differences, nil
}

func (m *Measurements) compare(rtmr int, events []*eventlog.Event) (Difference, bool) {
	position := 0
	for i := range m.Steps {
		s := &m.Steps[i]
		if s.RTMR != rtmr {
			continue
		}
		if position == len(events) {
			return Difference{rtmr, position, s, nil}, false
		}
		e := events[position]
		digest, _ := e.Digest(eventlog.SHA384)
		if s.Unknown && s.Type != e.Type || !s.Unknown && !bytes.Equal(s.Digest[:], digest) {
			return Difference{rtmr, position, s, e}, false
		}
		position++
	}
	if position < len(events) {
		return Difference{rtmr, position, nil, events[position]}, false
	}
	return Difference{}, true
}
