package tlb_test

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/tussah-network/tussah/tlb"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"pgregory.net/rapid"
)

func testParams() tlb.RegistryParams {
	return tlb.RegistryParams{
		Network: -239, MinStake: 10 * tlb.TON, Unbonding: 7 * 86400, Timelock: 2 * 86400,
		MinCloseDelay: 6 * 3600, MaxCloseDelay: 72 * 3600, ChannelCode: array32(0xcc),
	}
}

func testRegistryState() tlb.RegistryState {
	return tlb.RegistryState{
		Owner: payerAddr, Version: 41, Params: testParams(),
		Images:    map[[32]byte]tlb.Roles{array32(1): tlb.RoleProxy, array32(2): tlb.RoleWorker},
		Models:    map[[32]byte]string{tlb.ModelHash("tiny"): "tiny"},
		Platforms: map[[32]byte]bool{array32(3): true, array32(4): false},
		Proxies: []tlb.ProxyEntry{
			{Owner: payoutAddr, Payout: payoutAddr, PeerID: []byte{1, 2, 3}, Addrs: []string{"/ip4/127.0.0.1/tcp/1", ""}, Stake: 10 * tlb.TON, RegisteredAt: 5},
			{Owner: channelAddr, Payout: payerAddr, PeerID: make([]byte, 64), Addrs: []string{strings.Repeat("a", 508)}, Stake: 1, RegisteredAt: 5, UnbondingAt: 6},
		},
		Transfer:   &tlb.OwnerTransfer{To: payoutAddr, ReadyAt: 7},
		Changes:    []tlb.PendingChange{{ID: 3, ReadyAt: 8, Change: tlb.AllowImage{Image: array32(9), Roles: tlb.RoleWorker}}, {ID: 5, ReadyAt: 9, Change: tlb.SetParams{Params: testParams()}}},
		NextChange: 6,
	}
}

func anyChange() *rapid.Generator[tlb.RegistryChange] {
	return rapid.Custom(func(t *rapid.T) tlb.RegistryChange {
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			return tlb.AllowImage{Image: anyArray32().Draw(t, "image"), Roles: anyRoles().Draw(t, "roles")}
		case 1:
			return tlb.AllowModel{Name: anyModel().Draw(t, "model")}
		case 2:
			return tlb.AllowPlatform{Platform: anyArray32().Draw(t, "platform")}
		}
		return tlb.SetParams{Params: anyParams().Draw(t, "params")}
	})
}

func anyRoles() *rapid.Generator[tlb.Roles] {
	return rapid.Map(rapid.Uint8Range(1, 3), func(r uint8) tlb.Roles { return tlb.Roles(r) })
}

func anyModel() *rapid.Generator[string] {
	return rapid.Map(rapid.SliceOfN(rapid.Byte(), 1, tlb.MaxModelName), func(b []byte) string { return string(b) })
}

func anyParams() *rapid.Generator[tlb.RegistryParams] {
	return rapid.Custom(func(t *rapid.T) tlb.RegistryParams {
		p := tlb.RegistryParams{
			Network: rapid.Int32().Draw(t, "network"), MinStake: tlb.MinProxyStake + anyNano().Draw(t, "stake")/2,
			Unbonding: rapid.Uint32Max(tlb.MaxUnbonding).Draw(t, "unbonding"), Timelock: rapid.Uint32Max(tlb.MaxTimelock).Draw(t, "timelock"),
			MaxCloseDelay: rapid.Uint32().Draw(t, "most"), ChannelCode: anyArray32().Draw(t, "code"),
		}
		p.MinCloseDelay = rapid.Uint32Max(p.MaxCloseDelay).Draw(t, "least")
		return p
	})
}

