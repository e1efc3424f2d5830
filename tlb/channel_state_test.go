package tlb_test

import (
	"encoding/hex"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tussah-network/tussah/tlb"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"pgregory.net/rapid"
)

var (
	payerAddr  = address.NewAddress(0, 0, []byte("payer's account: 32 bytes of it."))
	payoutAddr = address.NewAddress(0, 0, []byte("payout account: 32 bytes of it.."))
	masterAddr = address.NewAddress(0, 0xff, make([]byte, 32))
)

func testChannelConfig() tlb.ChannelConfig {
	return tlb.ChannelConfig{
		Payer: payerAddr, Payout: payoutAddr, SessionKey: [32]byte(public(aliceKey)), PayeeKey: [32]byte(public(bobKey)),
		CloseDelay: 24 * 3600, Network: -239, Salt: 0x1122334455667788,
	}
}

func testChannelState() tlb.ChannelState {
	return tlb.ChannelState{
		Config: testChannelConfig(), Opened: true, Settled: tlb.TON, Deposit: 5 * tlb.TON, CloseAt: 1_790_086_400, Epoch: 1_790_000_001,
		SessionKey: [32]byte(public(carolKey)), Rotation: &tlb.ChannelRotation{SessionKey: [32]byte(public(aliceKey)), DiesAt: 1_790_050_000},
	}
}

func anyAccount() *rapid.Generator[*address.Address] {
	return rapid.Custom(func(t *rapid.T) *address.Address {
		id := anyArray32().Draw(t, "account")
		return address.NewAddress(0, 0, id[:])
	})
}

func anyChannelState() *rapid.Generator[tlb.ChannelState] {
	return rapid.Custom(func(t *rapid.T) tlb.ChannelState {
		s := tlb.ChannelState{Config: tlb.ChannelConfig{
			Payer: anyAccount().Draw(t, "payer"), Payout: anyAccount().Draw(t, "payout"),
			SessionKey: anyArray32().Draw(t, "first key"), PayeeKey: anyArray32().Draw(t, "payee key"),
			CloseDelay: rapid.Uint32().Draw(t, "delay"), Network: rapid.Int32().Draw(t, "network"), Salt: rapid.Uint64().Draw(t, "salt"),
		}}
		s.SessionKey = s.Config.SessionKey
		if s.Opened = rapid.Bool().Draw(t, "opened"); !s.Opened {
			return s
		}
		s.Deposit = anyNano().Draw(t, "deposit")
		s.Settled = tlb.Nano(rapid.Uint64Range(0, uint64(s.Deposit)).Draw(t, "settled"))
		s.CloseAt = rapid.Uint32().Draw(t, "close at")
		s.Epoch = rapid.Uint32Min(1).Draw(t, "epoch")
		s.SessionKey = anyArray32().Draw(t, "key")
		if rapid.Bool().Draw(t, "rotated") {
			s.Rotation = &tlb.ChannelRotation{SessionKey: anyArray32().Draw(t, "old key"), DiesAt: rapid.Uint32().Draw(t, "dies at")}
		}
		return s
	})
}

// The hash of the initial data decides a channel's address.
func TestChannelDataPinned(t *testing.T) {
	const want = "65ee3a2ecb0c9d07a75f7cf4b3a0d504a9b58268da589389fdb84f05b19169bc"
	if got := must(testChannelConfig().Data()).HashKey(); hex.EncodeToString(got[:]) != want {
		t.Errorf("hash = %x, want %s", got, want)
	}
}

func TestChannelStateRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyChannelState().Draw(t, "state")
		got, err := tlb.ParseChannelState(must(want.ToCell()))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, sameAddress); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestChannelConfigCheck(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*tlb.ChannelConfig)
		want   error
	}{
		"good":                 {func(*tlb.ChannelConfig) {}, nil},
		"no payer":             {func(c *tlb.ChannelConfig) { c.Payer = nil }, tlb.ErrAddress},
		"payout elsewhere":     {func(c *tlb.ChannelConfig) { c.Payout = masterAddr }, tlb.ErrWorkchain},
		"short delay, mainnet": {func(c *tlb.ChannelConfig) { c.CloseDelay = tlb.MinCloseDelayMainnet - 1 }, tlb.ErrCloseDelay},
		"short delay":          {func(c *tlb.ChannelConfig) { c.Network, c.CloseDelay = -3, tlb.MinCloseDelay-1 }, tlb.ErrCloseDelay},
		"least delay":          {func(c *tlb.ChannelConfig) { c.Network, c.CloseDelay = -3, tlb.MinCloseDelay }, nil},
		"long delay":           {func(c *tlb.ChannelConfig) { c.CloseDelay = tlb.MaxCloseDelay + 1 }, tlb.ErrCloseDelay},
		"weak session key":     {func(c *tlb.ChannelConfig) { c.SessionKey = [32]byte{1} }, tlb.ErrWeakKey},
		"weak payee key":       {func(c *tlb.ChannelConfig) { c.PayeeKey = [32]byte{} }, tlb.ErrWeakKey},
	} {
		c := testChannelConfig()
		test.change(&c)
		if err := c.Check(); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	for _, c := range []tlb.ChannelConfig{{}, {Payer: masterAddr, Payout: payoutAddr}} {
		if _, err := c.Data(); !errors.Is(err, tlb.ErrAddress) && !errors.Is(err, tlb.ErrWorkchain) {
			t.Errorf("data of %+v: %v", c, err)
		}
	}
}

func TestChannelStateRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*tlb.ChannelState)
		want   error
	}{
		"settled above deposit": {func(s *tlb.ChannelState) { s.Settled = s.Deposit + 1 }, tlb.ErrField},
		"opened in epoch zero":  {func(s *tlb.ChannelState) { s.Epoch = 0 }, tlb.ErrField},
		"epoch but not opened":  {func(s *tlb.ChannelState) { s.Opened = false }, tlb.ErrField},
		"used but not opened":   {func(s *tlb.ChannelState) { s.Opened, s.Epoch = false, 0 }, tlb.ErrField},
		"deposit out of range":  {func(s *tlb.ChannelState) { s.Deposit = tlb.MaxNano + 1 }, tlb.ErrOverflow},
		"payer elsewhere":       {func(s *tlb.ChannelState) { s.Config.Payer = masterAddr }, tlb.ErrWorkchain},
	} {
		s := testChannelState()
		test.change(&s)
		if c, err := s.ToCell(); !errors.Is(err, test.want) || c != nil {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}

	good := must(testChannelState().ToCell())
	// The fields of the root in front of the addresses, to be written wrongly.
	root := func(settled, deposit, epoch uint64, payer *address.Address) *cell.Cell {
		b := cell.BeginCell().MustStoreUInt(settled, 64).MustStoreUInt(deposit, 64).MustStoreUInt(0, 32).MustStoreUInt(epoch, 32).
			MustStoreSlice(make([]byte, 32), 256).MustStoreBoolBit(false).MustStoreAddr(payer).MustStoreAddr(payoutAddr)
		return b.MustStoreRef(must(good.PeekRef(1))).EndCell()
	}
	for name, test := range map[string]struct {
		cell *cell.Cell
		want error
	}{
		"nil":                   {nil, tlb.ErrNoCell},
		"empty":                 {cell.BeginCell().EndCell(), tlb.ErrShort},
		"special":               {libraryCell(t), tlb.ErrSpecialCell},
		"trailing bit":          {good.ToBuilder().MustStoreUInt(0, 1).EndCell(), tlb.ErrTrailing},
		"trailing ref":          {good.ToBuilder().MustStoreRef(good).EndCell(), tlb.ErrTrailing},
		"settled above deposit": {root(2, 1, 1, payerAddr), tlb.ErrField},
		"used but not opened":   {root(0, 1, 0, payerAddr), tlb.ErrField},
		"amount out of range":   {root(0, 1<<63, 1, payerAddr), tlb.ErrOverflow},
		"payer elsewhere":       {root(0, 1, 1, masterAddr), tlb.ErrWorkchain},
		"no payer":              {root(0, 1, 1, address.NewAddressNone()), tlb.ErrAddress},
		"terms of a rotation":   {replaceRef(good, 1, must(good.PeekRef(0))), tlb.ErrShort},
		"rotation of terms":     {replaceRef(good, 0, must(good.PeekRef(1))), tlb.ErrTrailing},
		"special terms":         {replaceRef(good, 1, libraryCell(t)), tlb.ErrSpecialCell},
	} {
		if got, err := tlb.ParseChannelState(test.cell); !errors.Is(err, test.want) || got != (tlb.ChannelState{}) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

// replaceRef is c with another cell at reference i.
func replaceRef(c *cell.Cell, i int, with *cell.Cell) *cell.Cell {
	s := c.MustBeginParse()
	bits := s.BitsLeft()
	b := cell.BeginCell().MustStoreSlice(s.MustLoadSlice(bits), bits)
	for j := range int(c.RefsNum()) {
		ref := must(c.PeekRef(j))
		if j == i {
			ref = with
		}
		b.MustStoreRef(ref)
	}
	return b.EndCell()
}

func TestKeyOf(t *testing.T) {
	s := testChannelState()
	for _, test := range []struct {
		name       string
		epoch, now uint32
		want       [32]byte
		alive      bool
	}{
		{"current", s.Epoch, 0, s.SessionKey, true},
		{"current, late", s.Epoch, 1<<32 - 1, s.SessionKey, true},
		{"old", s.Epoch - 1, s.Rotation.DiesAt - 1, s.Rotation.SessionKey, true},
		{"old, dead", s.Epoch - 1, s.Rotation.DiesAt, [32]byte{}, false},
		{"older", s.Epoch - 2, 0, [32]byte{}, false},
		{"future", s.Epoch + 1, 0, [32]byte{}, false},
		{"zero", 0, 0, [32]byte{}, false},
	} {
		if got, alive := s.KeyOf(test.epoch, test.now); got != test.want || alive != test.alive {
			t.Errorf("%s: %x, %t", test.name, got, alive)
		}
	}
	s.Rotation = nil
	if _, alive := s.KeyOf(s.Epoch-1, 0); alive {
		t.Error("an epoch before the first")
	}
	if _, alive := (tlb.ChannelState{}).KeyOf(0, 0); alive {
		t.Error("a channel that is not open")
	}
	if s.Left() != 4*tlb.TON || !s.Closing() {
		t.Errorf("left %v, closing %t", s.Left(), s.Closing())
	}
}

// fuzzTree feeds a parser trees of cells, and wants what it accepts to be written as it was read.
func fuzzTree[T interface{ ToCell() (*cell.Cell, error) }](f *testing.F, parse func(*cell.Cell) (T, error), seeds ...T) {
	f.Helper()
	for _, seed := range seeds {
		f.Add(must(seed.ToCell()).ToBOC())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := tlb.ParseBoC(fixChecksum(b), 1<<16)
		if err != nil {
			return
		}
		v, err := parse(c)
		if err != nil {
			return
		}
		if again, err := v.ToCell(); err != nil || again.HashKey() != c.HashKey() {
			t.Fatalf("%+v is written as %v, %v; read from %x", v, again, err, b)
		}
	})
}

func FuzzParseChannelState(f *testing.F) {
	fuzzTree(f, tlb.ParseChannelState, testChannelState(), tlb.ChannelState{Config: testChannelConfig(), SessionKey: testChannelConfig().SessionKey})
}
