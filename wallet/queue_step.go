package wallet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/tlb"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// flight is the one signed message under way. It is written down before it is
// first sent.
type flight struct {
	once    Once
	sinceLT uint64     // the wallet's newest transaction when it was first signed: it can only be executed after that
	bodies  [][32]byte // hashes of its body and of those signed for it before, newest last
	orders  []uint64   // the sends in it
	message *cell.Cell

	// Of this run.
	sentAt  time.Time
	scanned uint64 // transactions up to this lt were looked at
	left    *left  // the transaction that executed it
}

// left is the wallet's transaction that executed a flight.
type left struct {
	tx       tlb.Tx
	out      []*tontlb.InternalMessage
	followed bool // out is final: Highload V3 sends a bundle to itself first
}

// Bounds.
const (
	maxBodies   = 64          // signed for one flight: over three hours of a chain that executes nothing
	maxHistory  = 10_000      // transactions looked through at a time
	pageSize    = 16          // transactions asked for at a time
	maxBatch    = 40 << 10    // bytes of messages in a batch; a network takes 64 KiB
	lateBy      = time.Minute // how far a block may lag behind the masterchain's time
	highloadIDs = 8191 * 1023 // query ids of Highload V3: 13 bits and 10 bits, the last of the 10 unused
)

// storeError ends Run: what is in memory may differ from what is on disk.
type storeError struct{ err error }

func (e storeError) Error() string { return "the wallet queue cannot be written: " + e.err.Error() }
func (e storeError) Unwrap() error { return e.err }

func (q *Queue) commit(write func(set func(key, value []byte), del func(key []byte))) error {
	if err := q.store.Commit(write); err != nil {
		return storeError{err}
	}
	return nil
}

// step does what can be done now. Only Run calls it.
func (q *Queue) step(ctx context.Context) error {
	for q.flight != nil || q.Pending() > 0 {
		head, err := q.chain.Head(ctx)
		if err != nil {
			return fmt.Errorf("read the chain: %w", err)
		}
		account, err := q.chain.Account(ctx, head, q.wallet.address)
		if err != nil {
			return fmt.Errorf("read the wallet's account: %w", err)
		}
		seqno, err := q.wallet.seqno(account)
		if err != nil {
			return err
		}
		var again bool
		if q.flight == nil {
			again, err = q.launch(ctx, head, account, seqno)
		} else {
			again, err = q.follow(ctx, head, account, seqno)
		}
		if err != nil || !again {
			return err
		}
	}
	return nil
}

// launch signs what waits, as much as fits and the wallet can pay. It says
// whether to look again at once.
func (q *Queue) launch(ctx context.Context, head tlb.Block, account tlb.Account, seqno uint32) (bool, error) {
	q.mu.Lock()
	waiting := q.waitingLocked()
	q.mu.Unlock()
	var batch []*send
	var count, size int
	var short error
	for _, s := range waiting {
		if count+len(s.messages) > q.wallet.MaxMessages() || len(batch) > 0 && size+s.size > maxBatch {
			continue
		}
		need, err := q.cost(append(slices.Clip(batch), s)...)
		if err != nil {
			return false, err
		}
		if need > account.Balance {
			// The next may still be paid for, and may even be what brings the coins: a claim.
			short = ErrInsufficient{Wallet: q.wallet.address, Have: account.Balance, Need: need}
			q.setBlocked(s, short)
			continue
		}
		batch, count, size = append(batch, s), count+len(s.messages), size+s.size
	}
	if len(batch) == 0 {
		return false, short
	}
	id := seqno
	if q.wallet.version == HighloadV3 {
		var err error
		if id, err = q.nextQueryID(); err != nil {
			return false, err
		}
	}
	f := &flight{sinceLT: account.LastLT, once: Once{ID: id}}
	for _, s := range batch {
		f.orders = append(f.orders, s.order)
	}
	if err := q.sign(ctx, f, head, account); err != nil {
		return false, err
	}
	q.mu.Lock()
	for _, s := range batch {
		s.flying, s.blocked = true, nil
	}
	q.mu.Unlock()
	q.send(ctx)
	return true, nil
}

