package contracts_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/tlb/get"
)

// registry is one registry, owned by alice.
type registry struct {
	*network
	addr   *address.Address
	params tlb.RegistryParams
}

var (
	proxyImage  = [32]byte{1}
	workerImage = [32]byte{2}
	day         = 24 * time.Hour
)

func (n *network) deployRegistry(change ...func(*tlb.RegistryParams)) *registry {
	n.Helper()
	r := &registry{network: n, params: tlb.RegistryParams{
		Network: n.global, MinStake: 10 * tlb.TON, Unbonding: 7 * 86400, Timelock: 2 * 86400,
		MinCloseDelay: 6 * 3600, MaxCloseDelay: 72 * 3600, ChannelCode: contracts.ChannelCode().HashKey(),
	}}
	for _, f := range change {
		f(&r.params)
	}
	images := map[[32]byte]tlb.Roles{proxyImage: tlb.RoleProxy, workerImage: tlb.RoleWorker}
	m := must(contracts.DeployRegistry(alice, r.params, images, "tiny-chat"))
	r.addr = must(contracts.RegistryAddress(alice, r.params, images, "tiny-chat"))
	if !m.To.Equals(r.addr) {
		n.Fatalf("deployed at %v, want %v", m.To, r.addr)
	}
	n.try("deploy", 0, carol, m)
	return r
}

func (r *registry) state() tlb.RegistryState {
	r.Helper()
	s, err := contracts.ParseRegistry(r.network.account(r.addr))
	if err != nil {
		r.Fatalf("%v", err)
	}
	return s
}

func (r *registry) view() contracts.RegistryView {
	return contracts.ViewRegistry(r.network.account(r.addr), r.Now())
}

// announce announces a change and returns its id.
func (r *registry) announce(change tlb.RegistryChange) uint32 {
	r.Helper()
	id := r.state().NextChange
	r.try("announce", 0, alice, must(contracts.Announce(r.addr, change)))
	return id
}

// enact announces a change, waits and executes it.
func (r *registry) enact(change tlb.RegistryChange) {
	r.Helper()
	id := r.announce(change)
	r.advance(time.Duration(r.state().Params.Timelock) * time.Second)
	r.try("execute", 0, alice, contracts.Execute(r.addr, id))
}

var entry = tlb.ProxyEntry{Payout: bob, PeerID: bytes.Repeat([]byte{0x12}, 38), Addrs: []string{"/ip4/127.0.0.1/tcp/4001", "/ip4/127.0.0.1/udp/4001/quic-v1"}}

func TestRegistryGenesis(t *testing.T) {
	n := newNetwork(t, sandbox.Options{})
	r := n.deployRegistry()
	s := r.state()
	want := tlb.RegistryState{
		Owner: alice, Params: r.params,
		Images: map[[32]byte]tlb.Roles{proxyImage: tlb.RoleProxy, workerImage: tlb.RoleWorker},
		Models: map[[32]byte]string{tlb.ModelHash("tiny-chat"): "tiny-chat"}, Platforms: map[[32]byte]bool{},
	}
	if diff := cmp.Diff(want, s, cmp.Comparer((*address.Address).Equals)); diff != "" {
		t.Errorf("genesis:\n%s", diff)
	}
	if got := n.balance(r.addr); got != contracts.RegistryReserve-n.Fees() && got < contracts.RegistryReserve-tlb.TON/100 {
		t.Errorf("registry holds %v", got)
	}
	v := r.view()
	if got := must(v.Version()); got != 0 {
		t.Errorf("version %d", got)
	}
	if got := must(v.Owner()); !got.Equals(alice) {
		t.Errorf("owner %v", got)
	}
	if got := must(v.Params()); got != r.params {
		t.Errorf("params %+v, want %+v", got, r.params)
	}
	before := n.balance(r.addr)
	n.try("gift", 0, carol, contracts.FundRegistry(r.addr, tlb.TON))
	if got := n.balance(r.addr) - before; got < tlb.TON-tlb.TON/1000 {
		t.Errorf("a gift of %v raised the balance by %v", tlb.TON, got)
	}
}

