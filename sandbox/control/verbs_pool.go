package control

import (
	"context"
	"fmt"
	"strings"
)

var poolVerbs = []Verb{
	verb("pending", "pending", "List the messages that wait for a block: from outside, and impersonated ones", pending),
	verb("drop", "drop", "Drop a message that waits", drop),
	verb("delay", "delay", "Hold a message that waits back for some blocks", delay),
	verb("duplicate", "duplicate", "Put a message that waits in once more", duplicate),
}

// PendingMessages wait for a block, in the order of their arrival.
type PendingMessages []PendingMessage

// PendingMessage is a message that waits.
type PendingMessage struct {
	Hash Hash    `json:"hash"`
	From Address `json:"from,omitzero"` // of an impersonated one; absent: from outside
	To   Address `json:"to"`
	// NotBefore is the master block it waits for at least; 0: the next one.
	NotBefore uint32 `json:"not_before,omitzero"`
	Message   Cell   `json:"message"`
}

func (all PendingMessages) String() string {
	if len(all) == 0 {
		return "no message waits"
	}
	lines := make([]string, len(all))
	for i, m := range all {
		lines[i] = m.String()
	}
	return strings.Join(lines, "\n")
}

func (m PendingMessage) String() string {
	line := m.Hash.String()
	if m.From.Address != nil {
		line += fmt.Sprintf("  from %s", m.From)
	}
	line += fmt.Sprintf("  to %s", m.To)
	if m.NotBefore != 0 {
		line += fmt.Sprintf("  not before block %d", m.NotBefore)
	}
	return line
}

// HashParams name a message that waits.
type HashParams struct {
	Hash Hash `json:"hash" doc:"of the message, as pending lists it"`
}

// DelayParams say how long to hold a message back.
type DelayParams struct {
	Hash   Hash   `json:"hash" doc:"of the message, as pending lists it"`
	Blocks uint32 `json:"blocks" doc:"how many blocks to hold it back"`
}

func (w *world) pending(err error) (PendingMessages, error) {
	if err != nil {
		return nil, err
	}
	all := PendingMessages{}
	for _, m := range w.Pending() {
		all = append(all, PendingMessage{Hash: m.Hash, From: Address{m.From}, To: Address{m.To}, NotBefore: m.NotBefore, Message: Cell{m.Message}})
	}
	return all, nil
}

func pending(_ context.Context, w *world, _ Empty) (PendingMessages, error) { return w.pending(nil) }

func drop(_ context.Context, w *world, p HashParams) (PendingMessages, error) {
	return w.pending(w.Drop(p.Hash))
}

func delay(_ context.Context, w *world, p DelayParams) (PendingMessages, error) {
	return w.pending(w.Delay(p.Hash, p.Blocks))
}

func duplicate(_ context.Context, w *world, p HashParams) (PendingMessages, error) {
	return w.pending(w.Duplicate(p.Hash))
}
