package explore

import (
	"github.com/tussah-network/tussah/sandbox"
)

// search walks the tree of delivery orders, one run of the scenario after
// another: depth first, each run repeating the choices of the one before up to
// the last that has an alternative left.
//
// Two deliveries to different accounts do the same in either order, so most
// orders need not be tried. Which do is found by looking at the runs (dynamic
// partial order reduction with source sets and sleep sets: Abdulla, Aronis,
// Jonsson, Sagonas, "Optimal Dynamic Partial Order Reduction", 2014): where two
// deliveries to one account could have come the other way round, that is tried
// too.
type search struct {
	full bool // try all orders

	nodes []*node // the choices of the current run
	depth int     // how many of them were made again
}

type hash = [32]byte

// node is a point at which a message was chosen.
type node struct {
	ready  []sandbox.Choice
	chosen int
	todo   map[hash]bool           // to be chosen here, among them those that were
	done   map[hash]sandbox.Choice // were chosen here
	// asleep are messages whose delivery here leads to nothing that was not
	// seen already.
	asleep map[hash]sandbox.Choice
}

// choose is asked at each delivery. It is not ok if all that follows was seen,
// and the run may as well stop.
func (s *search) choose(ready []sandbox.Choice) (i int, ok bool, err error) {
	if s.depth < len(s.nodes) {
		n := s.nodes[s.depth]
		s.depth++
		if !same(n.ready, ready) {
			return 0, false, ErrNotTheSame
		}
		return n.chosen, true, nil
	}
	n := &node{ready: ready, todo: map[hash]bool{}, done: map[hash]sandbox.Choice{}, asleep: s.sleepers()}
	n.chosen = n.awake(func(hash) bool { return true })
	if n.chosen < 0 {
		return 0, false, nil
	}
	for i, c := range ready {
		if s.full || i == n.chosen {
			n.todo[c.Message] = true
		}
	}
	s.nodes = append(s.nodes, n)
	s.depth++
	return n.chosen, true, nil
}

// sleepers are the messages asleep at the next node: those asleep at the last
// or tried there before, unless what was chosen there concerns them.
func (s *search) sleepers() map[hash]sandbox.Choice {
	out := map[hash]sandbox.Choice{}
	if s.full || len(s.nodes) == 0 {
		return out
	}
	last := s.nodes[len(s.nodes)-1]
	chosen := last.ready[last.chosen]
	for _, from := range []map[hash]sandbox.Choice{last.asleep, last.done} {
		for h, c := range from {
			if !c.To.Equals(chosen.To) {
				out[h] = c
			}
		}
	}
	return out
}

// awake finds a message that is wanted, was not chosen yet and is not asleep;
// -1 if there is none.
func (n *node) awake(wanted func(hash) bool) int {
	for i, c := range n.ready {
		_, done := n.done[c.Message]
		_, asleep := n.asleep[c.Message]
		if !done && !asleep && wanted(c.Message) {
			return i
		}
	}
	return -1
}

// next prepares the next run. It is false when there is none.
func (s *search) next() bool {
	if !s.full {
		s.races()
	}
	s.depth = 0
	for len(s.nodes) > 0 {
		n := s.nodes[len(s.nodes)-1]
		n.done[n.ready[n.chosen].Message] = n.ready[n.chosen]
		if i := n.awake(func(h hash) bool { return n.todo[h] }); i >= 0 {
			n.chosen = i
			return true
		}
		s.nodes = s.nodes[:len(s.nodes)-1]
	}
	return false
}

// races finds pairs of deliveries that could have come the other way round, and
// makes sure that it is tried.
func (s *search) races() {
	events := make([]sandbox.Choice, len(s.nodes))
	for i, n := range s.nodes {
		events[i] = n.ready[n.chosen]
	}
	before := order(events)
	for j, late := range events {
		i := previous(events, j)
		if i < 0 || before.cause[j].has(i) || inLine(events[i], late) {
			continue
		}
		// What comes after i without following from it, and then late, is
		// possible without i. One of those that may begin it must be tried.
		rest := []int{}
		for k := i + 1; k < j; k++ {
			if !before.all[k].has(i) {
				rest = append(rest, k)
			}
		}
		s.nodes[i].try(events, before, append(rest, j))
	}
}

// try adds a delivery that may begin the sequence, unless one is there.
func (n *node) try(events []sandbox.Choice, before happened, sequence []int) {
	first := -1
	for at, k := range sequence {
		begins := true
		for _, earlier := range sequence[:at] {
			begins = begins && !before.all[k].has(earlier)
		}
		if !begins {
			continue
		}
		if n.todo[events[k].Message] {
			return
		}
		if first < 0 {
			first = k
		}
	}
	n.todo[events[first].Message] = true
}

// previous is the delivery to the same account before j, or -1.
func previous(events []sandbox.Choice, j int) int {
	for i := j - 1; i >= 0; i-- {
		if events[i].To.Equals(events[j].To) {
			return i
		}
	}
	return -1
}

// inLine tells whether the order of two messages to the same account is given.
func inLine(a, b sandbox.Choice) bool {
	return a.From != nil && b.From != nil && a.From.Equals(b.From)
}

// happened says what had to happen before each delivery: cause, for the
// message to be there; all, together with what the account received before.
type happened struct{ cause, all []set }

func order(events []sandbox.Choice) happened {
	h := happened{make([]set, len(events)), make([]set, len(events))}
	place := map[hash]int{}
	for j, c := range events {
		h.cause[j] = newSet(len(events))
		if i, ok := place[c.Cause]; ok {
			h.cause[j].add(i)
			h.cause[j].join(h.all[i])
		} else {
			// From outside, or set off outside: after all earlier blocks.
			for i := range j {
				if events[i].Block < c.Block {
					h.cause[j].add(i)
				}
			}
		}
		h.all[j] = newSet(len(events))
		h.all[j].join(h.cause[j])
		if i := previous(events, j); i >= 0 {
			h.all[j].add(i)
			h.all[j].join(h.all[i])
		}
		place[c.Message] = j
	}
	return h
}

// set is a set of small numbers.
type set []uint64

func newSet(n int) set       { return make(set, (n+63)/64) }
func (s set) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }
func (s set) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s set) join(o set) {
	for i := range o {
		s[i] |= o[i]
	}
}

func same(a, b []sandbox.Choice) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Message != b[i].Message {
			return false
		}
	}
	return true
}
