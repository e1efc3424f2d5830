package explore_test

import (
	"crypto/sha256"
	"os"
	"testing"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/abi"
	"github.com/tussah-network/tussah/sandbox/explore"
	"github.com/tussah-network/tussah/tlb"
)

// code is what a file of testdata was compiled to, with Tolk 1.3.0.
func code(t testing.TB, name string) *cell.Cell {
	t.Helper()
	boc, err := os.ReadFile("testdata/" + name + ".boc")
	if err != nil {
		t.Fatal(err)
	}
	c, err := cell.FromBOC(boc)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// named is the address of an account in the tests.
func named(name string) *address.Address {
	h := sha256.Sum256([]byte(name))
	return address.NewAddress(0, 0, h[:])
}

// quiet takes what it gets; rejecting throws.
var (
	quiet     = cell.BeginCell().EndCell()
	rejecting = cell.BeginCell().MustStoreUInt(0xf2c000|111, 24).EndCell() // 111 THROW
)

// world is a scenario's contracts.
type world struct {
	t        testing.TB
	genesis  []sandbox.GenesisAccount
	accounts []explore.Account
}

func (w *world) add(name string, code, data *cell.Cell, names explore.Names) *address.Address {
	a := named(name)
	w.genesis = append(w.genesis, sandbox.GenesisAccount{Address: a, Balance: 10 * tlb.TON, Code: code, Data: data})
	w.accounts = append(w.accounts, explore.Account{Address: a, Name: name, Contract: names})
	return a
}

// relays is a chain of contracts that pass a message on, the last to an
// address: it arrives that much later in logical time.
func (w *world) relays(n int, to *address.Address) (first, last *address.Address) {
	relay := code(w.t, "relay")
	for i := n; i > 0; i-- {
		to = w.add("relay "+string(rune('0'+i)), relay, cell.BeginCell().MustStoreAddr(to).EndCell(), nil)
		if last == nil {
			last = to
		}
	}
	return to, last
}

func (w *world) run(t explore.TB, o explore.Options, scenario func(*explore.T, *sandbox.Chain)) explore.Result {
	o.Chain.Genesis, o.Accounts = w.genesis, w.accounts
	for _, name := range []string{"owner", "attacker", "seller", "alice"} {
		o.Accounts = append(o.Accounts, explore.Account{Address: named(name), Name: name})
	}
	return explore.Run(t, o, scenario)
}

// message describes one kind of message.
func message(name string, op uint32, fields ...abi.Field) abi.Message {
	return abi.Message{Body: &abi.Struct{Name: name, Prefix: abi.Op(op), Fields: fields}}
}

func field(name string, t abi.Type) abi.Field { return abi.Field{Name: name, Type: t} }

func body(t interface{ Fatal(...any) }, c abi.Contract, name string, values abi.Values) *cell.Cell {
	b, err := c.Encode(name, values)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func data(of abi.Type, values abi.Values) *cell.Cell {
	c, err := abi.Pack(of, values)
	if err != nil {
		panic(err)
	}
	return c
}

func storage(fields ...abi.Field) *abi.Struct { return &abi.Struct{Name: "Storage", Fields: fields} }

// post hands over messages that are then under way together.
func together(t *explore.T, chain *sandbox.Chain, messages ...sandbox.Internal) {
	err := explore.Together(chain, func() error {
		for _, m := range messages {
			if err := chain.Post(t.Context(), m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func coinsFrom(t *explore.T, chain *sandbox.Chain, a *address.Address, method string, i int) tlb.Nano {
	r, err := chain.RunGet(t.Context(), a, method)
	if err != nil {
		t.Fatal(err)
	}
	n, err := r.Stack.Uint64(i)
	if err != nil {
		t.Fatal(err)
	}
	return tlb.Nano(n)
}

func addressFrom(t *explore.T, chain *sandbox.Chain, a *address.Address, method string) *address.Address {
	r, err := chain.RunGet(t.Context(), a, method)
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.Stack.Address(0)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// race is one of the known ways in which the order of messages breaks
// contracts.
type race struct {
	name string
	run  func(t testing.TB, fixed bool, to explore.TB, o explore.Options) explore.Result
}

var races = []race{
	{"double spend on bounce", doubleSpend},
	{"man in the middle", manInTheMiddle},
	{"stale get, then send", staleGet},
	{"lost refund", lostRefund},
	{"nft out of order", outOfOrder},
}

var walletABI = abi.Contract{
	Incoming: []abi.Message{message("Pay", 0x101, field("to", abi.Address), field("amount", abi.Coins))},
	Outgoing: []abi.Message{message("Credit", 0x102, field("amount", abi.Coins))},
	Errors:   []abi.ThrownError{{Code: 101, Name: "NotEnough"}},
}

func doubleSpend(t testing.TB, fixed bool, to explore.TB, o explore.Options) explore.Result {
	w := &world{t: t}
	wallet := w.add("wallet", code(t, "wallet"), data(storage(field("fixed", abi.Bool), field("balance", abi.Coins), field("last", abi.Coins)),
		abi.Values{"fixed": fixed, "balance": 100, "last": 0}), walletABI)
	refusing := w.add("refusing", rejecting, nil, walletABI)
	taking := w.add("taking", quiet, nil, walletABI)
	relay, _ := w.relays(3, wallet)
	return w.run(to, o, func(t *explore.T, chain *sandbox.Chain) {
		together(t, chain,
			sandbox.Internal{From: named("owner"), To: wallet, Amount: tlb.TON, Body: body(t, walletABI, "Pay", abi.Values{"to": refusing, "amount": 10})},
			sandbox.Internal{From: named("owner"), To: relay, Amount: tlb.TON, Body: body(t, walletABI, "Pay", abi.Values{"to": taking, "amount": 50})})
		if got := coinsFrom(t, chain, wallet, "balance", 0); got != 50 {
			t.Errorf("50 of 100 were spent, and %d are left", uint64(got))
		}
	})
}

var poolABI = abi.Contract{Incoming: []abi.Message{
	message("Swap", 0x201), message("Ask", 0x202, field("who", abi.Address)), message("Price", 0x203, field("who", abi.Address)),
}}

func manInTheMiddle(t testing.TB, fixed bool, to explore.TB, o explore.Options) explore.Result {
	w := &world{t: t}
	oracle := w.add("oracle", code(t, "oracle"), nil, poolABI)
	pool := w.add("pool", code(t, "pool"), data(storage(field("fixed", abi.Bool), field("oracle", abi.Address), field("pending", abi.Address)),
		abi.Values{"fixed": fixed, "oracle": oracle, "pending": oracle}), poolABI)
	victim := w.add("victim", quiet, nil, nil)
	attacker, _ := w.relays(3, pool)
	return w.run(to, o, func(t *explore.T, chain *sandbox.Chain) {
		swap := body(t, poolABI, "Swap", nil)
		together(t, chain,
			sandbox.Internal{From: victim, To: pool, Amount: 10 * tlb.TON, Body: swap},
			sandbox.Internal{From: named("attacker"), To: attacker, Amount: tlb.TON, Body: swap})
		account, err := chain.Account(t.Context(), tlb.Block{}, victim)
		if err != nil {
			t.Fatal(err)
		}
		if account.Balance < 19*tlb.TON {
			t.Errorf("the victim sent 10 TON of 20 and has %s", account.Balance)
		}
	})
}

var shopABI = abi.Contract{
	Incoming: []abi.Message{message("SetPrice", 0x301, field("price", abi.Coins)), message("Buy", 0x302, field("price", abi.Coins))},
	Errors:   []abi.ThrownError{{Code: 102, Name: "PriceChanged"}},
}

func staleGet(t testing.TB, fixed bool, to explore.TB, o explore.Options) explore.Result {
	w := &world{t: t}
	shop := w.add("shop", code(t, "shop"),
		data(storage(field("fixed", abi.Bool), field("price", abi.Coins), field("paid", abi.Coins), field("worth", abi.Coins)),
			abi.Values{"fixed": fixed, "price": 100, "paid": 0, "worth": 0}), shopABI)
	w.accounts = append(w.accounts, explore.Account{Address: named("buyer"), Name: "buyer"})
	return w.run(to, o, func(t *explore.T, chain *sandbox.Chain) {
		price := coinsFrom(t, chain, shop, "price", 0)
		together(t, chain,
			sandbox.Internal{From: named("buyer"), To: shop, Amount: tlb.TON, Body: body(t, shopABI, "Buy", abi.Values{"price": price})},
			sandbox.Internal{From: named("owner"), To: shop, Amount: tlb.TON, Body: body(t, shopABI, "SetPrice", abi.Values{"price": 1000})})
		if paid, worth := coinsFrom(t, chain, shop, "sale", 0), coinsFrom(t, chain, shop, "sale", 1); paid != worth {
			t.Errorf("sold for %d what cost %d", uint64(paid), uint64(worth))
		}
	})
}

var auctionABI = abi.Contract{
	Incoming: []abi.Message{message("Bid", 0x401), message("Close", 0x403)},
	Outgoing: []abi.Message{message("Refund", 0x402)},
}

func lostRefund(t testing.TB, fixed bool, to explore.TB, o explore.Options) explore.Result {
	w := &world{t: t}
	auction := w.add("auction", code(t, "auction"), data(
		storage(field("fixed", abi.Bool), field("closed", abi.Bool), field("bidder", abi.AddressOpt), field("best", abi.Coins), field("owed", abi.Coins)),
		abi.Values{"fixed": fixed, "closed": false, "bidder": nil, "best": 0, "owed": 0}), auctionABI)
	low := w.add("low", rejecting, nil, auctionABI)
	high := w.add("high", quiet, nil, auctionABI)
	relay, _ := w.relays(3, auction)
	return w.run(to, o, func(t *explore.T, chain *sandbox.Chain) {
		bid := body(t, auctionABI, "Bid", nil)
		if _, err := chain.SendInternal(t.Context(), sandbox.Internal{From: low, To: auction, Amount: tlb.TON, Body: bid}); err != nil {
			t.Fatal(err)
		}
		together(t, chain,
			sandbox.Internal{From: high, To: auction, Amount: 2 * tlb.TON, Body: bid},
			sandbox.Internal{From: named("seller"), To: relay, Amount: tlb.TON, Body: body(t, auctionABI, "Close", nil)})
		account, err := chain.Account(t.Context(), tlb.Block{}, low)
		if err != nil {
			t.Fatal(err)
		}
		refunded := account.Balance > 10*tlb.TON
		closedFirst := account.LastLT == 0 // so the higher bid was refused
		if owed := coinsFrom(t, chain, auction, "owed", 0); owed == 0 && !refunded && !closedFirst {
			t.Errorf("the refund of the lower bid came back, and is owed to nobody")
		}
	})
}

var nftABI = abi.Contract{Incoming: []abi.Message{
	message("Transfer", 0x501, field("to", abi.Address)), message("Assigned", 0x502, field("seq", abi.Uint(32))),
}}

func outOfOrder(t testing.TB, fixed bool, to explore.TB, o explore.Options) explore.Result {
	w := &world{t: t}
	registry := w.add("registry", code(t, "registry"), data(storage(field("fixed", abi.Bool), field("owner", abi.Address), field("seq", abi.Uint(32))),
		abi.Values{"fixed": fixed, "owner": named("nobody"), "seq": 0}), nftABI)
	item := w.add("item", code(t, "item"), data(storage(field("owner", abi.Address), field("seq", abi.Uint(32))),
		abi.Values{"owner": named("alice"), "seq": 0}), nftABI)
	teller := cell.BeginCell().MustStoreAddr(registry).EndCell()
	bob := w.add("bob", code(t, "relay"), teller, nftABI)
	carol := w.add("carol", code(t, "relay"), teller, nftABI)
	return w.run(to, o, func(t *explore.T, chain *sandbox.Chain) {
		give := func(who *address.Address) sandbox.Internal {
			return sandbox.Internal{From: named("alice"), To: item, Amount: tlb.TON, Body: body(t, nftABI, "Transfer", abi.Values{"to": who})}
		}
		together(t, chain, give(bob), give(carol))
		if owner, registered := addressFrom(t, chain, item, "owner"), addressFrom(t, chain, registry, "owner"); !owner.Equals(registered) {
			t.Errorf("the item is carol's (%t), the registry says bob's (%t)", owner.Equals(carol), registered.Equals(bob))
		}
	})
}
