package channel_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"testing"

	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet/channel"
)

// TestPayeeRefusesVoucher provokes every refusal of a voucher, and checks that
// none of them changes what is authorised.
func TestPayeeRefusesVoucher(t *testing.T) {
	ctx := t.Context()
	bob := payee(t, newMemory(), config, 1000, channel.Options{})
	good := tlb.Voucher{Network: network, Channel: channelOf(t, config), Epoch: epoch, Seq: 7, Cumulative: 500}
	if err := bob.Accept(ctx, signVoucher(t, good, aliceKey)); err != nil {
		t.Fatal(err)
	}
	higher := good
	higher.Seq, higher.Cumulative = 8, 600

	for _, tt := range []struct {
		name string
		edit func(v *tlb.Voucher)
		key  ed25519.PrivateKey
		want error
	}{
		{"lower", func(v *tlb.Voucher) { v.Cumulative = 499 }, aliceKey, channel.ErrVoucherLow},
		{"equal, but another", func(v *tlb.Voucher) { v.Cumulative = 500 }, aliceKey, channel.ErrVoucherLow},
		{"other channel", func(v *tlb.Voucher) { v.Channel = addressOf("another channel") }, aliceKey, channel.ErrVoucherChannel},
		{"other network", func(v *tlb.Voucher) { v.Network = -239 }, aliceKey, channel.ErrVoucherNetwork},
		{"epoch before", func(v *tlb.Voucher) { v.Epoch-- }, aliceKey, channel.ErrVoucherEpoch},
		{"epoch after", func(v *tlb.Voucher) { v.Epoch++ }, aliceKey, channel.ErrVoucherEpoch},
		{"over deposit", func(v *tlb.Voucher) { v.Cumulative = 1001 }, aliceKey, channel.ErrOverDeposit},
		{"other signer", func(v *tlb.Voucher) {}, malloryKey, channel.ErrVoucherSignature},
	} {
		v := higher
		tt.edit(&v)
		if err := bob.Accept(ctx, signVoucher(t, v, tt.key)); !errors.Is(err, tt.want) {
			t.Errorf("%s: Accept = %v, want %v", tt.name, err, tt.want)
		}
	}

	// A good voucher with one bit of its signature or of its amount changed.
	changed := signVoucher(t, higher, aliceKey)
	changed.Signature[3] ^= 1
	if err := bob.Accept(ctx, changed); !errors.Is(err, channel.ErrVoucherSignature) {
		t.Errorf("flipped signature: Accept = %v, want %v", err, channel.ErrVoucherSignature)
	}
	changed = signVoucher(t, higher, aliceKey)
	changed.Voucher.Cumulative++
	if err := bob.Accept(ctx, changed); !errors.Is(err, channel.ErrVoucherSignature) {
		t.Errorf("raised amount: Accept = %v, want %v", err, channel.ErrVoucherSignature)
	}
	if err := bob.Accept(ctx, tlb.SignedVoucher{}); !errors.Is(err, channel.ErrVoucherNetwork) {
		t.Errorf("zero voucher: Accept = %v, want %v", err, channel.ErrVoucherNetwork)
	}

	if err := bob.Accept(ctx, signVoucher(t, good, aliceKey)); err != nil {
		t.Errorf("the highest voucher again: Accept = %v, want nil", err)
	}
	if got := bob.State().Authorised; got != 500 {
		t.Errorf("authorised %v after refusals, want %v", got, tlb.Nano(500))
	}
}