func (q *Queue) setBlocked(s *send, why error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s.blocked = why
	close(q.mu.changed)
	q.mu.changed = make(chan struct{})
}

// sign signs f for the time of head, writes it down, and makes it the flight.
func (q *Queue) sign(ctx context.Context, f *flight, head tlb.Block, account tlb.Account) error {
	f.once.Deploy = account.Status != tlb.AccountActive
	f.once.Signed = head.Time.Truncate(time.Second).Add(-lateBy / 2) // a block's time may be behind the head's; later would be refused
	f.once.Until = head.Time.Truncate(time.Second).Add(q.o.TTL)
	if q.wallet.version == HighloadV3 {
		f.once.Until = f.once.Signed.Add(HighloadTTL)
	}
	message, err := q.wallet.Sign(ctx, q.messagesOf(f), f.once)
	if err != nil {
		return err
	}
	body, err := bodyOf(message)
	if err != nil {
		return err
	}
	if len(f.bodies) >= maxBodies {
		f.bodies = f.bodies[1:] // expired for hours
	}
	f.message, f.bodies = message, append(slices.Clip(f.bodies), body)
	record, err := f.encode()
	if err != nil {
		return err
	}
	err = q.commit(func(set func(key, value []byte), _ func(key []byte)) {
		set([]byte{keyFlight}, record)
		if q.wallet.version == HighloadV3 {
			set([]byte{keyQueryID}, counter(f.once.ID).encode())
		}
	})
	if err != nil {
		return err
	}
	q.flight = f
	return nil
}

// messagesOf are the messages of a flight, in the order they are signed in.
func (q *Queue) messagesOf(f *flight) []contracts.Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	var all []contracts.Message
	for _, order := range f.orders {
		all = append(all, q.mu.pending[order].messages...)
	}
	return all
}

// send hands the flight to the network. Whether it arrived shows on chain.
func (q *Queue) send(ctx context.Context) {
	f := q.flight
	f.sentAt = time.Now()
	if err := q.chain.Send(ctx, f.message); err != nil {
		q.o.Log.Warn("wallet message was not taken; it will be sent again", "wallet", q.wallet.address.String(), "id", f.once.ID, "err", err)
		return
	}
	q.o.Log.Debug("wallet message sent", "wallet", q.wallet.address.String(), "id", f.once.ID, "sends", len(f.orders))
}

// follow looks for the flight on chain: done, dead, or still to wait for. It
// says whether to look again at once.
func (q *Queue) follow(ctx context.Context, head tlb.Block, account tlb.Account, seqno uint32) (bool, error) {
	f := q.flight
	if err := q.scan(ctx, account); err != nil {
		return false, fmt.Errorf("read the wallet's transactions: %w", err)
	}
	if f.left != nil {
		if !f.left.followed {
			return false, nil
		}
		return true, q.land()
	}
	// All transactions up to head are known, and none has it. It is dead if no
	// later one can: it is signed anew then, still recognising the old bodies.
	switch {
	case q.wallet.version == V5R1 && seqno != f.once.ID:
		q.o.Log.Warn("another program sends from this wallet", "wallet", q.wallet.address.String(), "seqno", seqno)
		f.once.ID = seqno
	case head.Time.Before(f.once.Until.Add(lateBy)):
		if time.Since(f.sentAt) >= q.o.Resend {
			q.send(ctx)
			return true, nil
		}
		return false, nil
	default:
		q.o.Log.Info("wallet message expired; signing it anew", "wallet", q.wallet.address.String(), "id", f.once.ID)
	}
	if err := q.sign(ctx, f, head, account); err != nil {
		return false, err
	}
	q.send(ctx)
	return true, nil
}