// Every kind of change, from announcement to effect, and what the storage and the get methods say.
func TestRegistryChanges(t *testing.T) {
	n := newNetwork(t, sandbox.Options{})
	r := n.deployRegistry()
	image, platform := [32]byte{9}, [32]byte{8}

	id := r.announce(tlb.AllowImage{Image: image, Roles: tlb.RoleProxy | tlb.RoleWorker})
	pending, ok, err := r.view().Change(id)
	if err != nil || !ok || pending.ReadyAt != r.unix()+r.params.Timelock {
		t.Errorf("announced change is %+v, %t, %v", pending, ok, err)
	}
	if diff := cmp.Diff(r.state().Changes, []tlb.PendingChange{pending}); diff != "" {
		t.Errorf("storage and get method differ:\n%s", diff)
	}
	n.try("execute at once", contracts.ExitTimelocked, alice, contracts.Execute(r.addr, id))
	n.advance(2*day - time.Second)
	n.try("execute a second too early", contracts.ExitTimelocked, alice, contracts.Execute(r.addr, id))
	if got := must(r.view().Image(image)); got != 0 {
		t.Errorf("image has roles %d before the change is executed", got)
	}
	n.advance(time.Second)
	n.try("execute", 0, alice, contracts.Execute(r.addr, id))
	n.try("execute twice", contracts.ExitNotFound, alice, contracts.Execute(r.addr, id))
	if got := must(r.view().Image(image)); got != tlb.RoleProxy|tlb.RoleWorker || r.state().Images[image] != got {
		t.Errorf("image has roles %d", got)
	}
	r.enact(tlb.AllowImage{Image: image, Roles: tlb.RoleWorker})
	if got := must(r.view().Image(image)); got != tlb.RoleWorker {
		t.Errorf("image has roles %d after they were narrowed", got)
	}

	for _, name := range []string{"m", strings.Repeat("long", 31) + "xyz"} {
		r.enact(tlb.AllowModel{Name: name})
		if !must(r.view().Model(name)) || r.state().Models[tlb.ModelHash(name)] != name {
			t.Errorf("model %q is not allowed", name)
		}
	}
	r.enact(tlb.AllowPlatform{Platform: platform})
	if allowed, known, err := r.view().Platform(platform); err != nil || !allowed || !known || !r.state().Platforms[platform] {
		t.Errorf("platform: allowed %t, known %t, %v", allowed, known, err)
	}
	params := r.params
	params.Timelock, params.MinStake = 0, tlb.MinProxyStake
	r.enact(tlb.SetParams{Params: params})
	if got := r.state().Params; got != params || must(r.view().Params()) != params {
		t.Errorf("params %+v", got)
	}
	// Without a timelock a change still takes two messages.
	r.enact(tlb.AllowImage{Image: [32]byte{10}, Roles: tlb.RoleProxy})

	// Revocation is at once.
	for _, revoke := range []struct {
		kind tlb.RevokeKind
		key  [32]byte
	}{{tlb.RevokeImage, image}, {tlb.RevokeModel, tlb.ModelHash("m")}, {tlb.RevokePlatform, platform}, {tlb.RevokePlatform, [32]byte{77}}} {
		n.try("revoke", 0, alice, must(contracts.Revoke(r.addr, revoke.kind, revoke.key)))
	}
	s := r.state()
	_, hasImage := s.Images[image]
	_, hasModel := s.Models[tlb.ModelHash("m")]
	allowed, known := s.Platforms[platform]
	denied, knownToo := s.Platforms[[32]byte{77}]
	if hasImage || hasModel || allowed || !known || denied || !knownToo {
		t.Errorf("after revocation: image %t, model %t, platforms %v", hasImage, hasModel, s.Platforms)
	}
	if allowed, known, err := r.view().Platform(platform); err != nil || allowed || !known {
		t.Errorf("platform: allowed %t, known %t, %v", allowed, known, err)
	}
	if _, known, err := r.view().Platform([32]byte{99}); err != nil || known {
		t.Errorf("unknown platform: known %t, %v", known, err)
	}
	if must(r.view().Model("m")) || must(r.view().Image(image)) != 0 {
		t.Error("get methods still allow what was revoked")
	}

	// Cancelling.
	id = r.announce(tlb.AllowModel{Name: "never"})
	n.try("cancel", 0, alice, contracts.Cancel(r.addr, id))
	n.try("execute what was cancelled", contracts.ExitNotFound, alice, contracts.Execute(r.addr, id))
	if _, ok, err := r.view().Change(id); ok || err != nil {
		t.Errorf("cancelled change: %t, %v", ok, err)
	}
	// Announced: 7 + 1, executed: 7, revoked: 4, cancelled: 1.
	if got := must(r.view().Version()); got != 20 || r.state().Version != got {
		t.Errorf("version %d, %d in storage", got, r.state().Version)
	}
	n.checkConserved()
}

