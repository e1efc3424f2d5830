package sandbox

import (
	"context"
	"fmt"
	"math/big"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// MaxPool bounds the messages that may wait for a block.
const MaxPool = 10_000

// Send takes an external message. A contract that does not accept it makes a
// [NotAcceptedError]. In instant mode, everything it set off is in the chain
// when Send returns; in the other modes it waits for its block.
func (c *Chain) Send(_ context.Context, msg *cell.Cell) error {
	_, err := c.submit(msg)
	return err
}

// Execute is [Chain.Send] that waits until everything the message set off has
// happened, and returns it. In the manual mode someone else has to seal.
func (c *Chain) Execute(ctx context.Context, msg *cell.Cell) (*Trace, error) {
	f, err := c.submit(msg)
	if err != nil {
		return nil, err
	}
	return f.wait(ctx)
}

func (c *Chain) submit(msg *cell.Cell) (*flight, error) {
	prepared, err := tvm.PrepareMessage(msg)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMessage, err) // the library's text only: callers match ErrMessage
	}
	parsed := prepared.Message()
	if parsed.MsgType != tontlb.MsgTypeExternalIn {
		return nil, fmt.Errorf("%s message from outside: %w", parsed.MsgType, ErrMessage)
	}
	to, err := idOf(parsed.AsExternalIn().DstAddr)
	if err != nil {
		return nil, err
	}
	return c.take(&inbound{to: to, prepared: prepared, flight: newFlight()})
}

// Internal is a message to impersonate.
type Internal struct {
	From, To *address.Address
	Amount   tlb.Nano
	Body     *cell.Cell // nil: empty
	Init     *cell.Cell // StateInit to deploy with, or nil
	Bounce   bool
}

// SendInternal delivers an internal message in the name of any address, which
// need not even exist, and returns all it set off. The amount comes from
// nowhere: it is added to the [Chain.Supply]. It waits as [Chain.Execute] does.
func (c *Chain) SendInternal(ctx context.Context, m Internal) (*Trace, error) {
	f, err := c.impersonate(m)
	if err != nil {
		return nil, err
	}
	return f.wait(ctx)
}

// Post is [Chain.SendInternal] that does not wait.
func (c *Chain) Post(_ context.Context, m Internal) error {
	_, err := c.impersonate(m)
	return err
}

func (c *Chain) impersonate(m Internal) (*flight, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	to, err := idOf(m.To)
	if err != nil {
		return nil, err
	}
	s, err := c.shardOf(to)
	if err != nil {
		return nil, err
	}
	if err := c.mayMint(m.Amount); err != nil {
		return nil, fmt.Errorf("send %s from nowhere: %w", m.Amount, err)
	}
	for _, part := range []*cell.Cell{m.Body, m.Init} {
		if err := checkTree(part); err != nil {
			return nil, fmt.Errorf("message to %s: %w: %w", m.To, ErrMessage, err)
		}
	}
	// Later than all that is, earlier than the block it will be in; and no two
	// that wait have the same time, so none has the same hash.
	created := s.front.end
	for _, p := range c.pool {
		if p.impersonated != nil {
			created = max(created, p.impersonated.created+1)
		}
	}
	cell, err := m.build(created, uint32(c.now().Unix()))
	if err != nil {
		return nil, fmt.Errorf("message to %s: %w", m.To, err)
	}
	prepared, err := tvm.PrepareMessage(cell)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrMessage, err) // as in submit
	}
	taken, err := newMessage(prepared)
	if err != nil {
		return nil, err
	}
	return c.takeLocked(&inbound{to: to, prepared: prepared, impersonated: taken, flight: newFlight()})
}

var maxSupply = new(big.Int).SetUint64(uint64(tlb.MaxNano))

func (m Internal) build(lt uint64, now uint32) (*cell.Cell, error) {
	msg := &tontlb.InternalMessage{
		IHRDisabled: true, Bounce: m.Bounce, SrcAddr: m.From, DstAddr: m.To, Amount: coins(uint64(m.Amount)),
		CreatedLT: lt, CreatedAt: now, Body: m.Body,
	}
	if msg.Body == nil {
		msg.Body = cell.BeginCell().EndCell()
	}
	if m.Init != nil {
		msg.StateInit = new(tontlb.StateInit)
		if err := tontlb.Parse(msg.StateInit, m.Init); err != nil {
			return nil, fmt.Errorf("state init: %w", err)
		}
	}
	return tontlb.ToCell(msg)
}

func (c *Chain) take(p *inbound) (*flight, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.takeLocked(p)
}

// takeLocked puts a message into the pool; in instant mode it also sees it
// through.
func (c *Chain) takeLocked(p *inbound) (*flight, error) {
	if c.err != nil {
		return nil, c.err
	}
	s, err := c.shardOf(p.to)
	if err != nil {
		return nil, err
	}
	if len(c.pool) >= c.maxPool {
		return nil, ErrPoolFull
	}
	if c.opts.Mode == Instant {
		c.pool = append(c.pool, p)
		if err := c.settle(); err != nil {
			return nil, err
		}
		return p.flight, p.flight.err
	}
	if p.impersonated == nil {
		if err := c.wouldAccept(s, p); err != nil {
			return nil, err
		}
	}
	c.pool = append(c.pool, p)
	return p.flight, nil
}

// wouldAccept tries a message on the state as it is, like a liteserver does
// before it passes one on.
func (c *Chain) wouldAccept(s *shard, p *inbound) error {
	col := c.emptyCollation(s, uint32(c.now().Unix()))
	r, err := col.run(p.to, p.prepared)
	if err := c.sound(); err != nil {
		return err
	}
	if err != nil && r.execution.Account == nil {
		return err
	}
	return r.refusal(err)
}

// wait returns what became of a message, when all of it is over.
func (f *flight) wait(ctx context.Context) (*Trace, error) {
	select {
	case <-f.landed:
	case <-ctx.Done():
		select {
		case <-f.landed: // both happened: what is known is told
		default:
			return nil, ctx.Err()
		}
	}
	if f.err != nil {
		return nil, f.err
	}
	return f.trace, nil
}
