package channel_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet/channel"
	"pgregory.net/rapid"
)

// TestPair plays a payer and a payee against each other: any order of requests,
// with vouchers, statements and receipts that are lost, repeated and late, and
// crashes at and between writes. rapid prints what to run again on a failure.
func TestPair(t *testing.T) {
	seen := map[string]int{} // that the rare things happened at all
	play := func(rt *rapid.T) {
		p := newPair(t, rt, seen)
		rt.Repeat(map[string]func(*rapid.T){
			"":               p.check,
			"begin":          p.begin,
			"deliverVoucher": p.deliverVoucher,
			"deliverNewest":  p.deliverNewest,
			"serve":          p.serve,
			"charge":         p.charge,
			"state":          p.state,
			"finish":         p.finish,
			"deliverReceipt": p.deliverReceipt,
			"abandon":        p.abandon,
			"crashAtWrite":   p.crashAtWrite,
			"crash":          p.crash,
			"reconnect":      p.reconnect,
			"settle":         p.settle,
			"topUp":          p.topUp,
		})
	}
	for range 3 {
		rapid.Check(t, play)
	}
	for _, name := range []string{"crash at a payer's write", "crash at a payee's write", "underauthorised", "late voucher",
		"voucher again", "deposit exhausted", "receipt for a request abandoned", "reconciled", "forgotten charge"} {
		if seen[name] == 0 {
			t.Errorf("never happened: %s", name)
		}
	}
	t.Logf("happened: %v", seen)
}

const pairWindow = 100

// request is what the model knows of one.
type request struct {
	need, limit tlb.Nano
	slack       tlb.Nano // how far alice may have authorised it beyond what was delivered
	served      bool     // bob began it
	delivered   tlb.Nano
	ended       bool // bob finished or forgot it
}

type pair struct {
	tb       *testing.T
	seen     map[string]int
	alice    *channel.Payer
	bob      *channel.Payee
	aliceDB  *memory
	bobDB    *memory
	deposit  tlb.Nano
	settled  tlb.Nano
	requests map[channel.Request]*request
	open     map[channel.Request]bool // at alice: running, or abandoned since the last reconcile
	running  map[channel.Request]bool // at alice
	next     byte

	vouchers []tlb.SignedVoucher // everything alice ever sent
	receipts []tlb.SignedReceipt

	signed          tlb.Nano // highest voucher ever handed out
	forgotten       tlb.Nano // delivered, and lost in bob's crashes
	aliceAuthorised tlb.Nano // highest seen, across crashes
	bobAuthorised   tlb.Nano
	bobSpent        tlb.Nano
}

func newPair(tb *testing.T, rt *rapid.T, seen map[string]int) *pair {
	p := &pair{
		tb: tb, seen: seen, aliceDB: newMemory(), bobDB: newMemory(),
		deposit:  tlb.Nano(rapid.IntRange(200, 3000).Draw(rt, "deposit")),
		requests: map[channel.Request]*request{}, open: map[channel.Request]bool{}, running: map[channel.Request]bool{},
	}
	p.reopenAlice()
	p.reopenBob()
	return p
}

func (p *pair) reopenAlice() {
	p.aliceDB = p.aliceDB.clone()
	p.alice = payer(p.tb, p.aliceDB, config, p.deposit, channel.Options{Window: pairWindow})
	if err := p.alice.UpdateDeposit(opened(config, p.deposit, p.settled)); err != nil {
		p.tb.Fatal(err)
	}
	clear(p.running)
}

func (p *pair) reopenBob() {
	p.bobDB = p.bobDB.clone()
	p.bob = payee(p.tb, p.bobDB, config, p.deposit, channel.Options{})
	if err := p.bob.UpdateDeposit(opened(config, p.deposit, p.settled)); err != nil {
		p.tb.Fatal(err)
	}
	var delivered tlb.Nano
	for _, r := range p.requests {
		delivered += r.delivered
		r.ended = r.ended || r.served
	}
	if lost := delivered - p.forgotten - p.bob.Spent(); lost > 0 {
		p.seen["forgotten charge"]++
		p.forgotten += lost
	}
}