func TestRegistryRefusesTheOwner(t *testing.T) {
	n := newNetwork(t, sandbox.Options{})
	r := n.deployRegistry()
	announce := func(name string, want contracts.Exit, change *cell.Cell) {
		t.Helper()
		body := cell.BeginCell().MustStoreUInt(tlb.OpRegistryAnnounce, 32).MustStoreUInt(0, 64).MustStoreRef(change).EndCell()
		n.try(name, want, alice, raw(r.addr, contracts.RegistryOwnerGas, body))
	}
	b := cell.BeginCell
	image := func(roles uint64) *cell.Cell {
		return b().MustStoreUInt(1, 8).MustStoreSlice(make([]byte, 32), 256).MustStoreUInt(roles, 8).EndCell()
	}
	model := func(text *cell.Cell) *cell.Cell { return b().MustStoreUInt(2, 8).MustStoreRef(text).EndCell() }
	library := must(cell.FromBOC(libraryCell(t)))

	announce("no roles", contracts.ExitBadChange, image(0))
	announce("unknown role", contracts.ExitBadChange, image(4))
	announce("unknown change", contracts.ExitBadChange, b().MustStoreUInt(5, 8).EndCell())
	announce("exotic change", contracts.ExitBadChange, library)
	announce("change with more", contracts.Exit(get.ExitCellUnderflow), image(1).ToBuilder().MustStoreUInt(0, 1).EndCell())
	announce("empty change", contracts.ExitBadChange, b().EndCell())
	announce("empty model", contracts.ExitBadText, model(b().EndCell()))
	announce("model of four bits", contracts.ExitBadText, model(b().MustStoreUInt(1, 4).EndCell()))
	announce("model of two cells", contracts.ExitBadText, model(b().MustStoreSlice(make([]byte, 127), 1016).MustStoreRef(b().MustStoreUInt(1, 8).EndCell()).EndCell()))
	announce("exotic model", contracts.ExitBadText, model(library))
	for name, bad := range map[string]func(*tlb.RegistryParams){
		"other network":   func(p *tlb.RegistryParams) { p.Network++ },
		"stake too small": func(p *tlb.RegistryParams) { p.MinStake = tlb.MinProxyStake - 1 },
		"long timelock":   func(p *tlb.RegistryParams) { p.Timelock = tlb.MaxTimelock + 1 },
		"long unbonding":  func(p *tlb.RegistryParams) { p.Unbonding = tlb.MaxUnbonding + 1 },
		"crossed delays":  func(p *tlb.RegistryParams) { p.MinCloseDelay = p.MaxCloseDelay + 1 },
	} {
		p := r.params
		bad(&p)
		c := b().MustStoreUInt(uint64(uint32(p.Network)), 32).MustStoreUInt(uint64(p.MinStake), 64).MustStoreUInt(uint64(p.Unbonding), 32).
			MustStoreUInt(uint64(p.Timelock), 32).MustStoreUInt(uint64(p.MinCloseDelay), 32).MustStoreUInt(uint64(p.MaxCloseDelay), 32).
			MustStoreSlice(p.ChannelCode[:], 256).EndCell()
		announce(name, contracts.ExitBadParams, b().MustStoreUInt(4, 8).MustStoreRef(c).EndCell())
		if _, err := p.ToCell(); err == nil && name != "other network" {
			t.Errorf("%s: tlb encodes what the contract refuses", name)
		}
	}
	announce("exotic params", contracts.ExitBadChange, b().MustStoreUInt(4, 8).MustStoreRef(library).EndCell())

	n.try("revoke an unknown image", contracts.ExitNotFound, alice, must(contracts.Revoke(r.addr, tlb.RevokeImage, [32]byte{99})))
	n.try("revoke an unknown model", contracts.ExitNotFound, alice, must(contracts.Revoke(r.addr, tlb.RevokeModel, [32]byte{99})))
	unknown := b().MustStoreUInt(tlb.OpRegistryRevoke, 32).MustStoreUInt(0, 64).MustStoreUInt(4, 8).MustStoreSlice(make([]byte, 32), 256).EndCell()
	n.try("revoke an unknown kind", contracts.ExitBadChange, alice, raw(r.addr, tlb.TON, unknown))
	n.try("cancel nothing", contracts.ExitNotFound, alice, contracts.Cancel(r.addr, 0))
	n.try("execute nothing", contracts.ExitNotFound, alice, contracts.Execute(r.addr, 0))
	master := b().MustStoreUInt(tlb.OpRegistryTransferOwner, 32).MustStoreUInt(0, 64).MustStoreAddr(address.NewAddress(0, 255, make([]byte, 32))).EndCell()
	n.try("transfer to the masterchain", contracts.ExitForeignWorkchain, alice, raw(r.addr, tlb.TON, master))
	n.try("unknown op", contracts.ExitUnknownOp, alice, raw(r.addr, tlb.TON, b().MustStoreUInt(1, 32).EndCell()))

	id := r.announce(tlb.AllowModel{Name: "m"})
	for _, m := range []contracts.Message{
		must(contracts.Announce(r.addr, tlb.AllowModel{Name: "m"})), contracts.Execute(r.addr, id), contracts.Cancel(r.addr, id),
		must(contracts.Revoke(r.addr, tlb.RevokeImage, proxyImage)), must(contracts.TransferOwner(r.addr, carol)),
	} {
		for _, stranger := range []*address.Address{bob, carol, r.addr} {
			n.try("a stranger plays the owner", contracts.ExitNotOwner, stranger, m)
		}
		m.Amount = 20_000_000
		n.try("too little value", contracts.ExitValueTooLow, alice, m)
	}
	n.try("accept what nobody offered", contracts.ExitNotNextOwner, carol, contracts.AcceptOwner(r.addr))
	n.checkConserved()
}