func anyRegistryState() *rapid.Generator[tlb.RegistryState] {
	return rapid.Custom(func(t *rapid.T) tlb.RegistryState {
		s := tlb.RegistryState{
			Owner: anyAccount().Draw(t, "owner"), Version: rapid.Uint64().Draw(t, "version"), NextChange: rapid.Uint32().Draw(t, "next"),
			Params: anyParams().Draw(t, "params"), Models: map[[32]byte]string{},
			Images:    rapid.MapOfN(anyArray32(), anyRoles(), 0, 4).Draw(t, "images"),
			Platforms: rapid.MapOfN(anyArray32(), rapid.Bool(), 0, 4).Draw(t, "platforms"),
		}
		for _, name := range rapid.SliceOfN(anyModel(), 0, 3).Draw(t, "models") {
			s.Models[tlb.ModelHash(name)] = name
		}
		if rapid.Bool().Draw(t, "transfer") {
			s.Transfer = &tlb.OwnerTransfer{To: anyAccount().Draw(t, "to"), ReadyAt: rapid.Uint32().Draw(t, "ready")}
		}
		ids := rapid.SliceOfNDistinct(rapid.Uint32(), 0, 3, rapid.ID).Draw(t, "changes")
		for _, id := range ids {
			s.Changes = append(s.Changes, tlb.PendingChange{ID: id, ReadyAt: rapid.Uint32().Draw(t, "ready"), Change: anyChange().Draw(t, "change")})
		}
		owners := rapid.SliceOfNDistinct(anyArray32(), 0, 3, rapid.ID).Draw(t, "owners")
		for _, owner := range owners {
			text := rapid.SliceOfN(rapid.Byte(), 1, tlb.MaxAddrs).Draw(t, "addrs")
			s.Proxies = append(s.Proxies, tlb.ProxyEntry{
				Owner: address.NewAddress(0, 0, owner[:]), Payout: anyAccount().Draw(t, "payout"),
				PeerID: rapid.SliceOfN(rapid.Byte(), 1, tlb.MaxPeerID).Draw(t, "peer"), Addrs: strings.Split(string(text), "\n"),
				Stake: anyNano().Draw(t, "stake"), RegisteredAt: rapid.Uint32().Draw(t, "since"), UnbondingAt: rapid.Uint32().Draw(t, "until"),
			})
		}
		return s
	})
}

func TestRegistryStateRoundTrip(t *testing.T) {
	ordered := cmp.Options{sameAddress, cmpopts.EquateEmpty(),
		cmpopts.SortSlices(func(a, b tlb.PendingChange) bool { return a.ID < b.ID }),
		cmpopts.SortSlices(func(a, b tlb.ProxyEntry) bool { return string(a.Owner.Data()) < string(b.Owner.Data()) }),
	}
	rapid.Check(t, func(t *rapid.T) {
		want := anyRegistryState().Draw(t, "state")
		got, err := tlb.ParseRegistryState(must(want.ToCell()))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, ordered); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestRegistryStateRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*tlb.RegistryState)
		want   error
	}{
		"no owner":          {func(s *tlb.RegistryState) { s.Owner = nil }, tlb.ErrAddress},
		"owner elsewhere":   {func(s *tlb.RegistryState) { s.Owner = masterAddr }, tlb.ErrWorkchain},
		"transfer to none":  {func(s *tlb.RegistryState) { s.Transfer.To = nil }, tlb.ErrAddress},
		"no change":         {func(s *tlb.RegistryState) { s.Changes[0].Change = nil }, tlb.ErrField},
		"no roles":          {func(s *tlb.RegistryState) { s.Images[array32(7)] = 0 }, tlb.ErrField},
		"unknown role":      {func(s *tlb.RegistryState) { s.Images[array32(7)] = 4 }, tlb.ErrField},
		"misplaced model":   {func(s *tlb.RegistryState) { s.Models[array32(7)] = "tiny" }, tlb.ErrField},
		"empty model":       {func(s *tlb.RegistryState) { s.Models[tlb.ModelHash("")] = "" }, tlb.ErrField},
		"long model":        {func(s *tlb.RegistryState) { n := strings.Repeat("x", 128); s.Models[tlb.ModelHash(n)] = n }, tlb.ErrField},
		"proxy of nobody":   {func(s *tlb.RegistryState) { s.Proxies[0].Owner = nil }, tlb.ErrAddress},
		"proxy elsewhere":   {func(s *tlb.RegistryState) { s.Proxies[0].Owner = masterAddr }, tlb.ErrWorkchain},
		"no payout":         {func(s *tlb.RegistryState) { s.Proxies[0].Payout = nil }, tlb.ErrAddress},
		"long peer id":      {func(s *tlb.RegistryState) { s.Proxies[0].PeerID = make([]byte, 65) }, tlb.ErrField},
		"long addresses":    {func(s *tlb.RegistryState) { s.Proxies[0].Addrs = []string{strings.Repeat("x", 509)} }, tlb.ErrField},
		"stake too small":   {func(s *tlb.RegistryState) { s.Params.MinStake = tlb.MinProxyStake - 1 }, tlb.ErrField},
		"stake of overflow": {func(s *tlb.RegistryState) { s.Params.MinStake = tlb.MaxNano + 1 }, tlb.ErrOverflow},
		"long timelock":     {func(s *tlb.RegistryState) { s.Params.Timelock = tlb.MaxTimelock + 1 }, tlb.ErrField},
		"long unbonding":    {func(s *tlb.RegistryState) { s.Params.Unbonding = tlb.MaxUnbonding + 1 }, tlb.ErrField},
		"crossed delays":    {func(s *tlb.RegistryState) { s.Params.MinCloseDelay = s.Params.MaxCloseDelay + 1 }, tlb.ErrField},
	} {
		s := testRegistryState()
		test.change(&s)
		if c, err := s.ToCell(); !errors.Is(err, test.want) || c != nil {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}

	good := must(testRegistryState().ToCell())
	policy := 3 // after transfer, changes and proxies
	for name, test := range map[string]struct {
		cell *cell.Cell
		want error
	}{
		"nil":              {nil, tlb.ErrNoCell},
		"empty":            {cell.BeginCell().EndCell(), tlb.ErrShort},
		"special":          {libraryCell(t), tlb.ErrSpecialCell},
		"special inside":   {replaceRef(good, policy, libraryCell(t)), tlb.ErrSpecialCell},
		"trailing bit":     {good.ToBuilder().MustStoreUInt(0, 1).EndCell(), tlb.ErrTrailing},
		"no dictionary":    {replaceRef(good, 1, cell.BeginCell().EndCell()), tlb.ErrKey},
		"other dictionary": {replaceRef(good, 1, must(good.PeekRef(2))), nil},
		"empty policy":     {replaceRef(good, policy, cell.BeginCell().EndCell()), tlb.ErrShort},
		"endless":          {replaceRef(good, 2, doubling(256)), tlb.ErrTooLarge},
		"other label":      {replaceRef(good, 1, longLabel(t)), tlb.ErrNotCanonical},
	} {
		got, err := tlb.ParseRegistryState(test.cell)
		if err == nil || test.want != nil && !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		if diff := cmp.Diff(tlb.RegistryState{}, got, sameAddress); diff != "" {
			t.Errorf("%s: a value with an error:\n%s", name, diff)
		}
	}
}

