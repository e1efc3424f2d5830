package channel

import (
	"bytes"
	"fmt"
	"sync"
	"time"
)

// machine is a pure end of a channel.
type machine[S any] interface {
	Step(e Event, now time.Time) (S, []Effect, error)
	record() ([]byte, error)
}

// sequencer runs one end of one channel: it feeds events to the machine one at a
// time and carries out Persist. A write never holds the lock, and there is at
// most one under way per channel, so records reach the disk in order; everybody
// who asks for one meanwhile shares the next.
//
// After a failed write the state in memory may be ahead of the disk. The
// sequencer then refuses everything: only a restart knows what is true.
type sequencer[S machine[S]] struct {
	store     Store
	key       []byte
	saveEvery time.Duration

	mu struct {
		sync.Mutex
		state   S
		next    *commit // who waits for the next write; nil: nobody
		writing bool
		written []byte      // the last record on disk, if this run wrote one
		timer   *time.Timer // a PersistSoon is due
		failed  error       // set once: ErrJournal or ErrStopped
		changed chan struct{}
	}
}

// commit is one write and those who wait for it.
type commit struct {
	done chan struct{}
	err  error
}

func newSequencer[S machine[S]](store Store, key []byte, state S, saveEvery time.Duration) *sequencer[S] {
	q := &sequencer[S]{store: store, key: key, saveEvery: saveEvery}
	q.mu.state = state
	q.mu.changed = make(chan struct{})
	return q
}

// do steps the machine and returns the effects that are the caller's to carry
// out, once all before them are done.
func (q *sequencer[S]) do(e Event) ([]Effect, error) {
	q.mu.Lock()
	if q.mu.failed != nil {
		defer q.mu.Unlock()
		return nil, q.mu.failed
	}
	state, effects, err := q.mu.state.Step(e, time.Now())
	if err != nil {
		q.mu.Unlock()
		return nil, err
	}
	q.mu.state = state
	var wait *commit
	var rest []Effect
	for _, effect := range effects {
		switch effect.(type) {
		case Persist:
			wait = q.persistLocked()
		case PersistSoon:
			if q.mu.timer == nil {
				q.mu.timer = time.AfterFunc(q.saveEvery, q.persistDue)
			}
		case Wake:
			q.wakeLocked()
		default:
			rest = append(rest, effect)
		}
	}
	q.mu.Unlock()
	if wait != nil {
		if <-wait.done; wait.err != nil {
			return nil, wait.err
		}
	}
	return rest, nil
}

// persistLocked joins the next write, and starts it unless one is under way.
func (q *sequencer[S]) persistLocked() *commit {
	if q.mu.next == nil {
		q.mu.next = &commit{done: make(chan struct{})}
	}
	if !q.mu.writing {
		q.mu.writing = true
		go q.write()
	}
	return q.mu.next
}

func (q *sequencer[S]) persistDue() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.mu.failed == nil && q.mu.timer != nil {
		q.persistLocked()
	}
}

// write carries out writes until nobody waits for one.
func (q *sequencer[S]) write() {
	for {
		q.mu.Lock()
		c, failed := q.mu.next, q.mu.failed
		q.mu.next = nil
		if c == nil {
			q.mu.writing = false
			q.mu.Unlock()
			return
		}
		if q.mu.timer != nil { // this write covers what was due
			q.mu.timer.Stop()
			q.mu.timer = nil
		}
		record, err := q.mu.state.record()
		known := bytes.Equal(record, q.mu.written)
		q.mu.Unlock()

		switch {
		case failed != nil:
			err = failed
		case err == nil && !known: // else it is on disk already, however often a peer asks
			err = q.store.Commit(func(set func(key, value []byte), _ func(key []byte)) { set(q.key, record) })
			if err == nil {
				q.mu.Lock()
				q.mu.written = record
				q.mu.Unlock()
			}
		}
		if err != nil && failed == nil {
			err = fmt.Errorf("%w: %w", ErrJournal, err)
			q.mu.Lock()
			q.mu.failed = err
			q.wakeLocked()
			q.mu.Unlock()
		}
		c.err = err
		close(c.done)
	}
}

func (q *sequencer[S]) wakeLocked() {
	close(q.mu.changed)
	q.mu.changed = make(chan struct{})
}

// changed returns a channel that is closed at the next [Wake].
func (q *sequencer[S]) changed() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.mu.changed
}

func (q *sequencer[S]) state() S {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.mu.state
}

// stop writes what is due, and refuses everything from then on.
func (q *sequencer[S]) stop() error {
	q.mu.Lock()
	if q.mu.failed != nil {
		defer q.mu.Unlock()
		return q.mu.failed
	}
	var wait *commit
	if q.mu.timer != nil || q.mu.writing {
		wait = q.persistLocked()
	}
	q.mu.Unlock()
	if wait != nil {
		if <-wait.done; wait.err != nil {
			return wait.err
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.mu.failed == nil {
		q.mu.failed = ErrStopped
	}
	q.wakeLocked()
	return nil
}