// libraryCell is an exotic cell that a reader outside the TVM could not resolve.
func libraryCell(t *testing.T) []byte {
	t.Helper()
	// One cell: descriptors 08 42 (exotic, 33 bytes), then type 2 and a hash.
	boc := append([]byte{0xb5, 0xee, 0x9c, 0x72, 0x01, 0x01, 0x01, 0x01, 0x00, 0x23, 0x00, 0x08, 0x42, 0x02}, make([]byte, 32)...)
	if c, err := cell.FromBOC(boc); err != nil || !c.IsSpecial() {
		t.Fatalf("library cell: %v", err)
	}
	return boc
}

func TestRegistryHandOver(t *testing.T) {
	n := newNetwork(t, sandbox.Options{})
	r := n.deployRegistry()
	n.try("offer to bob", 0, alice, must(contracts.TransferOwner(r.addr, bob)))
	n.try("bob accepts at once", contracts.ExitTimelocked, bob, contracts.AcceptOwner(r.addr))
	n.advance(2*day - time.Second)
	n.try("bob accepts a second too early", contracts.ExitTimelocked, bob, contracts.AcceptOwner(r.addr))
	n.try("the offer goes to carol instead", 0, alice, must(contracts.TransferOwner(r.addr, carol)))
	n.advance(2 * day)
	n.try("bob accepts", contracts.ExitNotNextOwner, bob, contracts.AcceptOwner(r.addr))
	n.try("alice accepts for carol", contracts.ExitNotNextOwner, alice, contracts.AcceptOwner(r.addr))
	if s := r.state(); s.Transfer == nil || !s.Transfer.To.Equals(carol) || s.Transfer.ReadyAt != r.unix() {
		t.Errorf("transfer %+v", s.Transfer)
	}
	low := contracts.AcceptOwner(r.addr)
	low.Amount = 20_000_000
	n.try("too little value", contracts.ExitValueTooLow, carol, low)
	n.try("carol accepts", 0, carol, contracts.AcceptOwner(r.addr))
	n.try("alice is out", contracts.ExitNotOwner, alice, must(contracts.TransferOwner(r.addr, alice)))
	n.try("carol offers", 0, carol, must(contracts.TransferOwner(r.addr, alice)))
	n.try("carol thinks again", 0, carol, must(contracts.TransferOwner(r.addr, nil)))
	n.advance(2 * day)
	n.try("alice accepts", contracts.ExitNotNextOwner, alice, contracts.AcceptOwner(r.addr))
	if s := r.state(); !s.Owner.Equals(carol) || s.Transfer != nil {
		t.Errorf("owner %v, transfer %+v", s.Owner, s.Transfer)
	}
}