func (p *pair) crash(rt *rapid.T) {
	if rapid.Bool().Draw(rt, "alice") {
		p.reopenAlice()
	} else {
		p.reopenBob()
	}
}

// crashAtWrite lets the next write of one end fail: before, or right after it reached the disk.
func (p *pair) crashAtWrite(rt *rapid.T) {
	db := p.bobDB
	if rapid.Bool().Draw(rt, "alice") {
		db = p.aliceDB
	}
	db.before = func() error { return errCrash }
	db.applied = rapid.Bool().Draw(rt, "after")
}

var errCrash = errors.New("crash")

// aliceDid and bobDid take an operation's error: a crash reopens, an allowed one is
// fine, any other fails. They say whether the operation happened.
func (p *pair) aliceDid(rt *rapid.T, err error, allowed ...error) bool {
	if errors.Is(err, channel.ErrJournal) {
		p.seen["crash at a payer's write"]++
		p.reopenAlice()
		return false
	}
	return did(rt, err, allowed...)
}

func (p *pair) bobDid(rt *rapid.T, err error, allowed ...error) bool {
	if errors.Is(err, channel.ErrJournal) {
		p.seen["crash at a payee's write"]++
		p.reopenBob()
		return false
	}
	return did(rt, err, allowed...)
}

func did(rt *rapid.T, err error, allowed ...error) bool {
	for _, a := range allowed {
		if errors.Is(err, a) {
			return false
		}
	}
	if err != nil {
		rt.Fatalf("unexpected: %v", err)
	}
	return true
}

func (p *pair) sent(rt *rapid.T, v tlb.SignedVoucher) {
	p.vouchers = append(p.vouchers, v)
	if v.Voucher.Cumulative < p.signed {
		rt.Fatalf("voucher of %d after one of %d", v.Voucher.Cumulative, p.signed)
	}
	for _, old := range p.vouchers {
		if old.Voucher.Seq == v.Voucher.Seq && old.Signature != v.Signature {
			rt.Fatalf("two vouchers of seq %d", v.Voucher.Seq)
		}
	}
	p.signed = v.Voucher.Cumulative
	p.bounded(rt)
}

// bounded checks, when alice authorised more, what she would lose if bob stopped now.
func (p *pair) bounded(rt *rapid.T) {
	authorised := p.alice.State().Authorised
	if authorised <= p.aliceAuthorised {
		return
	}
	p.aliceAuthorised = authorised
	var delivered, slack tlb.Nano
	for id, r := range p.requests {
		delivered += r.delivered
		if p.open[id] {
			slack += r.slack
		}
	}
	if authorised > delivered+slack {
		rt.Fatalf("authorised %d with %d delivered: more than %d ahead", authorised, delivered, slack)
	}
}

func (p *pair) begin(rt *rapid.T) {
	p.next++
	id := channel.Request{p.next}
	r := &request{need: tlb.Nano(rapid.IntRange(1, 150).Draw(rt, "need"))}
	r.limit = r.need + tlb.Nano(rapid.IntRange(0, 500).Draw(rt, "beyond"))
	r.slack = max(r.need, pairWindow)
	p.open[id], p.requests[id] = true, r
	v, err := p.alice.Begin(p.tb.Context(), id, r.need, r.limit)
	if errors.Is(err, channel.ErrDepositExhausted) {
		p.seen["deposit exhausted"]++
		delete(p.open, id)
		delete(p.requests, id)
	}
	if p.aliceDid(rt, err, channel.ErrDepositExhausted) {
		p.running[id] = true
		p.sent(rt, v)
	}
}

func (p *pair) deliver(rt *rapid.T, v tlb.SignedVoucher) {
	held, _ := p.bob.Highest()
	if held == v {
		p.seen["voucher again"]++
	}
	err := p.bob.Accept(p.tb.Context(), v)
	if errors.Is(err, channel.ErrVoucherLow) {
		p.seen["late voucher"]++
	}
	p.bobDid(rt, err, channel.ErrVoucherLow)
}

