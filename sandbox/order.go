package sandbox

import (
	"fmt"
	"slices"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Choice is a message that could be delivered next, see [Options.Order].
type Choice struct {
	From, To  *address.Address // From is nil for an external message
	Message   [32]byte         // hash of the message
	Op        uint32           // as [Message.Op]
	CreatedLT uint64           // 0 for an external message
	// Cause is the message whose transaction sent this one; zero if it comes
	// from outside.
	Cause [32]byte
	// Block is the master block being filled. All that was delivered in
	// earlier ones happened before.
	Block uint32
}

// candidate is a message that was not yet delivered: from the pool or sent in
// this block.
type candidate struct {
	choice  Choice
	inbound *inbound
	message *message
}

// compare puts messages into the order a chain without Order delivers them in:
// the pool's as they came, then the others by logical time.
func (c candidate) compare(o candidate) int {
	switch {
	case c.message == nil && o.message == nil:
		return 0
	case c.message == nil:
		return -1
	case o.message == nil:
		return 1
	}
	return c.message.mark().compare(o.message.mark())
}

// inOrder fills a block with what waits in the pool and all it sets off, in the
// order that [Options.Order] says. The limits of a block do not count, so that
// nothing is left to a later one.
func (c *collation) inOrder(pool []*inbound) (rest []*inbound, err error) {
	var waiting []candidate
	seen := map[cell.Hash]bool{}
	for _, p := range pool {
		if !c.takes(p) || seen[p.prepared.Cell().HashKey()] {
			rest = append(rest, p)
			continue
		}
		seen[p.prepared.Cell().HashKey()] = true
		waiting = append(waiting, c.candidateOf(p))
	}
	for {
		for len(c.fresh) > 0 {
			m := c.fresh.next()
			waiting = append(waiting, candidate{message: m, choice: Choice{
				From: m.from.address(), To: m.to.address(), Message: m.hash, Op: describe(m.prepared).Op(), CreatedLT: m.created,
				Cause: m.cause, Block: c.chain.master.front.seqno + 1,
			}})
		}
		if len(waiting) == 0 {
			return rest, nil
		}
		slices.SortStableFunc(waiting, candidate.compare)
		if c.transactions >= c.most*c.chain.maxCascade {
			return nil, fmt.Errorf("%d transactions: %w", c.transactions, ErrEndless)
		}
		i, err := c.choose(waiting)
		if err != nil {
			return nil, err
		}
		next := waiting[i]
		waiting = slices.Delete(waiting, i, i+1)
		if next.inbound != nil {
			err = c.acceptOne(next.inbound)
		} else {
			err = c.deliverFresh(next.message)
		}
		if err != nil {
			return nil, err
		}
	}
}

func (c *collation) candidateOf(p *inbound) candidate {
	out := candidate{inbound: p, choice: Choice{
		To: p.to.address(), Message: p.prepared.Cell().HashKey(), Op: describe(p.prepared).Op(), Block: c.chain.master.front.seqno + 1,
	}}
	if m := p.impersonated; m != nil {
		out.choice.From, out.choice.CreatedLT = m.from.address(), m.created
	}
	return out
}

// choose asks which message is next, and returns its place in waiting. Those
// from one account to another stay in the order in which they were sent.
func (c *collation) choose(waiting []candidate) (int, error) {
	var ready []Choice
	var places []int
	for i, w := range waiting {
		late := slices.ContainsFunc(waiting, func(o candidate) bool {
			return w.choice.From != nil && o.choice.From != nil && o.choice.CreatedLT < w.choice.CreatedLT &&
				o.choice.From.Equals(w.choice.From) && o.choice.To.Equals(w.choice.To)
		})
		if !late {
			ready, places = append(ready, w.choice), append(places, i)
		}
	}
	i := c.chain.opts.Order(ready)
	if i < 0 || i >= len(ready) {
		return 0, fmt.Errorf("message %d of %d: %w", i, len(ready), ErrOrder)
	}
	return places[i], nil
}
