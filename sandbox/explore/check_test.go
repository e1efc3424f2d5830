package explore_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"pgregory.net/rapid"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/abi"
	"github.com/tussah-network/tussah/sandbox/explore"
	"github.com/tussah-network/tussah/tlb"
)

// The bugs of testdata/bank.tolk.
const (
	noAuth = 1 << iota
	noBounce
	gasDrain
	rounding
	replay
)

var bankABI = abi.Contract{
	Name: "bank",
	Incoming: []abi.Message{
		message("Deposit", 0x601), message("Withdraw", 0x602, field("amount", abi.Coins)),
		message("SetOwner", 0x603, field("owner", abi.Address)), message("BuyPoints", 0x604, field("points", abi.Uint(16))),
		message("SellPoints", 0x605, field("points", abi.Uint(16))),
	},
	Outgoing: []abi.Message{message("Payout", 0x606, field("amount", abi.Coins))},
	Errors: []abi.ThrownError{{Code: 201, Name: "NotOwner"}, {Code: 202, Name: "Balance"}, {Code: 203, Name: "Value"},
		{Code: 204, Name: "Signature"}, {Code: 205, Name: "Seqno"}},
}

// bank is a model of the bank with some of its bugs.
func bank(t testing.TB, bugs uint8) explore.Model {
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	owner, address := named("owner"), named("bank")
	books := &abi.Struct{Name: "Books", Fields: []abi.Field{field("reserve", abi.Coins), field("deposits", abi.Coins),
		field("points", abi.Uint(64)), field("orders", abi.Uint(32)), field("people", abi.Map{Key: abi.Address, Value: abi.Coins})}}
	initial := data(storage(field("bugs", abi.Uint(8)), field("owner", abi.Address), field("key", abi.BitString(256)),
		field("seqno", abi.Uint(32)), field("more", abi.Ref{Of: books})), abi.Values{
		"bugs": bugs, "owner": owner, "key": []byte(key.Public().(ed25519.PublicKey)), "seqno": 0,
		"more": abi.Values{"reserve": 0, "deposits": 0, "points": 0, "orders": 0, "people": []abi.Entry{}},
	})
	number := func(w *explore.World, i int) uint64 {
		n, err := w.Number(address, "books", i)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return explore.Model{
		Chain: sandbox.Options{Genesis: []sandbox.GenesisAccount{
			{Address: address, Balance: tlb.TON, Code: code(t, "bank"), Data: initial},
			{Address: owner, Balance: tlb.TON, Code: quiet},
		}},
		Targets: []explore.Target{{Name: "bank", Address: address, ABI: bankABI}},
		Senders: []explore.Account{{Name: "owner", Address: owner}},
		Actions: []explore.Action{{Name: "order", Draw: func(*rapid.T) func(w *explore.World) {
			return func(w *explore.World) {
				seqno, err := w.Number(address, "seqno", 0)
				if err != nil {
					t.Fatal(err)
				}
				order := cell.BeginCell().MustStoreUInt(seqno, 32).EndCell()
				signature := ed25519.Sign(key, order.Hash())
				w.SendExternal(address, cell.BeginCell().MustStoreSlice(signature, 512).MustStoreRef(order).EndCell(), fmt.Sprintf("order %d", seqno))
			}
		}}},
		Invariants: []explore.Invariant{
			{Name: "the bank is its owner's", Holds: func(w *explore.World) error {
				r, err := w.Chain.RunGet(w.Context(), address, "owner")
				if err != nil {
					return err
				}
				got, err := r.Stack.Address(0)
				if err != nil {
					return err
				}
				for _, s := range w.Steps {
					if s.Trace != nil && s.Trace.Message.Op() == 0x603 && s.Trace.Message.From.Equals(owner) {
						return nil // gave it away
					}
				}
				if !got.Equals(owner) {
					return fmt.Errorf("it is %s's", got)
				}
				return nil
			}},
			{Name: "nobody's coins are lost", Holds: func(w *explore.World) error {
				var want uint64
				for _, s := range w.Steps {
					if s.Trace == nil {
						continue
					}
					for tx := range s.Trace.All() {
						switch m := tx.Message; {
						case m.Op() == 0x601 && m.To.Equals(address) && !tx.Aborted:
							want += uint64(m.Value) - 50_000_000
						case m.Op() == 0x606 && m.From.Equals(address) && !tx.Aborted:
							paid, err := bankABI.Decode(m.Body)
							if err != nil {
								return err
							}
							amount, _ := paid.Field("amount")
							want -= amount.(interface{ Uint64() uint64 }).Uint64()
						}
					}
				}
				if got := number(w, 0); got != want {
					return fmt.Errorf("came in and did not go out: %s, in the books: %s", tlb.Nano(want), tlb.Nano(got))
				}
				return nil
			}},
			{Name: "strangers do not use up the bank's coins", Holds: func(w *explore.World) error {
				account, err := w.Chain.Account(w.Context(), tlb.Block{}, address)
				if err != nil {
					return err
				}
				spent := tlb.Nano(len(w.Steps)) * 10_000_000 // orders of the owner, and storage
				if least := tlb.TON + tlb.Nano(number(w, 0)); account.Balance+spent < least {
					return fmt.Errorf("it has %s, not %s", account.Balance, least)
				}
				for _, s := range w.Steps {
					if s.Trace != nil && s.Trace.Message.External && s.Trace.Aborted {
						return errors.New("it paid for a message that it did not want")
					}
				}
				return nil
			}},
			{Name: "the bank can pay", Holds: func(w *explore.World) error {
				reserve, deposits, points := number(w, 0), number(w, 1), number(w, 2)
				if owed := deposits + points*3/2; owed > reserve {
					return fmt.Errorf("it owes %d and has %d", owed, reserve)
				}
				return nil
			}},
			{Name: "an order is carried out once", Holds: func(w *explore.World) error {
				given := map[string]bool{}
				for _, s := range w.Steps {
					if name, _, ok := strings.Cut(s.Text, ":"); ok && strings.Contains(name, "order ") {
						given[name] = true
					}
				}
				if done := number(w, 3); done > uint64(len(given)) {
					return fmt.Errorf("%d were given, %d carried out", len(given), done)
				}
				return nil
			}},
		},
	}
}

// TestSeededBugs: each is found by the invariant it breaks, in few steps; with
// none of them all invariants hold.
func TestSeededBugs(t *testing.T) {
	steps := regexp.MustCompile(`after (\d+) steps`)
	for _, bug := range []struct {
		name   string
		bit    uint8
		breaks string
	}{
		{"auth", noAuth, "the bank is its owner's"},
		{"bounce loss", noBounce, "nobody's coins are lost"},
		{"gas drain", gasDrain, "strangers do not use up the bank's coins"},
		{"rounding", rounding, "the bank can pay"},
		{"replay", replay, "an order is carried out once"},
	} {
		t.Run(bug.name, func(t *testing.T) {
			begun := time.Now()
			d := attempt(t, func(d explore.TB) { explore.Check(d, bank(t, bug.bit)) })
			t.Logf("in %s:\n%s", time.Since(begun), d.log.String())
			if !d.failed || !strings.Contains(d.log.String(), bug.breaks+" does not hold") {
				t.Errorf("%q was not found to be broken", bug.breaks)
			}
			if n := steps.FindStringSubmatch(d.log.String()); n != nil && len(n[1]) > 1 {
				t.Errorf("%s steps are too many", n[1])
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		m := bank(t, 0)
		m.Checks = 40
		explore.Check(t, m)
	})
}

// TestCheckAgain: the seed of a failure has that failure again, and no other.
func TestCheckAgain(t *testing.T) {
	first := attempt(t, func(d explore.TB) { explore.Check(d, bank(t, noAuth)) }).log.String()
	seed := regexp.MustCompile(`TUSSAH_SEED=(\d+)`).FindStringSubmatch(first)
	if seed == nil {
		t.Fatalf("no seed in:\n%s", first)
	}
	t.Setenv("TUSSAH_SEED", seed[1])
	if again := attempt(t, func(d explore.TB) { explore.Check(d, bank(t, noAuth)) }).log.String(); again != first {
		t.Errorf("got\n%s\nwant\n%s", again, first)
	}
	t.Setenv("TUSSAH_SEED", "many")
	if d := attempt(t, func(d explore.TB) { explore.Check(d, bank(t, 0)) }); !d.failed || !strings.Contains(d.log.String(), explore.ErrNumber.Error()) {
		t.Errorf("a seed that is none: %s", d.log.String())
	}
}

// TestCheckTellsOfChain: a chain that cannot be opened fails the test as well.
func TestCheckTellsOfChain(t *testing.T) {
	twice := bank(t, 0)
	twice.Chain.Genesis = append(twice.Chain.Genesis, twice.Chain.Genesis[0])
	if d := attempt(t, func(d explore.TB) { explore.Check(d, twice) }); !d.failed || !strings.Contains(d.log.String(), sandbox.ErrDuplicate.Error()) {
		t.Errorf("got %s", d.log.String())
	}
}

// TestCheckReadable holds what is said of a failure against what it should be.
func TestCheckReadable(t *testing.T) {
	m := bank(t, rounding)
	m.Seed = 1
	got := attempt(t, func(d explore.TB) { explore.Check(d, m) }).log.String()
	const file = "testdata/check.golden"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got, or run with -update:\n%s", diff)
	}
}

// BenchmarkCheck says how many steps a second there are.
func BenchmarkCheck(b *testing.B) {
	m := bank(b, 0)
	m.Checks, m.Seed = 10, 1
	for b.Loop() {
		explore.Check(b, m)
	}
}