// A proxy's life in the registry: register, update, add to the stake, unregister, get the stake back.
func TestRegistryProxy(t *testing.T) {
	n := newNetwork(t, sandbox.Options{})
	r := n.deployRegistry()
	before := n.balance(r.addr)
	n.try("register", 0, carol, must(contracts.RegisterProxy(r.addr, entry, 10*tlb.TON)))
	if got := n.balance(r.addr) - before; got != 10*tlb.TON {
		t.Errorf("registry kept %v of a stake of %v", got, 10*tlb.TON)
	}
	want := entry
	want.Owner, want.Stake, want.RegisteredAt = carol, 10*tlb.TON, n.unix()
	check := func() {
		t.Helper()
		got, ok, err := r.view().Proxy(carol)
		if err != nil || !ok {
			t.Fatalf("proxy: %t, %v", ok, err)
		}
		for _, got := range []tlb.ProxyEntry{got, r.state().Proxies[0]} {
			if diff := cmp.Diff(want, got, cmp.Comparer((*address.Address).Equals)); diff != "" {
				t.Errorf("entry:\n%s", diff)
			}
		}
	}
	check()

	n.advance(day)
	update := tlb.ProxyEntry{Payout: alice, PeerID: []byte{1}, Addrs: []string{strings.Repeat("a", tlb.MaxAddrs)}}
	n.try("update", 0, carol, must(contracts.RegisterProxy(r.addr, update, 0)))
	want.Payout, want.PeerID, want.Addrs = update.Payout, update.PeerID, update.Addrs
	check()
	n.try("more stake", 0, carol, must(contracts.RegisterProxy(r.addr, update, tlb.TON)))
	want.Stake += tlb.TON
	check()

	n.try("withdraw while registered", contracts.ExitNotUnbonding, carol, contracts.WithdrawStake(r.addr))
	n.try("unregister", 0, carol, contracts.Unregister(r.addr))
	want.UnbondingAt = n.unix() + r.params.Unbonding
	check()
	if want.Active() || !entry.Active() {
		t.Error("Active is wrong")
	}
	n.try("unregister twice", contracts.ExitUnbonding, carol, contracts.Unregister(r.addr))
	n.try("register while unbonding", contracts.ExitUnbonding, carol, must(contracts.RegisterProxy(r.addr, entry, 10*tlb.TON)))
	n.advance(7*day - time.Second)
	n.try("withdraw a second too early", contracts.ExitTimelocked, carol, contracts.WithdrawStake(r.addr))
	n.advance(time.Second)
	trace := n.try("withdraw", 0, carol, contracts.WithdrawStake(r.addr))
	// Eight days of 6000 bits and 8 cells, at 1 and 500 per 65536 seconds.
	rent := tlb.Nano((8*86400*(6000+8*500) + 65535) / 65536)
	if got, _ := value(trace, carol, tlb.OpExcesses); got != 11*tlb.TON-rent {
		t.Errorf("carol got %v back, want %v less %v of rent", got, 11*tlb.TON, rent)
	}
	n.try("withdraw twice", contracts.ExitNotFound, carol, contracts.WithdrawStake(r.addr))
	n.try("unregister nothing", contracts.ExitNotFound, carol, contracts.Unregister(r.addr))
	if _, ok, err := r.view().Proxy(carol); ok || err != nil {
		t.Errorf("proxy is still there: %v", err)
	}
	n.checkConserved()
}