// scan looks through the wallet's transactions since the last scan, newest
// first, for the one that executed the flight.
func (q *Queue) scan(ctx context.Context, account tlb.Account) error {
	f := q.flight
	lt, hash := account.LastLT, account.LastHash
	var fresh []tlb.Tx
	for lt > max(f.sinceLT, f.scanned) {
		page, err := q.chain.Transactions(ctx, q.wallet.address, lt, hash, pageSize)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return fmt.Errorf("the transaction at lt %d is missing", lt)
		}
		for _, tx := range page {
			if tx.LT != lt || tx.Hash != hash || tx.PrevLT >= lt {
				return fmt.Errorf("the transaction at lt %d is not the one named", lt)
			}
			if tx.LT > max(f.sinceLT, f.scanned) {
				fresh = append(fresh, tx)
			}
			lt, hash = tx.PrevLT, tx.PrevHash
		}
		if len(fresh) > maxHistory {
			return fmt.Errorf("over %d transactions since lt %d", maxHistory, f.sinceLT)
		}
	}
	for _, tx := range slices.Backward(fresh) {
		if err := f.see(q.wallet, tx); err != nil {
			return fmt.Errorf("transaction at lt %d: %w", tx.LT, err)
		}
	}
	f.scanned = max(f.scanned, account.LastLT)
	return nil
}

// see takes notice of one transaction of the wallet.
func (f *flight) see(w Wallet, tx tlb.Tx) error {
	var parsed tontlb.Transaction
	s, err := tx.Root.BeginParse()
	if err == nil {
		err = tontlb.LoadFromCell(&parsed, s)
	}
	if err != nil {
		return err
	}
	if parsed.IO.In == nil {
		return nil
	}
	switch in := parsed.IO.In.Msg.(type) {
	case *tontlb.ExternalMessage:
		if f.left != nil || in.Body == nil || !slices.Contains(f.bodies, [32]byte(in.Body.HashKey())) {
			return nil
		}
		out, err := sentBy(parsed)
		if err != nil {
			return err
		}
		f.left = &left{tx: tx, out: out, followed: !bundled(w, out)}
	case *tontlb.InternalMessage:
		if f.left == nil || f.left.followed || in.SrcAddr == nil || !in.SrcAddr.Equals(w.address) ||
			in.Body == nil || in.Body.HashKey() != f.left.out[0].Body.HashKey() {
			return nil
		}
		if f.left.out, err = sentBy(parsed); err != nil {
			return err
		}
		f.left.followed = true
	}
	return nil
}

// bundled tells whether a Highload V3 wallet sent itself the messages to send next.
func bundled(w Wallet, out []*tontlb.InternalMessage) bool {
	if w.version != HighloadV3 || len(out) != 1 || !out[0].DstAddr.Equals(w.address) || out[0].Body == nil {
		return false
	}
	s, err := out[0].Body.BeginParse()
	if err != nil {
		return false
	}
	op, err := s.LoadUInt(32)
	return err == nil && op == 0xae42e5a4
}

func sentBy(tx tontlb.Transaction) ([]*tontlb.InternalMessage, error) {
	if tx.IO.Out == nil {
		return nil, nil
	}
	list, err := tx.IO.Out.ToSlice()
	if err != nil {
		return nil, err
	}
	var out []*tontlb.InternalMessage
	for _, m := range list {
		if internal, ok := m.Msg.(*tontlb.InternalMessage); ok {
			out = append(out, internal)
		}
	}
	return out, nil
}

