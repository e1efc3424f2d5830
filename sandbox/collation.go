package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// maxBlockTransactions stands in for the byte limit of real blocks: what does
// not fit is left for the next block.
const maxBlockTransactions = 2_000

// collation is a block of one shard being filled. It changes nothing outside
// itself, except that it tells flights what happened; the outcome becomes the
// shard's state when the block is sealed.
type collation struct {
	chain    *Chain
	block    *tvm.BlockContext // made when the first message is run
	world    Execution         // what all executions of this block have in common
	shard    *shard
	limits   tontlb.BlockLimitsV1
	software tontlb.GlobalVersion
	most     int // transactions
	now      uint32
	start    uint64 // logical time of the block, and of its first transactions
	end      uint64 // after everything in the block
	seed     [32]byte

	accounts map[[32]byte]*change
	fresh    messageHeap // sent in this block to this shard, not yet delivered
	in       []inRecord
	out      []outRecord
	enqueued []*message // leave for the queue with this block
	queue    []*message // the queue after this block
	done     messageMark
	// libraries are those after this block, of a master block.
	libraries *cell.Cell

	gas          uint64
	transactions int
	fees         *big.Int // collected by transactions and from imported messages
	minted       *big.Int // value of impersonated messages, which nobody sent
	imported     *big.Int // value and fees of messages from the queues
	exported     *big.Int // the same of messages left in the queue
}

// change is what a block did to one account.
type change struct {
	id     accountID
	before *cell.Cell // the account's state
	lane   lane
	txs    []txCell
}

// inRecord and outRecord become the block's message descriptors.
type inRecord struct {
	kind    inKind
	cell    *cell.Cell // the message
	message *message   // the same taken apart, if internal
	tx      *cell.Cell
}

type inKind uint8

const (
	inExternal  inKind = iota // from outside, or impersonated
	inImmediate               // sent and delivered in this block
	inFinal                   // from a queue
)

type outRecord struct {
	kind    outKind
	cell    *cell.Cell
	message *message
	tx      *cell.Cell // that sent it
	// reimport describes the delivery of a message that never left or just
	// leaves this shard's queue.
	reimport inRecord
	// importLT is the time of the block in which another shard imported it.
	importLT uint64
}

type outKind uint8

const (
	outExternal  outKind = iota // to the world outside
	outImmediate                // sent and delivered in this block
	outNew                      // enters the queue
	outDequeued                 // leaves the queue: delivered by this block
	outDelivered                // leaves the queue: delivered by another shard
)

