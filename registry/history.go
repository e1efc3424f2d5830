package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/tlb"
)

const (
	// page is how many transactions are asked for at once; 16 is the liteservers' limit.
	page = 16

	// pagesPerPass bounds one pass of Fill: as many pages for the registry, and as
	// many for all channels together. Anybody can send to an account and make its
	// history long; the view must not age while it is read.
	pagesPerPass = 8
)

// point names a transaction of an account; the zero point is before the first.
type point struct {
	LT   uint64
	Hash [32]byte
}

func lastOf(acc tlb.Account) point { return point{acc.LastLT, acc.LastHash} }

// gap says which transactions of an account are not stored yet. An account has one at
// most: what it does while a gap is open becomes the next gap when that one is closed.
type gap struct {
	Next  point // the newest that is missing
	Floor point // where the gap ends: the newest one stored before it
	Top   point // where it began: closed, the history is complete up to here
}

// moved is what a pass of Sync found of an account.
type moved struct {
	account   tlb.Account
	destroyed bool // it has no history any more
	gap       *gap // that opens
}

// Fill makes one pass over the gaps in the history of the followed accounts, of a
// bounded number of pages, and reports whether none is left. It goes on where the
// last pass ended, also after a restart.
func (x *Index) Fill(ctx context.Context) (complete bool, err error) {
	x.pass.Lock()
	defer x.pass.Unlock()
	watched, err := x.rows.watched()
	if err != nil {
		return false, err
	}
	pages := pagesPerPass
	complete, err = x.fill(ctx, x.registry, &pages)
	pages = pagesPerPass
	x.turn++
	for i := range watched {
		if ctx.Err() != nil {
			break
		}
		// One channel that cannot be read does not hold up the others.
		done, e := x.fill(ctx, watched[(x.turn+i)%len(watched)], &pages)
		complete, err = complete && done, errors.Join(err, e)
	}
	return complete, err
}

// fill reads up to pages pages into an account's gap, and reports whether it has none.
func (x *Index) fill(ctx context.Context, a *address.Address, pages *int) (complete bool, err error) {
	for ; ; *pages-- {
		g, open, err := x.rows.gap(a)
		if err != nil || !open || *pages == 0 {
			return err == nil && !open, err
		}
		txs, err := x.chain.Transactions(ctx, a, g.Next.LT, g.Next.Hash, page)
		if err != nil {
			return false, fmt.Errorf("read transactions of %s before %d: %w", a, g.Next.LT, err)
		}
		fresh, next, err := g.follow(txs)
		if err != nil {
			return false, fmt.Errorf("%s: %w", a, err)
		}
		if err := x.advance(a, g, fresh, next); err != nil {
			return false, err
		}
	}
}

// follow takes from a page, newest first, what lies in the gap, and returns what is
// missing next. Each transaction must be the one that its successor names.
func (g gap) follow(txs []tlb.Tx) (fresh []tlb.Tx, next point, err error) {
	if len(txs) == 0 {
		return nil, point{}, fmt.Errorf("%w: none at %d", ErrBroken, g.Next.LT)
	}
	next = g.Next
	for _, tx := range txs {
		if next.LT <= g.Floor.LT {
			break
		}
		if (point{tx.LT, tx.Hash}) != next {
			return nil, point{}, fmt.Errorf("%w: got transaction %d, want %d", ErrBroken, tx.LT, next.LT)
		}
		if tx.PrevLT >= tx.LT {
			return nil, point{}, fmt.Errorf("%w: transaction %d names a later one before it", ErrBroken, tx.LT)
		}
		fresh = append(fresh, tx)
		next = point{tx.PrevLT, tx.PrevHash}
	}
	if next.LT <= g.Floor.LT && next.LT != 0 && next != g.Floor {
		return nil, point{}, fmt.Errorf("%w: history leads to transaction %d, past the stored %d", ErrBroken, next.LT, g.Floor.LT)
	}
	return fresh, next, nil
}

// advance stores transactions and what is left of the gap in one commit.
func (x *Index) advance(a *address.Address, g gap, fresh []tlb.Tx, next point) error {
	if next.LT > g.Floor.LT {
		g.Next = next
		return x.rows.fill(a, fresh, &g, 0)
	}
	// Closed. If the history began above the floor, the contract was there before and
	// was destroyed meanwhile. That life cannot be reached from this state, so what is
	// stored of it has to go, or the index would depend on when it was synced.
	var begins uint64
	if next.LT == 0 && g.Floor.LT != 0 {
		begins = fresh[len(fresh)-1].LT
	}
	acc, _, err := x.rows.account(a)
	if err != nil {
		return err
	}
	if last := lastOf(acc); last != g.Top {
		return x.rows.fill(a, fresh, &gap{Next: last, Floor: g.Top, Top: last}, begins)
	}
	return x.rows.fill(a, fresh, nil, begins)
}
