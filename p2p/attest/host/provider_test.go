package host_test

import (
	"context"
	"crypto/sha512"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/host"
)

var (
	config = attest.Event{Name: attest.EventConfig, Payload: []byte("hash")}
	ready  = attest.Event{Name: attest.EventReady, Payload: []byte{}}
)

func measured(events ...attest.Event) (d [48]byte) {
	for _, e := range events {
		digest := e.Digest()
		by := sha512.Sum384(digest[:])
		d = sha512.Sum384(append(d[:], by[:]...))
	}
	return d
}

func TestTDX(t *testing.T) {
	for _, name := range []string{"6.16", "patched"} {
		t.Run(name, func(t *testing.T) {
			k := newKernel()
			if name == "patched" {
				delete(k.files, rtmr3File)
				k.files[rtmrs+"/other/index"] = "2\n"
			}
			o := options(t, k)
			p := host.NewTDX(asIs, o)
			for _, e := range []attest.Event{config, ready} {
				if err := p.Measure(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
			if k.rtmr3 != measured(config, ready) {
				t.Errorf("RTMR3 is %x", k.rtmr3)
			}
			reportData := [64]byte{1, 2, 3}
			want := attest.Evidence{TEE: attest.TDX, Report: append([]byte("report of "), reportData[:]...), Events: []attest.Event{config, ready}}
			// A process that starts again shows the same, and measures nothing twice.
			again := host.NewTDX(asIs, o)
			for _, p := range []*host.TDX{p, again} {
				got, err := p.Evidence(t.Context(), reportData)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
			if err := again.Measure(t.Context(), config); err != nil || k.rtmr3 != measured(config, ready) {
				t.Errorf("measuring it again: %v", err)
			}
			if err := again.Measure(t.Context(), config); !errors.Is(err, host.ErrMeasured) {
				t.Errorf("another event in this place: %v", err)
			}
			for _, dir := range k.dirs {
				if filepath.Dir(dir) == reports {
					t.Errorf("%s is left", dir)
				}
			}
		})
	}
}

// TestCrash is about an end between journal and register.
func TestCrash(t *testing.T) {
	k := newKernel()
	o := options(t, k)
	if err := host.NewTDX(asIs, o).Measure(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	k.rtmr3 = [48]byte{}
	got, err := host.NewTDX(asIs, o).Evidence(t.Context(), [64]byte{})
	if err != nil || len(got.Events) != 0 {
		t.Fatalf("got %v, %v", got.Events, err)
	}
	if err := host.NewTDX(asIs, o).Measure(t.Context(), ready); err != nil || k.rtmr3 != measured(ready) {
		t.Errorf("RTMR3 is %x, %v", k.rtmr3, err)
	}
}

func TestTDXRefusals(t *testing.T) {
	broken := errors.New("broken")
	evidence := func(p *host.TDX) error { _, err := p.Evidence(context.Background(), [64]byte{}); return err }
	measure := func(p *host.TDX) error { return p.Measure(context.Background(), ready) }
	first := func(p *host.TDX) error { return p.Measure(context.Background(), config) }
	for name, c := range map[string]struct {
		change func(*kernel)
		do     func(*host.TDX) error
		want   error
	}{
		"no configfs":      {func(k *kernel) { delete(k.files, reports+"/.keep") }, evidence, host.ErrNoReports},
		"no QGS":           {func(k *kernel) { k.fail["outblob"] = broken }, evidence, host.ErrReport},
		"inblob":           {func(k *kernel) { k.fail["inblob"] = broken }, evidence, broken},
		"generation":       {func(k *kernel) { k.fail["generation"] = broken }, evidence, host.ErrReport},
		"disturbed":        {func(k *kernel) { k.disturb = 1 }, evidence, host.ErrDisturbed},
		"another TEE":      {func(k *kernel) { k.provider = "sev_guest" }, evidence, host.ErrOtherTEE},
		"foreign":          {func(k *kernel) { k.rtmr3[0] = 1 }, evidence, host.ErrForeign},
		"foreign, measure": {func(k *kernel) { k.rtmr3[0] = 1 }, measure, host.ErrForeign},
		"no register":      {func(k *kernel) { delete(k.files, rtmr3File) }, measure, host.ErrNoRegister},
		"not extended":     {func(k *kernel) { k.deaf = true }, measure, host.ErrRegister},
		"no boot id":       {func(k *kernel) { k.files[bootIDFile] = "../../etc/passwd" }, measure, host.ErrJournal},
		"large event": {func(*kernel) {}, func(p *host.TDX) error {
			return p.Measure(context.Background(), attest.Event{Payload: make([]byte, attest.MaxEventPayload+1)})
		}, host.ErrEvent},
		"register is gone": {func(*kernel) {}, nil, host.ErrForeign},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKernel()
			c.change(k)
			p := host.NewTDX(asIs, options(t, k))
			if c.do == nil {
				if err := first(p); err != nil {
					t.Fatal(err)
				}
				delete(k.files, rtmr3File)
				c.do = evidence
			}
			if err := c.do(p); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if len(k.dirs) != 0 {
				t.Errorf("%v is left", k.dirs)
			}
		})
	}
	t.Run("form", func(t *testing.T) {
		p := host.NewTDX(func([]byte) ([]byte, error) { return nil, broken }, options(t, newKernel()))
		if err := evidence(p); !errors.Is(err, host.ErrReport) || !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("too many", func(t *testing.T) {
		p := host.NewTDX(asIs, options(t, newKernel()))
		for i := range attest.MaxEvents + 1 {
			if err := measure(p); (i == attest.MaxEvents) != errors.Is(err, host.ErrEvent) {
				t.Errorf("event %d: %v", i, err)
			}
		}
	})
	t.Run("damaged journal", func(t *testing.T) {
		k := newKernel()
		o := options(t, k)
		if err := first(host.NewTDX(asIs, o)); err != nil {
			t.Fatal(err)
		}
		names, err := filepath.Glob(filepath.Join(o.RunDir, "*.events"))
		if err != nil || len(names) != 1 {
			t.Fatal(names, err)
		}
		for _, text := range []string{"{}\n", `{"v":2,"name":"a","payload":""}` + "\n", `{"v":1,"name":"a","payload":"0"}` + "\n", `{"v":1,"name":"a","payload":""}`, `{"v":1, "name":"a","payload":""}` + "\n"} {
			if err := os.WriteFile(names[0], []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := evidence(host.NewTDX(asIs, o)); !errors.Is(err, host.ErrJournal) {
				t.Errorf("%q: got %v", text, err)
			}
		}
	})
}

// TestEvidenceWithoutRegister is an old kernel: no events, but a quote.
func TestEvidenceWithoutRegister(t *testing.T) {
	k := newKernel()
	delete(k.files, rtmr3File)
	got, err := host.NewTDX(asIs, options(t, k)).Evidence(t.Context(), [64]byte{})
	if err != nil || len(got.Events) != 0 || len(got.Report) == 0 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestEvidenceEndsWithItsContext(t *testing.T) {
	k := newKernel()
	k.block = make(chan struct{})
	p := host.NewTDX(asIs, options(t, k))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 {
		if _, err := p.Evidence(ctx, [64]byte{}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
	close(k.block)
	if _, err := p.Evidence(t.Context(), [64]byte{}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestSNP(t *testing.T) {
	k := newKernel()
	k.provider = "sev_guest"
	form := func(report, certificates []byte) ([]byte, error) {
		return fmt.Appendf(nil, "%d+%d", len(report), len(certificates)), nil
	}
	p := host.NewSNP(form, []attest.Event{config}, options(t, k))
	got, err := p.Evidence(t.Context(), [64]byte{})
	want := attest.Evidence{TEE: attest.SNP, Report: []byte("74+0"), Events: []attest.Event{config}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if err := p.Measure(t.Context(), config); err != nil {
		t.Errorf("foreseen: %v", err)
	}
	if err := p.Measure(t.Context(), ready); !errors.Is(err, host.ErrFixed) {
		t.Errorf("not foreseen: %v", err)
	}
	k.provider = "tdx_guest"
	if _, err := p.Evidence(t.Context(), [64]byte{}); !errors.Is(err, host.ErrOtherTEE) {
		t.Errorf("got %v", err)
	}
}