// sorted are the accounts the block changed, by address.
func (c *collation) sorted() [][32]byte {
	return slices.SortedFunc(maps.Keys(c.accounts), func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
}

func (c *collation) full() bool {
	return c.gas >= uint64(c.limits.Gas.SoftLimit) || c.end-c.start >= uint64(c.limits.LTDelta.SoftLimit) ||
		c.transactions >= c.most
}

// importQueued delivers messages waiting in the queues, this shard's own among
// them, in the order of their logical time over all queues.
func (c *collation) importQueued(queues []*shard) error {
	var waiting []*message
	for _, from := range queues {
		for _, m := range from.front.queue {
			if c.shard.id.contains(m.to) && c.done.compare(m.mark()) < 0 {
				waiting = append(waiting, m)
			}
		}
	}
	slices.SortFunc(waiting, func(a, b *message) int { return a.mark().compare(b.mark()) })
	own := map[*message]bool{}
	for _, m := range waiting {
		if c.full() {
			break
		}
		c.imported.Add(c.imported, m.value)
		c.imported.Add(c.imported, m.fee)
		in, err := c.deliver(m, inFinal)
		if err != nil {
			return err
		}
		c.done = m.mark()
		if c.shard.id.contains(m.from) {
			own[m] = true
			c.out = append(c.out, outRecord{kind: outDequeued, cell: m.cell(), message: m, reimport: in})
		}
	}
	c.queue = slices.DeleteFunc(c.queue, func(m *message) bool { return own[m] })
	return nil
}

// dropDelivered removes from this shard's queue what other shards imported.
func (c *collation) dropDelivered(others []*shard) {
	for _, other := range others {
		if other.id == c.shard.id {
			continue
		}
		c.queue = slices.DeleteFunc(c.queue, func(m *message) bool {
			gone := other.id.contains(m.to) && other.front.done.compare(m.mark()) >= 0
			if gone {
				c.out = append(c.out, outRecord{kind: outDelivered, cell: m.cell(), message: m, importLT: other.front.end})
			}
			return gone
		})
	}
}

// takes tells whether a message from outside may be in this block.
func (c *collation) takes(p *inbound) bool {
	return c.shard.id.contains(p.to) && c.chain.due(p)
}

// accept takes messages from outside; what does not fit is returned.
func (c *collation) accept(pool []*inbound) (rest []*inbound, err error) {
	if c.chain.opts.Order != nil {
		return c.inOrder(pool)
	}
	seen := map[cell.Hash]bool{}
	for i, p := range pool {
		// A block describes messages by hash, so it takes each only once.
		if !c.takes(p) || seen[p.prepared.Cell().HashKey()] {
			rest = append(rest, p)
			continue
		}
		if c.full() {
			return append(rest, pool[i:]...), nil
		}
		seen[p.prepared.Cell().HashKey()] = true
		if err := c.acceptOne(p); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

func (c *collation) acceptOne(p *inbound) error {
	r, err := c.run(p.to, p.prepared)
	if err := c.chain.sound(); err != nil { // then it is not the message's fault
		return err
	}
	if p.impersonated != nil {
		if err != nil {
			p.flight.fail(broke(err))
			return nil
		}
		c.minted.Add(c.minted, p.impersonated.value)
	} else if refused := r.refusal(err); refused != nil {
		p.flight.fail(refused)
		return c.observe(r)
	}
	c.in = append(c.in, inRecord{kind: inExternal, cell: p.prepared.Cell(), message: p.impersonated, tx: r.outcome.Transaction})
	return c.record(p.to, p.prepared, r, &origin{flight: p.flight})
}

// settle delivers what was sent within this block, and what that sends. What
// is bound elsewhere, or does not fit, goes to the queue.
func (c *collation) settle() error {
	for len(c.fresh) > 0 && !c.full() {
		if err := c.deliverFresh(c.fresh.next()); err != nil {
			return err
		}
	}
	for len(c.fresh) > 0 {
		c.enqueue(c.fresh.next())
	}
	slices.SortFunc(c.enqueued, func(a, b *message) int { return a.mark().compare(b.mark()) })
	c.queue = append(c.queue, c.enqueued...)
	return nil
}

// deliverFresh delivers a message in the block it was sent in.
func (c *collation) deliverFresh(m *message) error {
	in, err := c.deliver(m, inImmediate)
	if err != nil {
		return err
	}
	c.out = append(c.out, outRecord{kind: outImmediate, cell: m.cell(), message: m, tx: m.tx, reimport: in})
	return nil
}

func (c *collation) enqueue(m *message) {
	c.exported.Add(c.exported, m.value)
	c.exported.Add(c.exported, m.fee)
	c.enqueued = append(c.enqueued, m)
	c.out = append(c.out, outRecord{kind: outNew, cell: m.cell(), message: m, tx: m.tx})
}

// deliver runs the transaction of an internal message.
func (c *collation) deliver(m *message, kind inKind) (inRecord, error) {
	r, err := c.run(m.to, m.prepared)
	if err != nil {
		if r, err = c.giveUp(m, err); err != nil {
			return inRecord{}, err
		}
	}
	c.fees.Add(c.fees, m.fee)
	in := inRecord{kind: kind, cell: m.cell(), message: m, tx: r.outcome.Transaction}
	c.in = append(c.in, in)
	return in, c.record(m.to, m.prepared, r, m.wait)
}

// executed is a message run on an account, and not yet part of the block.
type executed struct {
	execution Execution
	outcome   Outcome
	result    *tvm.TransactionExecutionResult // nil if it could not be run at all
	fault     error                           // the contract should have run, and the executor broke down
}

// run executes a message on the account as it is now within this block.
func (c *collation) run(to accountID, msg *tvm.PreparedMessage) (executed, error) {
	l, err := c.lane(to)
	if err != nil {
		return executed{}, err
	}
	loaded := false
	for {
		r, err := c.runOn(l, msg)
		switch {
		case errors.Is(err, errLooksBack):
			err = c.lookBack()
		case err == nil && !loaded && hasLazyList(r.result.Actions):
			loaded = true
			l, msg, err = loadAll(l, msg)
		default:
			return r, err
		}
		if err != nil {
			return executed{}, err
		}
	}
}

func (c *collation) runOn(l lane, msg *tvm.PreparedMessage) (executed, error) {
	if err := c.begin(); err != nil {
		return executed{}, err
	}
	result, err := c.chain.executor.run(c.machine(), c.block, l.account, msg, c.options(l))
	return c.executed(l, msg, result, err)
}

func (c *collation) options(l lane) tvm.TransactionOptions {
	return tvm.TransactionOptions{LogicalTime: int64(c.start), AccountStorageStat: l.stat}
}

func (c *collation) executed(l lane, msg *tvm.PreparedMessage, result *tvm.TransactionExecutionResult, err error) (executed, error) {
	r := executed{execution: c.world}
	r.execution.Account, r.execution.Message, r.execution.Before = l.account.Address(), msg.Cell(), l.account.ShardAccountCell()
	if err != nil {
		return r, fmt.Errorf("transaction of %s: %w", l.account.Address(), err)
	}
	r.result = result
	r.outcome, err = outcome(result)
	return r, err
}

// giveUp deals with a message that the executor broke down at: the chain goes
// on, as on TON there is an outcome to every message. It is not this one, so
// the trace, the log and [Chain.Fault] say so.
func (c *collation) giveUp(m *message, cause error) (executed, error) {
	if err := errors.Join(c.chain.sound(), c.chain.broken); err != nil { // then it is not the message's fault
		return executed{}, errors.Join(cause, err)
	}
	l, err := c.lane(m.to)
	if err == nil {
		err = c.begin()
	}
	if err != nil {
		return executed{}, errors.Join(cause, err)
	}
	result, err := c.chain.executor.skip(c.block, l.account, m.prepared, c.options(l))
	r, err := c.executed(l, m.prepared, result, err)
	if err != nil {
		return executed{}, errors.Join(cause, err)
	}
	r.fault = broke(cause)
	c.chain.fault = r.fault
	c.chain.opts.Log.Warn("contract was not run", "account", m.to.address(), "message", fmt.Sprintf("%x", m.hash), "err", r.fault)
	return r, nil
}

// broke gives what the executor says its name.
func broke(err error) error {
	if errors.Is(err, ErrExecutor) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrExecutor, err)
}

// begin prepares the executor for the block, once it has something to do.
func (c *collation) begin() (err error) {
	if c.block == nil {
		c.block, err = c.chain.config.prepared.NewBlockContext(tvm.BlockOptions{
			Now: c.now, BlockLT: int64(c.start), RandSeed: c.seed[:], GlobalID: c.world.GlobalID, PrevBlocks: c.world.Previous,
			Libraries: c.world.Libraries,
		})
	}
	return err
}

// secondOpinion observes all chains, see observe_reference.go.
var secondOpinion func(Execution, Outcome) error

// observe shows the observers an execution that was run for the chain.
func (c *collation) observe(r executed) error {
	if r.result == nil || r.fault != nil {
		return nil
	}
	for _, observer := range []func(Execution, Outcome) error{secondOpinion, c.chain.opts.Observe} {
		if observer == nil {
			continue
		}
		if err := observer(r.execution, r.outcome); err != nil {
			return err
		}
	}
	return nil
}

func (c *collation) lane(id accountID) (lane, error) {
	if ch, ok := c.accounts[id.hash]; ok {
		return ch.lane, nil
	}
	return c.shard.lane(id)
}

// record takes the outcome of a transaction into the block.
func (c *collation) record(id accountID, msg *tvm.PreparedMessage, e executed, wait *origin) error {
	if err := c.observe(e); err != nil {
		return err
	}
	r := e.result
	ch := c.accounts[id.hash]
	if ch == nil {
		before, err := c.shard.account(id)
		if err != nil {
			return err
		}
		ch = &change{id: id, before: before.Account}
		c.accounts[id.hash] = ch
	}
	ch.lane = lane{account: r.NextAccount, stat: r.AccountStorageStat}

	tx, err := r.ParseTransaction()
	if err != nil {
		return err
	}
	ch.txs = append(ch.txs, txCell{lt: tx.LT, cell: r.TransactionCell})
	c.fees.Add(c.fees, tx.TotalFees.Coins.Nano())
	c.gas += uint64(max(r.GasUsed, 0))
	c.end = max(c.end, r.EndLT)
	c.transactions++

	trace := wait.executed(msg, tx, e)
	for _, out := range r.OutMessages {
		if out.Msg.MsgType == tontlb.MsgTypeExternalOut {
			c.out = append(c.out, outRecord{kind: outExternal, cell: out.Cell, tx: r.TransactionCell})
			trace.emitted(out.Cell)
			continue
		}
		prepared, err := tvm.PrepareParsedMessage(out.Cell, out.Msg)
		if err != nil {
			return err
		}
		m, err := newMessage(prepared)
		if err != nil {
			return err
		}
		m.tx, m.cause, m.wait = r.TransactionCell, msg.Cell().HashKey(), wait.sent(trace)
		if c.shard.id.contains(m.to) {
			c.fresh.add(m)
		} else {
			c.enqueue(m)
		}
	}
	wait.settled()
	return nil
}

// refusal turns a transaction that did not come about into the error its
// sender gets; nil if it did.
func (r executed) refusal(err error) error {
	refused := &NotAcceptedError{Account: r.execution.Account}
	if r.execution.Message != nil {
		refused.Execution = &r.execution
	}
	switch {
	case err != nil:
		cause := err
		for next := errors.Unwrap(cause); next != nil; next = errors.Unwrap(cause) {
			cause = next
		}
		refused.Reason = cause.Error()
	case r.result.TransactionCell != nil:
		return nil
	case r.result.Code == nil && r.result.Steps == 0:
		refused.Reason = "the account has no code, or cannot pay for gas"
	default:
		refused.Exit = r.outcome.Exit
	}
	return refused
}