func TestPayeeRefusesRequests(t *testing.T) {
	ctx := t.Context()
	bob := payee(t, newMemory(), config, 1000, channel.Options{MaxRequests: 1})
	if err := bob.Accept(ctx, voucherOf(t, config, 1, 100)); err != nil {
		t.Fatal(err)
	}
	if err := bob.Begin(ctx, id("a"), 60); err != nil {
		t.Fatal(err)
	}
	check := func(name string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	check("same request", bob.Begin(ctx, id("a"), 1), channel.ErrRequestExists)
	check("one too many", bob.Begin(ctx, id("b"), 1), channel.ErrTooManyRequests)
	_, err := bob.Charge(ctx, id("b"), 1)
	check("charge of none", err, channel.ErrUnknownRequest)
	_, err = bob.Finish(ctx, id("b"), 1)
	check("finish of none", err, channel.ErrUnknownRequest)
	_, err = bob.Finish(ctx, id("a"), 61)
	check("cost above charge", err, channel.ErrCostAboveCharge)
	if ok, err := bob.Charge(ctx, id("a"), 100); !ok || err != nil {
		t.Fatalf("Charge = %v, %v", ok, err)
	}
	_, err = bob.Charge(ctx, id("a"), 99)
	check("charge lowered", err, channel.ErrChargeLow)
	if ok, err := bob.Charge(ctx, id("a"), 101); ok || err != nil {
		t.Errorf("Charge beyond authorised = %v, %v; want false, nil", ok, err)
	}
	if _, err := bob.Finish(ctx, id("a"), 100); err != nil {
		t.Fatal(err)
	}
	err = bob.Begin(ctx, id("b"), 1)
	under, ok := errors.AsType[channel.ErrUnderauthorised](err)
	if want := (channel.ErrUnderauthorised{Spent: 100, Need: 1, Authorised: 100}); !ok || under != want {
		t.Errorf("Begin = %#v, want %#v", err, want)
	}
	_, err = bob.ConsentClose(malloryKey)
	check("consent with another key", err, channel.ErrPayeeKey)
	_, err = bob.ConsentClose(nil)
	check("consent without key", err, channel.ErrPayeeKey)
}

func TestPayerRefusesReceipt(t *testing.T) {
	ctx := t.Context()
	alice := payer(t, newMemory(), config, 1000, channel.Options{Window: 100})
	if _, err := alice.Begin(ctx, id("a"), 100, 200); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		edit func(r *tlb.Receipt)
		key  ed25519.PrivateKey
		want error
	}{
		{"other signer", func(r *tlb.Receipt) {}, malloryKey, channel.ErrReceiptSignature},
		{"worker did not sign", func(r *tlb.Receipt) { r.WorkerSig[0] ^= 1 }, bobKey, channel.ErrReceiptSignature},
		{"other channel", func(r *tlb.Receipt) { r.Channel = addressOf("another channel") }, bobKey, channel.ErrReceiptChannel},
		{"other network", func(r *tlb.Receipt) { r.Network = -239 }, bobKey, channel.ErrReceiptNetwork},
		{"other request", func(r *tlb.Receipt) { *r = receiptFor(t, config, id("b"), 50, 50) }, bobKey, channel.ErrReceiptRequest},
		{"above the price", func(r *tlb.Receipt) { r.Cost, r.Spent = 51, 51 }, bobKey, channel.ErrReceiptCost},
		{"above the limit", func(r *tlb.Receipt) { *r = receiptFor(t, config, id("a"), 201, 201) }, bobKey, channel.ErrOverLimit},
		{"spent below cost", func(r *tlb.Receipt) { r.Spent = 49 }, bobKey, channel.ErrReceiptSpent},
		{"spent above authorised", func(r *tlb.Receipt) { r.Spent = 101 }, bobKey, channel.ErrReceiptSpent},
	} {
		r := receiptFor(t, config, id("a"), 50, 50)
		tt.edit(&r)
		if err := alice.Finish(ctx, id("a"), signReceipt(t, r, tt.key)); !errors.Is(err, tt.want) {
			t.Errorf("%s: Finish = %v, want %v", tt.name, err, tt.want)
		}
	}
	if got := alice.State().Spent; got != 0 {
		t.Errorf("spent %v after refusals", got)
	}
	if err := alice.Finish(ctx, id("a"), signReceipt(t, receiptFor(t, config, id("a"), 50, 50), bobKey)); err != nil {
		t.Errorf("the honest receipt: %v", err)
	}
}

