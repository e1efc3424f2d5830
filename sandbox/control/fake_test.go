package control_test

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/control"
	"github.com/tussah-network/tussah/tlb"
)

// broken is a network whose every method panics, but for a dump that breaks
// off.
type broken struct{ control.Network }

func (broken) Dump(w io.Writer) error {
	_, _ = w.Write([]byte("half"))
	return errors.New("broken")
}

// large is a network whose dump is beyond what JSON may carry.
type large struct{ control.Network }

func (large) Dump(w io.Writer) error {
	_, err := w.Write(make([]byte, control.MaxDump+1))
	return err
}

// faulty is a network on which a contract could not be run.
type faulty struct{ control.Network }

func (faulty) Fault() error { return sandbox.ErrExecutor }

// unwilling is a chain on which nothing takes long, for fuzzing.
type unwilling struct{ control.Network }

var errUnwilling = errors.New("unwilling")

func (unwilling) Mine(context.Context, int) (tlb.Block, error) { return tlb.Block{}, errUnwilling }

func (unwilling) AdvanceTime(context.Context, time.Duration) error { return errUnwilling }

func (unwilling) SetTime(context.Context, time.Time) error { return errUnwilling }

func (unwilling) SetMode(sandbox.Mode, time.Duration) error { return errUnwilling }