func (p *pair) deliverVoucher(rt *rapid.T) {
	p.deliver(rt, draw(rt, "voucher", p.vouchers))
}

func (p *pair) deliverNewest(rt *rapid.T) {
	if len(p.vouchers) == 0 {
		rt.Skip("none")
	}
	p.deliver(rt, p.vouchers[len(p.vouchers)-1])
}

// pick draws one of the requests that the filter takes.
func (p *pair) pick(rt *rapid.T, filter func(id channel.Request, r *request) bool) (channel.Request, *request) {
	var ids []channel.Request
	for id, r := range p.requests {
		if filter(id, r) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b channel.Request) int { return slices.Compare(a[:], b[:]) })
	id := draw(rt, "request", ids)
	return id, p.requests[id]
}

func draw[T any](rt *rapid.T, label string, from []T) T {
	if len(from) == 0 {
		rt.Skip("none")
	}
	return from[rapid.IntRange(0, len(from)-1).Draw(rt, label)]
}

func atBob(_ channel.Request, r *request) bool { return r.served && !r.ended }

func (p *pair) serve(rt *rapid.T) {
	id, r := p.pick(rt, func(_ channel.Request, r *request) bool { return !r.served })
	err := p.bob.Begin(p.tb.Context(), id, r.need)
	if _, ok := errors.AsType[channel.ErrUnderauthorised](err); ok {
		p.seen["underauthorised"]++
		return
	}
	r.served = p.bobDid(rt, err)
}

func (p *pair) charge(rt *rapid.T) {
	id, r := p.pick(rt, atBob)
	total := min(r.limit, r.delivered+tlb.Nano(rapid.IntRange(1, 80).Draw(rt, "part")))
	ok, err := p.bob.Charge(p.tb.Context(), id, total)
	if p.bobDid(rt, err) && ok {
		r.delivered = total
	}
}

func (p *pair) state(rt *rapid.T) {
	id, r := p.pick(rt, func(id channel.Request, _ *request) bool { return p.running[id] })
	stated := tlb.Nano(rapid.IntRange(0, int(r.delivered)).Draw(rt, "stated"))
	v, ok, err := p.alice.Extend(p.tb.Context(), id, stated)
	if p.aliceDid(rt, err, channel.ErrDepositExhausted) && ok {
		p.sent(rt, v)
	}
}

func (p *pair) finish(rt *rapid.T) {
	id, r := p.pick(rt, atBob)
	p.finishAtBob(rt, id, r)
}

func (p *pair) finishAtBob(rt *rapid.T, id channel.Request, r *request) {
	spent, err := p.bob.Finish(p.tb.Context(), id, r.delivered)
	if p.bobDid(rt, err) {
		r.ended = true
		p.receipts = append(p.receipts, signReceipt(p.tb, receiptFor(p.tb, config, id, r.delivered, spent), bobKey))
	}
}

func (p *pair) deliverReceipt(rt *rapid.T) {
	r := draw(rt, "receipt", p.receipts)
	id := r.Receipt.Work.Request
	if !p.running[id] {
		p.seen["receipt for a request abandoned"]++
	}
	if p.aliceDid(rt, p.alice.Finish(p.tb.Context(), id, r), channel.ErrUnknownRequest) {
		delete(p.running, id)
		delete(p.open, id)
	}
}

func (p *pair) abandon(rt *rapid.T) {
	id, _ := p.pick(rt, func(id channel.Request, _ *request) bool { return p.running[id] })
	if p.aliceDid(rt, p.alice.Abandon(p.tb.Context(), id)) {
		delete(p.running, id)
	}
}

