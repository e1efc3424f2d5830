package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/tussah-network/tussah/p2p/attest"
)

// Options of a provider. The zero value is right for a machine as it is.
type Options struct {
	Files  Files        // default: this machine's
	RunDir string       // of the journal; in memory, not on a disk. Default /run/tussah
	Log    *slog.Logger // default: silent
}

func (o Options) filled() Options {
	if o.Files == nil {
		o.Files = machine{}
	}
	if o.RunDir == "" {
		o.RunDir = "/run/tussah"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// TDX obtains evidence of a TDX machine. One process at a time may measure; any
// number may obtain evidence.
type TDX struct {
	canonical func(quote []byte) ([]byte, error)
	options   Options

	turn   turn // holds cursor
	cursor int  // events that this process measured, or found measured
}

var _ attest.Provider = (*TDX)(nil)

// NewTDX makes a provider. canonical brings a quote as hardware makes it into the
// form that verifiers accept; package tdx has it.
func NewTDX(canonical func(quote []byte) ([]byte, error), o Options) *TDX {
	return &TDX{canonical: canonical, options: o.filled(), turn: newTurn()}
}

// TEE implements [attest.Provider].
func (*TDX) TEE() attest.TEE { return attest.TDX }

// Evidence implements [attest.Provider].
func (t *TDX) Evidence(ctx context.Context, reportData [64]byte) (attest.Evidence, error) {
	var evidence attest.Evidence
	err := t.turn.do(ctx, func() error {
		// The journal is read anew each time: it may be of a process beside this one.
		_, _, events, err := t.state()
		if errors.Is(err, ErrNoRegister) {
			err = nil // nothing can have been measured
		}
		if err != nil {
			return err
		}
		report, err := obtain(t.options.Files, "tdx_guest", reportData, false)
		if err != nil {
			return err
		}
		quote, err := t.canonical(report.body)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrReport, err)
		}
		evidence = attest.Evidence{TEE: attest.TDX, Report: quote, Events: events}
		return nil
	})
	if err != nil {
		return attest.Evidence{}, fmt.Errorf("obtain TDX evidence: %w", err)
	}
	return evidence, nil
}

// Measure implements [attest.Provider]. An event that this boot has measured
// already, in the same place, is not measured again: so a node that starts again
// comes to the same RTMR3.
func (t *TDX) Measure(ctx context.Context, e attest.Event) error {
	e.Payload = bytes.Clone(e.Payload)
	if err := t.turn.do(ctx, func() error { return t.measure(e) }); err != nil {
		return fmt.Errorf("measure %s: %w", e.Name, err)
	}
	return nil
}

func (t *TDX) measure(e attest.Event) error {
	j, file, events, err := t.state()
	if err != nil {
		return err
	}
	if t.cursor < len(events) {
		if events[t.cursor].Digest() != e.Digest() {
			return fmt.Errorf("%w: %s", ErrMeasured, events[t.cursor].Name)
		}
		t.cursor++
		return nil
	}
	if len(events) == attest.MaxEvents || len(e.Payload) > attest.MaxEventPayload {
		return ErrEvent
	}
	if err := j.save(append(slices.Clip(events), e)); err != nil {
		return err
	}
	by := extension(e)
	written := t.options.Files.Write(file, by[:])
	// The kernel may have extended the register and still have returned an error:
	// what it holds decides.
	rtmr3, err := readRegister(t.options.Files, file)
	if err != nil {
		return errors.Join(err, written)
	}
	now, err := j.agreed(rtmr3)
	if err != nil {
		return errors.Join(err, written)
	}
	if len(now) == len(events) {
		return errors.Join(ErrRegister, written, j.save(events))
	}
	t.cursor++
	t.options.Log.Info("event measured", "name", e.Name, "rtmr3", fmt.Sprintf("%x", rtmr3))
	return nil
}

// state is the journal, RTMR3's file, and the events that both bear out. Without
// a way to read RTMR3 there is no journal either, or the two cannot be compared.
func (t *TDX) state() (*journal, string, []attest.Event, error) {
	j, err := openJournal(t.options.Files, t.options.RunDir)
	if err != nil {
		return nil, "", nil, err
	}
	file, err := register(t.options.Files)
	var rtmr3 digest
	if err == nil {
		rtmr3, err = readRegister(t.options.Files, file)
	}
	if err != nil && len(j.events) > 0 {
		// %v: for a caller this is no mere lack of a register.
		return nil, "", nil, fmt.Errorf("%w: %d events were measured, but %v", ErrForeign, len(j.events), err)
	}
	if err != nil {
		return nil, "", nil, err
	}
	events, err := j.agreed(rtmr3)
	if err != nil {
		return nil, "", nil, err
	}
	return j, file, events, nil
}