// doubling is a tree of n cells that is a dictionary of 2^(n−1) entries, if one walks it as such.
func doubling(n int) *cell.Cell {
	c := cell.BeginCell().MustStoreUInt(0, 2).MustStoreRef(cell.BeginCell().EndCell()).EndCell()
	for range n - 1 {
		c = cell.BeginCell().MustStoreUInt(0, 2).MustStoreRef(c).MustStoreRef(c).EndCell()
	}
	return c
}

// longLabel is a dictionary of one change whose label is written the long way though another is shorter.
func longLabel(t *testing.T) *cell.Cell {
	t.Helper()
	change := must(tlb.AllowPlatform{Platform: array32(1)}.ToCell())
	d := cell.NewDict(32)
	value := cell.BeginCell().MustStoreUInt(8, 32).MustStoreRef(change).EndCell()
	if err := d.SetIntKey(big.NewInt(0), value); err != nil {
		t.Fatal(err)
	}
	// hml_same$11 v:Bit n:(#<= 32) is what the canonical form has for 32 zeros; hml_long$10 says the same.
	long := cell.BeginCell().MustStoreUInt(0b10, 2).MustStoreUInt(32, 6).MustStoreUInt(0, 32).MustStoreBuilder(value.ToBuilder()).EndCell()
	if long.HashKey() == d.AsCell().HashKey() {
		t.Fatal("the label is canonical")
	}
	return long
}

func TestRegistryChangeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyChange().Draw(t, "change")
		got, err := tlb.ParseRegistryChange(must(want.ToCell()))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
	for name, test := range map[string]struct {
		cell *cell.Cell
		want error
	}{
		"nil":          {nil, tlb.ErrNoCell},
		"empty":        {cell.BeginCell().EndCell(), tlb.ErrShort},
		"unknown":      {cell.BeginCell().MustStoreUInt(0, 8).EndCell(), tlb.ErrTag},
		"no roles":     {cell.BeginCell().MustStoreUInt(1, 8).MustStoreSlice(make([]byte, 33), 264).EndCell(), tlb.ErrField},
		"short":        {cell.BeginCell().MustStoreUInt(1, 8).EndCell(), tlb.ErrShort},
		"trailing bit": {must(tlb.AllowPlatform{}.ToCell()).ToBuilder().MustStoreUInt(0, 1).EndCell(), tlb.ErrTrailing},
		"empty model":  {cell.BeginCell().MustStoreUInt(2, 8).MustStoreRef(cell.BeginCell().EndCell()).EndCell(), tlb.ErrField},
		"long model":   {cell.BeginCell().MustStoreUInt(2, 8).MustStoreRef(chainText(127, 1)).EndCell(), tlb.ErrField},
		"model of bit": {cell.BeginCell().MustStoreUInt(2, 8).MustStoreRef(cell.BeginCell().MustStoreUInt(1, 9).EndCell()).EndCell(), tlb.ErrTrailing},
		"params":       {cell.BeginCell().MustStoreUInt(4, 8).MustStoreRef(cell.BeginCell().EndCell()).EndCell(), tlb.ErrShort},
	} {
		if got, err := tlb.ParseRegistryChange(test.cell); !errors.Is(err, test.want) || got != nil {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

// chainText is a text in cells of the given lengths.
func chainText(lengths ...int) (c *cell.Cell) {
	for i := len(lengths) - 1; i >= 0; i-- {
		b := cell.BeginCell().MustStoreSlice(make([]byte, lengths[i]), uint(8*lengths[i]))
		if c != nil {
			b.MustStoreRef(c)
		}
		c = b.EndCell()
	}
	return c
}

func TestProxyEntryRefuses(t *testing.T) {
	good := must(testRegistryState().Proxies[0].ToCell())
	contact := func(peer int, addrs *cell.Cell) *cell.Cell {
		c := cell.BeginCell().MustStoreSlice(make([]byte, peer), uint(8*peer)).MustStoreRef(addrs).EndCell()
		return replaceRef(good, 0, c)
	}
	for name, test := range map[string]struct {
		cell *cell.Cell
		want error
	}{
		"nil":             {nil, tlb.ErrNoCell},
		"empty":           {cell.BeginCell().EndCell(), tlb.ErrShort},
		"trailing bit":    {good.ToBuilder().MustStoreUInt(0, 1).EndCell(), tlb.ErrTrailing},
		"no contact":      {replaceRef(good, 0, cell.BeginCell().EndCell()), tlb.ErrShort},
		"no peer id":      {contact(0, chainText(1)), tlb.ErrField},
		"long peer id":    {contact(65, chainText(1)), tlb.ErrField},
		"no addresses":    {contact(1, chainText(0)), tlb.ErrField},
		"long addresses":  {contact(1, chainText(127, 127, 127, 127, 1)), tlb.ErrField},
		"cell not full":   {contact(1, chainText(126, 1)), tlb.ErrTrailing},
		"last cell empty": {contact(1, chainText(127, 0)), tlb.ErrField},
		"special cell":    {contact(1, libraryCell(t)), tlb.ErrSpecialCell},
	} {
		got, err := tlb.ParseProxyEntry(payerAddr, test.cell)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		if diff := cmp.Diff(tlb.ProxyEntry{}, got, sameAddress); diff != "" {
			t.Errorf("%s: a value with an error:\n%s", name, diff)
		}
	}
}

func TestRolesString(t *testing.T) {
	if got, want := fmt.Sprint(tlb.RoleProxy, tlb.RoleWorker, tlb.RoleProxy|tlb.RoleWorker, tlb.Roles(9)), "proxy worker proxy+worker roles(9)"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func FuzzParseRegistryState(f *testing.F) {
	fuzzTree(f, tlb.ParseRegistryState, testRegistryState(), tlb.RegistryState{Owner: payerAddr, Params: testParams()})
}

func FuzzParseRegistryChange(f *testing.F) {
	fuzzTree[tlb.RegistryChange](f, tlb.ParseRegistryChange, tlb.AllowImage{Roles: 1}, tlb.AllowModel{Name: "m"}, tlb.AllowPlatform{}, tlb.SetParams{Params: testParams()})
}

func FuzzParseProxyEntry(f *testing.F) {
	fuzzTree(f, func(c *cell.Cell) (tlb.ProxyEntry, error) { return tlb.ParseProxyEntry(payerAddr, c) }, testRegistryState().Proxies...)
}

func FuzzParseRegistryParams(f *testing.F) {
	fuzzTree(f, tlb.ParseRegistryParams, testParams())
}