// reconnect ends what bob is serving, and lets alice compare. Half of the time she
// has given up her requests before; else their receipts may still come.
func (p *pair) reconnect(rt *rapid.T) {
	p.aliceDB.before, p.bobDB.before = nil, nil
	for _, id := range slices.SortedFunc(maps.Keys(p.requests), func(a, b channel.Request) int { return slices.Compare(a[:], b[:]) }) {
		if r := p.requests[id]; atBob(id, r) {
			p.finishAtBob(rt, id, r)
		}
	}
	if rapid.Bool().Draw(rt, "give up") {
		for id := range p.running {
			did(rt, p.alice.Abandon(p.tb.Context(), id))
		}
		clear(p.running)
	}
	highest, _ := p.bob.Highest()
	did(rt, p.alice.Ask())
	did(rt, p.alice.Reconcile(p.tb.Context(), highest, p.bob.Spent()))
	if got := p.alice.State(); got.Spent != p.bob.Spent() || got.Doubtful != 0 {
		rt.Fatalf("after reconnect alice has spent %d, doubtful %d; bob spent %d", got.Spent, got.Doubtful, p.bob.Spent())
	}
	p.seen["reconciled"]++
	for id, r := range p.requests {
		if !p.running[id] {
			delete(p.open, id)
		} else { // its cost may be in spent, and its allotment stays until the receipt comes
			r.slack = max(r.slack, r.limit)
		}
	}
	// A new request can be served at once, unless the deposit is out.
	p.next++
	id := channel.Request{p.next}
	r := &request{need: 1, limit: 1, slack: pairWindow}
	v, err := p.alice.Begin(p.tb.Context(), id, 1, 1)
	if !did(rt, err, channel.ErrDepositExhausted) {
		return
	}
	p.requests[id], p.open[id], p.running[id] = r, true, true
	p.sent(rt, v)
	did(rt, p.bob.Accept(p.tb.Context(), v))
	did(rt, p.bob.Begin(p.tb.Context(), id, 1))
	r.served = true
}

// settle claims what bob holds.
func (p *pair) settle(rt *rapid.T) {
	if v, ok := p.bob.Highest(); ok {
		p.settled = max(p.settled, v.Voucher.Cumulative)
	}
	p.observe(rt)
}

func (p *pair) topUp(rt *rapid.T) {
	p.deposit += tlb.Nano(rapid.IntRange(1, 500).Draw(rt, "top-up"))
	p.observe(rt)
}

func (p *pair) observe(rt *rapid.T) {
	p.aliceDid(rt, p.alice.UpdateDeposit(opened(config, p.deposit, p.settled)))
	p.bobDid(rt, p.bob.UpdateDeposit(opened(config, p.deposit, p.settled)))
}

func (p *pair) check(rt *rapid.T) {
	a, b := p.alice.State(), p.bob.State()
	var delivered tlb.Nano
	for _, r := range p.requests {
		delivered += r.delivered
	}
	for _, invariant := range []struct {
		name string
		ok   bool
	}{
		{"alice's authorised covers every voucher sent", a.Authorised >= p.signed},
		{"alice's authorised never falls", a.Authorised >= p.aliceAuthorised},
		{"alice's authorised ≤ deposit", a.Authorised <= p.deposit},
		{"alice's spent ≤ authorised", a.Spent <= a.Authorised},
		{"alice's spent ≤ bob's", a.Spent <= b.Spent},
		{"bob's authorised ≤ signed", b.Authorised <= p.signed},
		{"bob's authorised never falls", b.Authorised >= p.bobAuthorised},
		{"bob's spent never falls", b.Spent >= p.bobSpent},
		{"bob's spent + reserved ≤ authorised", b.Spent+b.Reserved <= b.Authorised},
		{"bob's charged ≤ reserved", b.Charged <= b.Reserved},
		{"bob counts what he delivered and remembers", b.Spent+b.Charged == delivered-p.forgotten},
		{"settled ≤ bob's authorised", p.settled <= b.Authorised},
	} {
		if !invariant.ok {
			rt.Fatalf("broken: %s\nalice: %s\nbob: %s\nsigned=%d deposit=%d delivered=%d forgotten=%d", invariant.name,
				payerLine(a), payeeLine(b), p.signed, p.deposit, delivered, p.forgotten)
		}
	}
	p.bounded(rt)
	p.bobAuthorised, p.bobSpent = b.Authorised, b.Spent
}