func TestPayerRefusesRequests(t *testing.T) {
	ctx := t.Context()
	alice := payer(t, newMemory(), config, 1000, channel.Options{Window: 100, MaxRequests: 1})
	begin := func(name string, need, limit tlb.Nano) error {
		_, err := alice.Begin(ctx, id(name), need, limit)
		return err
	}
	check := func(name string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	check("more than the deposit", begin("a", 1001, 2000), channel.ErrDepositExhausted)
	check("more than money", begin("a", tlb.MaxNano, tlb.MaxNano), channel.ErrDepositExhausted)
	check("no such money", begin("a", 1, tlb.MaxNano+1), tlb.ErrOverflow)
	check("more than its limit", begin("a", 11, 10), channel.ErrOverLimit)
	check("the first", begin("a", 900, 1500), nil)
	check("again", begin("a", 1, 1), channel.ErrRequestExists)
	check("one too many", begin("b", 1, 1), channel.ErrTooManyRequests)
	_, _, err := alice.Extend(ctx, id("b"), 1)
	check("extend of none", err, channel.ErrUnknownRequest)
	_, _, err = alice.Extend(ctx, id("a"), 1501)
	check("over limit", err, channel.ErrOverLimit)
	if v, ok, err := alice.Extend(ctx, id("a"), 900); err != nil || !ok || v.Voucher.Cumulative != 1000 {
		t.Errorf("Extend up to the deposit = %v, %v, %v", v.Voucher.Cumulative, ok, err)
	}
	_, _, err = alice.Extend(ctx, id("a"), 1000)
	check("beyond the deposit", err, channel.ErrDepositExhausted)
	check("abandon of none", alice.Abandon(ctx, id("b")), channel.ErrUnknownRequest)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = alice.Begin(cancelled, id("c"), 1, 1)
	check("cancelled", err, context.Canceled)
}

func TestReconcile(t *testing.T) {
	ctx := t.Context()
	other := config
	other.Salt++
	highest := voucherOf(t, config, 9, 300)

	for _, tt := range []struct {
		name    string
		highest tlb.SignedVoucher
		spent   tlb.Nano
		want    error
	}{
		{"another signer's voucher", signVoucher(t, highest.Voucher, malloryKey), 0, channel.ErrVoucherSignature},
		{"another channel's", voucherOf(t, other, 9, 300), 0, channel.ErrVoucherChannel},
		{"another network's", signVoucher(t, tlb.Voucher{Network: -239, Channel: highest.Voucher.Channel, Epoch: epoch, Seq: 9, Cumulative: 300}, aliceKey), 0, channel.ErrVoucherNetwork},
		{"more than authorised", highest, 301, channel.ErrSpentAboveAuthorised},
		{"nothing held, yet spent", tlb.SignedVoucher{}, 1, channel.ErrSpentAboveAuthorised},
	} {
		alice := payer(t, newMemory(), config, 1000, channel.Options{Window: 100})
		ask(t, alice)
		if err := alice.Reconcile(ctx, tt.highest, tt.spent); !errors.Is(err, tt.want) {
			t.Errorf("%s: Reconcile = %v, want %v", tt.name, err, tt.want)
		}
		if got := alice.State().Authorised; got != 0 {
			t.Errorf("%s: authorised %v after a refusal", tt.name, got)
		}
	}

	// Our journal is new, or an old copy: what the payee can prove counts.
	store := newMemory()
	alice := payer(t, store, config, 1000, channel.Options{Window: 100})
	if err := alice.Reconcile(ctx, highest, 250); !errors.Is(err, channel.ErrNotAsked) {
		t.Errorf("an answer to no question: Reconcile = %v", err)
	}
	ask(t, alice)
	if err := alice.Reconcile(ctx, highest, 250); err != nil {
		t.Fatal(err)
	}
	v, err := alice.Begin(ctx, id("a"), 100, 100)
	if err != nil || v.Voucher.Cumulative != 350 || v.Voucher.Seq != 10 {
		t.Errorf("after reconciling: voucher %+v, %v; want cumulative 350, seq 10", v.Voucher, err)
	}
	ask(t, alice)
	if err := alice.Reconcile(ctx, highest, 249); err != (channel.ErrSpentBehind{Recorded: 250, Stated: 249}) {
		t.Errorf("payee lost records: Reconcile = %v", err)
	}
}

func ask(t *testing.T, p *channel.Payer) {
	t.Helper()
	if err := p.Ask(); err != nil {
		t.Fatal(err)
	}
}

func TestWeakKeys(t *testing.T) {
	weak := [32]byte{1} // the identity: one fixed signature verifies for any message
	for _, tt := range []struct {
		name string
		edit func(*tlb.ChannelConfig)
	}{
		{"session key", func(c *tlb.ChannelConfig) { c.SessionKey = weak }},
		{"payee key", func(c *tlb.ChannelConfig) { c.PayeeKey = weak }},
	} {
		cfg := config
		tt.edit(&cfg)
		if _, err := channel.OpenPayer(newMemory(), aliceKey, cfg, channel.Options{}); !errors.Is(err, channel.ErrWeakKey) {
			t.Errorf("%s: OpenPayer = %v, want %v", tt.name, err, channel.ErrWeakKey)
		}
		if _, err := channel.OpenPayee(newMemory(), cfg, channel.Options{}); !errors.Is(err, channel.ErrWeakKey) {
			t.Errorf("%s: OpenPayee = %v, want %v", tt.name, err, channel.ErrWeakKey)
		}
	}
	if _, err := channel.OpenPayer(newMemory(), aliceKey[:10], config, channel.Options{}); !errors.Is(err, tlb.ErrPrivateKey) {
		t.Errorf("short key: OpenPayer = %v, want %v", err, tlb.ErrPrivateKey)
	}
	// A rotation to a weak key, and a voucher "signed" with it.
	state := opened(config, 1000, 0)
	state.SessionKey, state.Epoch = weak, epoch+1
	bob := payee(t, newMemory(), config, 1000, channel.Options{})
	if err := bob.UpdateDeposit(state); !errors.Is(err, channel.ErrWeakKey) {
		t.Errorf("UpdateDeposit = %v, want %v", err, channel.ErrWeakKey)
	}
	if _, err := channel.VerifyVoucher(voucherOf(t, config, 1, 1), weak); !errors.Is(err, channel.ErrWeakKey) {
		t.Errorf("VerifyVoucher = %v, want %v", err, channel.ErrWeakKey)
	}
}

func TestChainViews(t *testing.T) {
	alice := payer(t, newMemory(), config, 1000, channel.Options{})
	bob := payee(t, newMemory(), config, 1000, channel.Options{})
	other := config
	other.Salt++
	unopened := tlb.ChannelState{Config: config, SessionKey: config.SessionKey}
	rotated := opened(config, 1000, 0)
	rotated.SessionKey, rotated.Epoch = public(malloryKey), epoch+1

	for _, tt := range []struct {
		name         string
		state        tlb.ChannelState
		payer, payee error
	}{
		{"another channel", opened(other, 1000, 0), channel.ErrStateChannel, channel.ErrStateChannel},
		{"not opened", unopened, channel.ErrUnconfirmed, channel.ErrUnconfirmed},
		{"settled", opened(config, 2000, 10), nil, nil},
		{"an older view", opened(config, 2000, 9), channel.ErrStaleView, channel.ErrStaleView},
		{"another session key", rotated, channel.ErrSessionKey, channel.ErrStaleView},
	} {
		if err := alice.UpdateDeposit(tt.state); !errors.Is(err, tt.payer) {
			t.Errorf("%s: payer: %v, want %v", tt.name, err, tt.payer)
		}
		if err := bob.UpdateDeposit(tt.state); !errors.Is(err, tt.payee) {
			t.Errorf("%s: payee: %v, want %v", tt.name, err, tt.payee)
		}
	}
	if got := alice.State().Authorised; got != 10 {
		t.Errorf("payer without a journal: authorised %v, want the 10 settled", got)
	}
	rotated.Settled = 10
	if err := bob.UpdateDeposit(rotated); err != nil {
		t.Errorf("the payee follows a rotation: %v", err)
	}
}

func TestStoppedAndBroken(t *testing.T) {
	ctx := t.Context()
	disk := errors.New("disk full")
	store := newMemory()
	alice := payer(t, store, config, 1000, channel.Options{Window: 100})
	if _, err := alice.Begin(ctx, id("a"), 100, 100); err != nil {
		t.Fatal(err)
	}
	store.before = func() error { return disk }
	if _, err := alice.Begin(ctx, id("b"), 100, 100); !errors.Is(err, channel.ErrJournal) || !errors.Is(err, disk) {
		t.Errorf("Begin = %v, want %v with its cause", err, channel.ErrJournal)
	}
	store.before = nil
	if _, err := alice.Begin(ctx, id("c"), 100, 100); !errors.Is(err, channel.ErrJournal) {
		t.Errorf("Begin after a failed write = %v, want %v", err, channel.ErrJournal)
	}
	if err := alice.Close(); !errors.Is(err, channel.ErrJournal) {
		t.Errorf("Close = %v, want %v", err, channel.ErrJournal)
	}

	alice = payer(t, store, config, 1000, channel.Options{Window: 100})
	if got := alice.State(); got.Authorised != 100 || got.Doubtful != 100 {
		t.Errorf("reopened: authorised %v, doubtful %v; want what was on disk", got.Authorised, got.Doubtful)
	}
	if err := alice.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := alice.Begin(ctx, id("a"), 1, 1); !errors.Is(err, channel.ErrStopped) {
		t.Errorf("Begin after Close = %v, want %v", err, channel.ErrStopped)
	}
}

func TestDamagedRecord(t *testing.T) {
	channelAddress := channelOf(t, config)
	for _, isPayer := range []bool{true, false} {
		store := newMemory()
		open := func(s *memory, cfg tlb.ChannelConfig) error {
			if isPayer {
				_, err := channel.OpenPayer(s, aliceKey, cfg, channel.Options{})
				return err
			}
			_, err := channel.OpenPayee(s, cfg, channel.Options{})
			return err
		}
		ctx := t.Context()
		if isPayer {
			if _, err := payer(t, store, config, 1000, channel.Options{}).Begin(ctx, id("a"), 10, 10); err != nil {
				t.Fatal(err)
			}
		} else if err := payee(t, store, config, 1000, channel.Options{}).Accept(ctx, voucherOf(t, config, 1, 10)); err != nil {
			t.Fatal(err)
		}
		key := channel.RecordKey(isPayer, channelAddress)
		record := store.rows[string(key)]
		if err := open(store, config); err != nil {
			t.Fatal(err)
		}

		for i := range len(record) * 8 {
			damaged := store.clone()
			b := bytes.Clone(record)
			b[i/8] ^= 1 << (i % 8)
			damaged.rows[string(key)] = b
			want := channel.ErrRecordCorrupt
			if i/8 == 1 {
				want = channel.ErrRecordVersion
			}
			if err := open(damaged, config); !errors.Is(err, want) {
				t.Fatalf("bit %d flipped: %v, want %v", i, err, want)
			}
		}
		for n := range len(record) {
			damaged := store.clone()
			damaged.rows[string(key)] = record[:n]
			if err := open(damaged, config); !errors.Is(err, channel.ErrRecordCorrupt) {
				t.Fatalf("cut to %d bytes: %v, want %v", n, err, channel.ErrRecordCorrupt)
			}
		}

		other := config
		other.Salt++
		moved := store.clone()
		moved.rows[string(channel.RecordKey(isPayer, channelOf(t, other)))] = record
		if err := open(moved, other); !errors.Is(err, channel.ErrRecordChannel) {
			t.Errorf("another channel's record: %v, want %v", err, channel.ErrRecordChannel)
		}
	}
}

// TestVerifiedByAnotherKey: between the check of a signature and the step the
// key may have been rotated, so the machines compare it.
func TestVerifiedByAnotherKey(t *testing.T) {
	terms := channel.Terms{Channel: channelOf(t, config), Network: network, PayeeKey: public(bobKey), MaxRequests: 9}
	open := channel.Observe{Deposit: 1000, Epoch: epoch, SessionKey: public(aliceKey)}

	bob, _, err := channel.PayeeState{Terms: terms}.Step(open, noon)
	if err != nil {
		t.Fatal(err)
	}
	v, err := channel.VerifyVoucher(signVoucher(t, voucherOf(t, config, 1, 10).Voucher, malloryKey), public(malloryKey))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := bob.Step(channel.PayeeAccept{Voucher: v}, noon); !errors.Is(err, channel.ErrVoucherSignature) {
		t.Errorf("voucher: %v, want %v", err, channel.ErrVoucherSignature)
	}

	alice, _, err := channel.PayerState{Terms: terms, SessionKey: public(aliceKey)}.Step(open, noon)
	if err != nil {
		t.Fatal(err)
	}
	alice, _, err = alice.Step(channel.PayerBegin{Request: id("a"), Need: 100, Limit: 100}, noon)
	if err != nil {
		t.Fatal(err)
	}
	r, err := channel.VerifyReceipt(signReceipt(t, receiptFor(t, config, id("a"), 50, 50), malloryKey), public(malloryKey))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := alice.Step(channel.PayerFinish{Request: id("a"), Receipt: r}, noon); !errors.Is(err, channel.ErrReceiptSignature) {
		t.Errorf("receipt: %v, want %v", err, channel.ErrReceiptSignature)
	}
}

// TestReceiptsBeyondAuthorised: two receipts that are fine one by one, but
// together cost more than was ever authorised.
func TestReceiptsBeyondAuthorised(t *testing.T) {
	ctx := t.Context()
	alice := payer(t, newMemory(), config, 1000, channel.Options{Window: 100})
	for _, name := range []string{"a", "b"} {
		if _, err := alice.Begin(ctx, id(name), 100, 200); err != nil {
			t.Fatal(err)
		}
	}
	if err := alice.Finish(ctx, id("a"), signReceipt(t, receiptFor(t, config, id("a"), 150, 150), bobKey)); err != nil {
		t.Fatal(err)
	}
	err := alice.Finish(ctx, id("b"), signReceipt(t, receiptFor(t, config, id("b"), 150, 200), bobKey))
	if !errors.Is(err, channel.ErrReceiptSpent) {
		t.Errorf("Finish = %v, want %v", err, channel.ErrReceiptSpent)
	}
}
