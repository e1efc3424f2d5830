package host

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tussah-network/tussah/p2p/attest"
)

// journal keeps the events of this boot in a file, which must not outlive it: a
// later boot has another name for it, and its folder is to be in memory.
type journal struct {
	path   string
	events []attest.Event
}

const (
	bootFile   = "/proc/sys/kernel/random/boot_id"
	maxJournal = attest.MaxEvents * (2*attest.MaxEventPayload + 256)
)

// entry is a line of the journal.
type entry struct {
	Version int    `json:"v"`
	Name    string `json:"name"`
	Payload string `json:"payload"` // hex
}

const journalVersion = 1

// openJournal reads the journal of this boot; one that is not there is empty.
func openJournal(files Files, dir string) (*journal, error) {
	raw, err := files.Read(bootFile, 64)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrJournal, err)
	}
	boot := strings.TrimSpace(string(raw))
	// It becomes a file's name.
	if id, err := hex.DecodeString(strings.ReplaceAll(boot, "-", "")); err != nil || len(id) != 16 {
		return nil, fmt.Errorf("%w: boot id %q", ErrJournal, boot)
	}
	j := &journal{path: filepath.Join(dir, boot+".events")}
	f, err := os.Open(j.path)
	if errors.Is(err, fs.ErrNotExist) {
		return j, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrJournal, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxJournal+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrJournal, err)
	}
	if j.events, err = parseJournal(b); err != nil {
		return nil, fmt.Errorf("%s: %w", j.path, err)
	}
	return j, nil
}

// parseJournal accepts what save writes, to the byte.
func parseJournal(b []byte) ([]attest.Event, error) {
	if len(b) > maxJournal {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrJournal, maxJournal)
	}
	var events []attest.Event
	for line := range bytes.Lines(b) {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil || e.Version != journalVersion {
			return nil, fmt.Errorf("%w: line %d", ErrJournal, len(events)+1)
		}
		payload, err := hex.DecodeString(e.Payload)
		if err != nil || len(payload) > attest.MaxEventPayload || len(events) == attest.MaxEvents {
			return nil, fmt.Errorf("%w: line %d", ErrJournal, len(events)+1)
		}
		events = append(events, attest.Event{Name: e.Name, Payload: payload})
	}
	if again, err := encodeJournal(events); err != nil || !bytes.Equal(again, b) {
		return nil, fmt.Errorf("%w: it was not written by this program", ErrJournal)
	}
	return events, nil
}

func encodeJournal(events []attest.Event) ([]byte, error) {
	var b []byte
	for _, e := range events {
		line, err := json.Marshal(entry{journalVersion, e.Name, hex.EncodeToString(e.Payload)})
		if err != nil {
			return nil, err
		}
		b = append(append(b, line...), '\n')
	}
	return b, nil
}

// save writes the journal in place of the old one, whole or not at all.
func (j *journal) save(events []attest.Event) error {
	b, err := encodeJournal(events)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrJournal, err)
	}
	dir := filepath.Dir(j.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("keep events: %w", err)
	}
	f, err := os.CreateTemp(dir, ".events-")
	if err != nil {
		return fmt.Errorf("keep events: %w", err)
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), j.path)
	}
	if err != nil {
		return fmt.Errorf("keep events: %w", errors.Join(err, os.Remove(f.Name())))
	}
	j.events = events
	return nil
}

// agreed returns the events that RTMR3 bears out. An event is written down before
// it is measured, so a process that ends in between leaves one too many.
func (j *journal) agreed(rtmr3 digest) ([]attest.Event, error) {
	switch n := len(j.events); {
	case rtmr3 == replay(j.events):
		return j.events, nil
	case n > 0 && rtmr3 == replay(j.events[:n-1]):
		return j.events[: n-1 : n-1], nil
	}
	return nil, fmt.Errorf("%w: it is %x, the journal's %d events give %x", ErrForeign, rtmr3, len(j.events), replay(j.events))
}

// replay is RTMR3 after these events.
func replay(events []attest.Event) (d digest) {
	for _, e := range events {
		d = d.extend(extension(e))
	}
	return d
}

// extension is what an event extends RTMR3 with.
func extension(e attest.Event) digest {
	digest := e.Digest()
	return sha512.Sum384(digest[:])
}
