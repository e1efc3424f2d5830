package control

import (
	"context"
	"fmt"
	"time"

	"github.com/tussah-network/tussah/sandbox"
)

var timeVerbs = []Verb{
	verb("advanceTime", "time", "Move the network's clock forward", advanceTime),
	verb("setTime", "time", "Set the network's clock, never back", setTime),
	verb("mine", "mine", "Make blocks, empty ones too", mine),
	verb("pause", "pause", "Make no more blocks but with mine", pauseBlocks),
	verb("resume", "resume", "Make blocks again as before the pause, or in another mode", resumeBlocks),
	verb("status", "status", "Show the network", status),
}

// Status is the network at a moment.
type Status struct {
	Block     uint32   `json:"block"` // sequence number of the newest master block
	BlockHash Hash     `json:"block_hash"`
	BlockTime Time     `json:"block_time"`
	Now       Time     `json:"now"` // of the network's clock, which the next block has
	Unix      int64    `json:"unix"`
	Mode      Mode     `json:"mode"`
	Interval  Duration `json:"interval,omitzero"` // between blocks, in the mode interval
	Pending   int      `json:"pending"`           // messages that wait
	Snapshots int      `json:"snapshots"`
	Supply    Amount   `json:"supply"` // with the fees of this chain's blocks, which a dump leaves out
	Giver     Address  `json:"giver"`
	// Fault is the newest of a contract that could not be run, see [Trace].
	Fault string `json:"fault,omitempty"`
}

func (s Status) String() string {
	mode := s.Mode.String()
	if s.Interval != 0 {
		mode += " of " + s.Interval.String()
	}
	text := fmt.Sprintf("block      %d of %s\nhash       %s\nclock      %s\nmode       %s\npending    %d\nsnapshots  %d\nsupply     %s\ngiver      %s",
		s.Block, s.BlockTime, s.BlockHash, s.Now, mode, s.Pending, s.Snapshots, s.Supply, s.Giver)
	if s.Fault != "" {
		text += "\nfault      " + s.Fault
	}
	return text
}

func status(ctx context.Context, w *world, _ Empty) (Status, error) { return w.status(ctx, nil) }

// status is the network after a change that ended with err.
func (w *world) status(ctx context.Context, err error) (Status, error) {
	if err != nil {
		return Status{}, err
	}
	head, err := w.Head(ctx)
	if err != nil {
		return Status{}, err
	}
	w.mu.Lock()
	snapshots := len(w.mu.snapshots)
	w.mu.Unlock()
	s := Status{
		Block: head.Seqno, BlockHash: head.RootHash, BlockTime: Time{head.Time}, Now: Time{w.Now()}, Unix: w.Now().Unix(),
		Pending: len(w.Pending()), Snapshots: snapshots, Supply: Amount(w.Supply()), Giver: Address{sandbox.Giver()},
	}
	mode, interval := w.Mode()
	if s.Mode = Mode(mode); mode == sandbox.Interval {
		s.Interval = Duration(interval)
	}
	if err := w.Fault(); err != nil {
		s.Fault = err.Error()
	}
	return s, nil
}

// AdvanceParams say how far to travel.
type AdvanceParams struct {
	By Duration `json:"by" doc:"such as 1h30m"`
}

func advanceTime(ctx context.Context, w *world, p AdvanceParams) (Status, error) {
	return w.status(ctx, w.AdvanceTime(ctx, time.Duration(p.By)))
}

// TimeParams say when to travel to.
type TimeParams struct {
	To Time `json:"to" doc:"RFC 3339 or Unix seconds"`
}

func setTime(ctx context.Context, w *world, p TimeParams) (Status, error) {
	return w.status(ctx, w.SetTime(ctx, p.To.Time))
}

// MineParams say how many blocks to make.
type MineParams struct {
	Blocks *int32 `json:"blocks,omitzero" doc:"how many (default 1)"`
}

func mine(ctx context.Context, w *world, p MineParams) (Status, error) {
	blocks := 1
	if p.Blocks != nil {
		blocks = int(*p.Blocks)
	}
	if blocks < 1 || blocks > MaxMine {
		return Status{}, fmt.Errorf("%w: blocks is not in 1 … %d", ErrParams, MaxMine)
	}
	_, err := w.Mine(ctx, blocks)
	return w.status(ctx, err)
}

func pauseBlocks(ctx context.Context, w *world, _ Empty) (Status, error) {
	w.mu.Lock()
	mode, interval := w.Mode()
	err := w.SetMode(sandbox.Manual, 0)
	if err == nil && mode != sandbox.Manual {
		w.mu.paused = &pace{mode, interval}
	}
	w.mu.Unlock()
	return w.status(ctx, err)
}

// ResumeParams say how to go on.
type ResumeParams struct {
	Mode     *Mode    `json:"mode,omitzero" doc:"instant, interval or manual (default: as before the pause, or instant)" cli:"flag"`
	Interval Duration `json:"interval,omitzero" doc:"between blocks, at least 50ms; implies the mode interval" cli:"flag"`
}

func resumeBlocks(ctx context.Context, w *world, p ResumeParams) (Status, error) {
	if p.Interval != 0 && time.Duration(p.Interval) < sandbox.MinInterval {
		return Status{}, fmt.Errorf("%w: interval is less than %s", ErrParams, sandbox.MinInterval)
	}
	w.mu.Lock()
	to := pace{mode: sandbox.Instant}
	switch {
	case p.Mode == nil && p.Interval != 0:
		to.mode = sandbox.Interval
	case p.Mode != nil:
		to.mode = sandbox.Mode(*p.Mode)
	case w.mu.paused != nil:
		to = *w.mu.paused
	}
	if p.Interval != 0 {
		to.interval = time.Duration(p.Interval)
	}
	var err error
	if p.Interval != 0 && to.mode != sandbox.Interval {
		err = fmt.Errorf("%w: only the mode interval has an interval", ErrParams)
	} else if err = w.SetMode(to.mode, to.interval); err == nil {
		w.mu.paused = nil
	}
	w.mu.Unlock()
	return w.status(ctx, err)
}
