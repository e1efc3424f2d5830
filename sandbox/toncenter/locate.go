package toncenter

import (
	"context"
	"errors"
	"strconv"

	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/sandbox"
)

// route is the message whose transaction is looked for.
type route struct {
	source, destination *address.Address
	createdLT           uint64
}

func readRoute(p *params) (route, error) {
	r := route{source: p.address("source"), destination: p.address("destination")}
	r.createdLT = uint64(p.required("created_lt", 0, 1<<63-1))
	return r, p.err
}

func (r route) is(m *message) bool {
	return m != nil && m.source != nil && m.destination != nil && m.source.Equals(r.source) && m.destination.Equals(r.destination) &&
		m.fields.CreatedLT == strconv.FormatUint(r.createdLT, 10)
}

// locateResult finds the transaction that received a message. It is in the
// first blocks of the destination that end after the message was created.
func locateResult(_ context.Context, chain Source, p *params) (any, error) {
	r, err := readRoute(p)
	if err != nil {
		return nil, err
	}
	return locate(chain, r.destination, r.createdLT, maxLocateBlocks, func(t *transaction) bool { return r.is(t.in) })
}

// locateSource finds the transaction that sent a message. It is in the block
// of the source that was being made then.
func locateSource(_ context.Context, chain Source, p *params) (any, error) {
	r, err := readRoute(p)
	if err != nil {
		return nil, err
	}
	return locate(chain, r.source, r.createdLT, 1, func(t *transaction) bool {
		for _, m := range t.out {
			if r.is(m) {
				return true
			}
		}
		return false
	})
}

// locate searches an account's transactions in the blocks of its shard from a
// logical time on.
func locate(chain Source, a *address.Address, lt uint64, blocks int, match func(*transaction) bool) (any, error) {
	m, err := at(chain, 0)
	if err != nil {
		return nil, err
	}
	shard, err := m.shardOf(a)
	if err != nil {
		return nil, err
	}
	first, err := chain.Lookup(shard.Workchain, shard.Shard, Lookup{Mode: sandbox.ByLT, LT: lt})
	if errors.Is(err, sandbox.ErrNotFound) {
		return nil, ErrNotLocated // later than all there is
	}
	if err != nil {
		return nil, err
	}
	from := max(first.SeqNo, 1) // the zero state is no block
	for seqno := from; seqno <= shard.SeqNo && seqno-from < uint32(blocks); seqno++ {
		id, err := chain.Lookup(shard.Workchain, shard.Shard, Lookup{Mode: sandbox.BySeqno, Seqno: seqno})
		if err != nil {
			return nil, err
		}
		root, err := chain.Block(id)
		if err != nil {
			return nil, err
		}
		txs, err := accountTransactions(root, a.Data())
		if err != nil {
			return nil, err
		}
		for _, tx := range txs {
			t, err := viewTransaction(a, tx.root)
			if err != nil {
				return nil, err
			}
			if match(t) {
				return t.ext(), nil
			}
		}
	}
	return nil, ErrNotLocated
}
