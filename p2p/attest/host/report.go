package host

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"strconv"
)

const (
	reportsDir = "/sys/kernel/config/tsm/report"
	maxReport  = 32 << 10 // the kernel's own bound; real ones have 1 to 8 KB
	maxNumber  = 32       // bytes of a number or a name
)

// report is what the kernel gives for 64 bytes.
type report struct {
	body         []byte // of the TEE's own form
	certificates []byte // of SEV-SNP, when the host gave some
}

// obtain has the kernel make a report. It may take as long as the host likes.
func obtain(files Files, provider string, reportData [64]byte, certificates bool) (r report, err error) {
	var id [8]byte
	rand.Read(id[:])
	dir := path.Join(reportsDir, "tussah-"+hex.EncodeToString(id[:]))
	if err := files.MakeDir(dir); err != nil {
		return r, fmt.Errorf("%w: %w", ErrNoReports, err)
	}
	defer func() {
		if removed := files.Remove(dir); removed != nil && err == nil {
			r, err = report{}, fmt.Errorf("%w: %w", ErrReport, removed)
		}
	}()
	// Every write raises the generation by one. When it has moved by more, another
	// process with the same rights has written other data in between.
	before, err := generation(files, dir)
	if err != nil {
		return r, err
	}
	if err := files.Write(path.Join(dir, "inblob"), reportData[:]); err != nil {
		return r, fmt.Errorf("%w: %w", ErrReport, err)
	}
	name, err := files.Read(path.Join(dir, "provider"), maxNumber)
	if err != nil {
		return r, fmt.Errorf("%w: %w", ErrReport, err)
	}
	if got := string(bytes.TrimSpace(name)); got != provider {
		return r, fmt.Errorf("%w: %q, want %q", ErrOtherTEE, got, provider)
	}
	body, err := files.Read(path.Join(dir, "outblob"), maxReport)
	if err != nil {
		return r, fmt.Errorf("%w: %w", ErrReport, err)
	}
	if len(body) == 0 {
		return r, fmt.Errorf("%w: it is empty", ErrReport)
	}
	var aux []byte
	if certificates {
		// It is absent where the host has given no certificates.
		if aux, err = files.Read(path.Join(dir, "auxblob"), maxReport); err != nil && !absent(err) {
			return r, fmt.Errorf("%w: %w", ErrReport, err)
		}
	}
	after, err := generation(files, dir)
	if err != nil {
		return r, err
	}
	if after != before+1 {
		return r, ErrDisturbed
	}
	return report{body, aux}, nil
}

func generation(files Files, dir string) (uint64, error) {
	b, err := files.Read(path.Join(dir, "generation"), maxNumber)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrReport, err)
	}
	n, err := strconv.ParseUint(string(bytes.TrimSpace(b)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrReport, err)
	}
	return n, nil
}

// turn lets one call at a time go to the kernel, which takes no more either.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

// do runs f when it is its turn, and returns early when ctx ends. The kernel
// cannot be interrupted: f then goes on by itself, and keeps its turn.
func (t turn) do(ctx context.Context, f func() error) error {
	select {
	case t <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	done := make(chan error, 1)
	go func() {
		err := errors.New("host: internal error: the call did not end")
		defer func() { <-t; done <- err }()
		err = f()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