// land writes down that the flight is done, and what of it the wallet skipped.
func (q *Queue) land() error {
	f := q.flight
	rest := f.left.out
	done := map[uint64]entry{}
	q.mu.Lock()
	var sends []*send
	for _, order := range f.orders {
		sends = append(sends, q.mu.pending[order])
	}
	q.mu.Unlock()
	for _, s := range sends {
		e := entry{order: s.order, done: true, lt: f.left.tx.LT, hash: f.left.tx.Hash, count: uint16(len(s.messages))}
		for _, m := range s.messages {
			// The wallet sends in the order that was signed, leaving out what it skips.
			if len(rest) > 0 && same(m, rest[0]) {
				rest = rest[1:]
			} else {
				e.skipped++
			}
		}
		done[s.order] = e
	}
	err := q.commit(func(set func(key, value []byte), del func(key []byte)) {
		for _, s := range sends {
			set(idKey(s.id), done[s.order].encode())
			del(waitingKey(s.order))
		}
		del([]byte{keyFlight})
	})
	if err != nil {
		return err
	}
	q.flight = nil
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, s := range sends {
		delete(q.mu.pending, s.order)
		delete(q.mu.byID, s.id)
	}
	close(q.mu.changed)
	q.mu.changed = make(chan struct{})
	return nil
}

// same tells whether a message that left is m.
func same(m contracts.Message, out *tontlb.InternalMessage) bool {
	body := m.Body
	if body == nil {
		body = cell.BeginCell().EndCell()
	}
	return out.DstAddr.Equals(m.To) && out.Amount.Nano().IsUint64() && out.Amount.Nano().Uint64() == uint64(m.Amount) &&
		out.Body != nil && out.Body.HashKey() == body.HashKey()
}

// bodyOf is the hash by which a transaction shows that it executed the message.
// The body is signed, so no two messages share it; the envelope around it may be
// written anew on its way.
func bodyOf(message *cell.Cell) ([32]byte, error) {
	var external tontlb.ExternalMessage
	s, err := message.BeginParse()
	if err == nil {
		err = tontlb.LoadFromCell(&external, s)
	}
	if err == nil && external.Body == nil {
		err = errors.New("it has no body")
	}
	if err != nil {
		return [32]byte{}, fmt.Errorf("external message: %w", err)
	}
	return external.Body.HashKey(), nil
}

// nextQueryID is the query id after the last one used, skipping those whose low
// ten bits the contract has no room for.
func (q *Queue) nextQueryID() (uint32, error) {
	record, ok, err := q.store.Get([]byte{keyQueryID})
	if err != nil || !ok {
		return 0, err
	}
	last, err := parseCounter(record)
	if err != nil {
		return 0, err
	}
	n := (uint32(last)>>10*1023 + uint32(last)&1023 + 1) % highloadIDs
	return n/1023<<10 | n%1023, nil
}

// cost is an upper bound of what the wallet needs to make the sends in one batch.
func (q *Queue) cost(sends ...*send) (tlb.Nano, error) {
	// Gas of the wallet, its import fee and its first deployment; prices of the basechain.
	total := tlb.Nano(15_000_000)
	for _, s := range sends {
		for _, m := range s.messages {
			bits, cells := sizeOf(map[[32]byte]bool{}, m.Body, m.Init)
			// Twice, since what leaves was imported first, and a lump and gas per message.
			fee := tlb.Nano(2*(400*bits+40_000*cells) + 2_000_000)
			if q.wallet.version == HighloadV3 {
				fee += 7_000_000 // travels with the bundle to the wallet itself, and mostly stays there
			}
			var err error
			if total, err = total.Add(fee); err == nil {
				total, err = total.Add(m.Amount)
			}
			if err != nil {
				return 0, err
			}
		}
	}
	return total, nil
}

// sizeOf counts as forward fees do: each distinct cell once.
func sizeOf(seen map[[32]byte]bool, cells ...*cell.Cell) (bits, count uint64) {
	for _, c := range cells {
		if c == nil || seen[c.HashKey()] {
			continue
		}
		seen[c.HashKey()] = true
		bits, count = bits+uint64(c.BitsSize()), count+1
		for i := range int(c.RefsNum()) {
			ref, err := c.PeekRef(i)
			if err != nil {
				continue
			}
			b, n := sizeOf(seen, ref)
			bits, count = bits+b, count+n
		}
	}
	return bits, count
}