func TestRegistryRefusesProxies(t *testing.T) {
	n := newNetwork(t, sandbox.Options{})
	r := n.deployRegistry()
	register := func(name string, want contracts.Exit, stake tlb.Nano, payout *address.Address, contact *cell.Cell) {
		t.Helper()
		body := cell.BeginCell().MustStoreUInt(tlb.OpRegistryRegisterProxy, 32).MustStoreUInt(0, 64).MustStoreCoins(uint64(stake)).
			MustStoreAddr(payout).MustStoreRef(contact).EndCell()
		n.try(name, want, carol, raw(r.addr, 10*tlb.TON+contracts.RegistryProxyGas, body))
	}
	b := cell.BeginCell
	text := func(n int) *cell.Cell { return b().MustStoreSlice(make([]byte, n), uint(8*n)).EndCell() }
	chain := func(lengths ...int) (c *cell.Cell) {
		for i := len(lengths) - 1; i >= 0; i-- {
			next := text(lengths[i])
			if c != nil {
				next = next.ToBuilder().MustStoreRef(c).EndCell()
			}
			c = next
		}
		return c
	}
	contact := func(peer int, addrs *cell.Cell) *cell.Cell {
		return text(peer).ToBuilder().MustStoreRef(addrs).EndCell()
	}
	library := must(cell.FromBOC(libraryCell(t)))
	stake := 10 * tlb.TON

	register("stake too small", contracts.ExitStakeTooSmall, stake-1, bob, contact(38, text(1)))
	register("stake above the value", contracts.ExitValueTooLow, stake+1_000_000_000, bob, contact(38, text(1)))
	register("payout in the masterchain", contracts.ExitForeignWorkchain, stake, address.NewAddress(0, 255, make([]byte, 32)), contact(38, text(1)))
	for name, c := range map[string]*cell.Cell{
		"no peer id":          contact(0, text(1)),
		"long peer id":        contact(tlb.MaxPeerID+1, text(1)),
		"no addresses":        text(38),
		"empty addresses":     contact(38, text(0)),
		"two lists":           contact(38, text(1)).ToBuilder().MustStoreRef(text(1)).EndCell(),
		"five cells":          contact(38, chain(127, 127, 127, 127, 1)),
		"cell not full":       contact(38, chain(126, 1)),
		"last cell empty":     contact(38, chain(127, 0)),
		"half bytes":          contact(38, b().MustStoreUInt(1, 4).EndCell()),
		"too long for bytes":  contact(38, b().MustStoreSlice(make([]byte, 128), 1023).EndCell()),
		"text with two tails": contact(38, chain(127, 1).ToBuilder().MustStoreRef(text(1)).EndCell()),
		"exotic contact":      library,
		"exotic addresses":    contact(38, library),
		"exotic tail":         contact(38, text(127).ToBuilder().MustStoreRef(library).EndCell()),
	} {
		register(name, contracts.ExitBadText, stake, bob, c)
	}
	for name, c := range map[string]*cell.Cell{
		"shortest": contact(1, text(1)), "longest": contact(tlb.MaxPeerID, chain(127, 127, 127, 127)), "one full cell": contact(38, text(127)),
	} {
		register(name, 0, stake, bob, c)
		r.state() // and it can be read
	}
	foreign := must(contracts.RegisterProxy(r.addr, entry, stake))
	n.try("proxy of the masterchain", contracts.ExitForeignWorkchain, address.NewAddress(0, 255, make([]byte, 32)), foreign)
	n.checkConserved()
}

// With many entries, and keys chosen to make the dictionary deep, an operation stays far below the gas
// limit and within what the contract reserves for it.
func TestRegistryIsBoundedInGas(t *testing.T) {
	n := newNetwork(t, sandbox.Options{})
	r := n.deployRegistry(func(p *tlb.RegistryParams) { p.MinStake = tlb.MinProxyStake })
	var worst uint64
	for i := range 96 {
		var id [32]byte
		if i < 64 {
			id[i/8] = 0x80 >> (i % 8) // shares i zero bits with the all-zero key
		} else {
			id = [32]byte(account(fmt.Sprint("owner ", i)).Data())
		}
		trace := n.try("register", 0, address.NewAddress(0, 0, id[:]), must(contracts.RegisterProxy(r.addr, entry, tlb.TON)))
		worst = max(worst, trace.Gas)
	}
	deepest := address.NewAddress(0, 0, make([]byte, 32))
	for _, m := range []contracts.Message{must(contracts.RegisterProxy(r.addr, entry, tlb.TON)), contracts.Unregister(r.addr)} {
		worst = max(worst, n.try("deepest", 0, deepest, m).Gas)
	}
	n.advance(7 * day)
	worst = max(worst, n.try("deepest", 0, deepest, contracts.WithdrawStake(r.addr)).Gas)
	t.Logf("96 proxies, one 64 levels deep: at most %d gas", worst)
	if worst > 60_000 {
		t.Errorf("%d gas, the contract reserves 60000", worst)
	}
}

func TestParseRegistry(t *testing.T) {
	n := newNetwork(t, sandbox.Options{})
	r := n.deployRegistry()
	acc := n.account(r.addr)
	for name, acc := range map[string]tlb.Account{
		"absent account": n.account(carol),
		"other code":     n.account(sandbox.Giver()),
		"other data":     {Address: acc.Address, Status: acc.Status, Code: acc.Code, Data: acc.Code},
	} {
		if _, err := contracts.ParseRegistry(acc); !errors.Is(err, contracts.ErrNotRegistry) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := contracts.ViewRegistry(n.account(sandbox.Giver()), n.Now()).Version(); !errors.Is(err, contracts.ErrNotRegistry) {
		t.Errorf("view of another contract: %v", err)
	}
}
