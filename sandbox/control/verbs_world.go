package control

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

var (
	// ErrSnapshotName says that a name is not 1 … 64 letters, digits and ". _ -".
	ErrSnapshotName = errors.New("not a name for a snapshot")
	// ErrSnapshotTaken says that there is a snapshot with this name.
	ErrSnapshotTaken = errors.New("there is a snapshot with this name")
	// ErrNoSnapshot says that there is none with this name.
	ErrNoSnapshot = errors.New("no such snapshot")
	// ErrTooManySnapshots says that [MaxSnapshots] are kept.
	ErrTooManySnapshots = errors.New("too many snapshots; delete one")
)

var worldVerbs = []Verb{
	verb("snapshot", "snapshot", "Remember the world as it is, under a name", takeSnapshot),
	verb("restore", "restore", "Go back to a snapshot, which stays", restoreSnapshot),
	verb("snapshots", "snapshots", "List the snapshots", listSnapshots),
	verb("deleteSnapshot", "delete-snapshot", "Forget a snapshot", deleteSnapshot),
	verb("dump", "dump", "Write the world's state, without the fees blocks collected, for: tussah sandbox start --load FILE", dump),
}

// SnapshotParams name a snapshot to take.
type SnapshotParams struct {
	Name string `json:"name,omitzero" doc:"letters, digits and . _ - (default: a number)"`
}

// NameParams name a snapshot there is.
type NameParams struct {
	Name string `json:"name" doc:"of the snapshot"`
}

// SnapshotInfo describes a snapshot.
type SnapshotInfo struct {
	Name  string `json:"name"`
	Block uint32 `json:"block"`
	Time  Time   `json:"time"` // of the network's clock
}

func (s SnapshotInfo) String() string {
	return fmt.Sprintf("%s  block %d  %s", s.Name, s.Block, s.Time)
}

// Snapshots are those that are kept, oldest first.
type Snapshots []SnapshotInfo

func (all Snapshots) String() string {
	if len(all) == 0 {
		return "no snapshots"
	}
	lines := make([]string, len(all))
	for i, s := range all {
		lines[i] = s.String()
	}
	return strings.Join(lines, "\n")
}

func takeSnapshot(ctx context.Context, w *world, p SnapshotParams) (SnapshotInfo, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.Name == "" {
		p.Name = w.freeName()
	}
	if len(p.Name) > 64 || strings.Trim(p.Name, nameLetters) != "" {
		return SnapshotInfo{}, fmt.Errorf("%w: %q", ErrSnapshotName, p.Name)
	}
	if w.find(p.Name) >= 0 {
		return SnapshotInfo{}, fmt.Errorf("%w: %q", ErrSnapshotTaken, p.Name)
	}
	if len(w.mu.snapshots) >= MaxSnapshots {
		return SnapshotInfo{}, ErrTooManySnapshots
	}
	head, err := w.Head(ctx)
	if err != nil {
		return SnapshotInfo{}, err
	}
	taken := held{SnapshotInfo{Name: p.Name, Block: head.Seqno, Time: Time{w.Now()}}, w.Snapshot()}
	w.mu.snapshots = append(w.mu.snapshots, taken)
	return taken.SnapshotInfo, nil
}

const nameLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

// freeName is the next number that is no snapshot's name.
func (w *world) freeName() string {
	for {
		w.mu.count++
		if name := strconv.Itoa(w.mu.count); w.find(name) < 0 {
			return name
		}
	}
}

// find returns the place of a snapshot, or -1.
func (w *world) find(name string) int {
	return slices.IndexFunc(w.mu.snapshots, func(h held) bool { return h.Name == name })
}

func restoreSnapshot(ctx context.Context, w *world, p NameParams) (Status, error) {
	w.mu.Lock()
	i := w.find(p.Name)
	if i < 0 {
		w.mu.Unlock()
		return Status{}, fmt.Errorf("%w: %q", ErrNoSnapshot, p.Name)
	}
	err := w.Restore(w.mu.snapshots[i].snapshot)
	w.mu.Unlock()
	return w.status(ctx, err)
}

func (w *world) snapshots() Snapshots {
	all := Snapshots{}
	for _, h := range w.mu.snapshots {
		all = append(all, h.SnapshotInfo)
	}
	return all
}

func listSnapshots(_ context.Context, w *world, _ Empty) (Snapshots, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.snapshots(), nil
}

func deleteSnapshot(_ context.Context, w *world, p NameParams) (Snapshots, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := w.find(p.Name)
	if i < 0 {
		return nil, fmt.Errorf("%w: %q", ErrNoSnapshot, p.Name)
	}
	w.mu.snapshots = slices.Delete(w.mu.snapshots, i, i+1)
	return w.snapshots(), nil
}

// Dump is a world's state in the format of [sandbox.Chain.Dump].
type Dump struct {
	Data []byte `json:"data"` // base64
}

func (d Dump) String() string { return base64.StdEncoding.EncodeToString(d.Data) }

func dump(_ context.Context, w *world, _ Empty) (Dump, error) {
	into := bounded{left: MaxDump}
	if err := w.Dump(&into); err != nil {
		return Dump{}, err
	}
	return Dump{Data: into.Bytes()}, nil
}

// bounded is a buffer that does not take more than it may.
type bounded struct {
	bytes.Buffer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, fmt.Errorf("%w: the world is larger than %d bytes; GET /dump has no bound", ErrTooLarge, MaxDump)
	}
	return b.Buffer.Write(p)
}
