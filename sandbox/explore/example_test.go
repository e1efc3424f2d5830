package explore_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/explore"
	"github.com/tussah-network/tussah/tlb"
)

// example stands in for a *testing.T.
type example struct{ explore.TB }

func (example) Helper()                         {}
func (example) Name() string                    { return "TestTwo" }
func (example) Context() context.Context        { return context.Background() }
func (example) Logf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// Two messages to one contract can arrive in either order.
func ExampleRun() {
	contract := named("contract")
	accounts := []sandbox.GenesisAccount{{Address: contract, Balance: tlb.TON, Code: cell.BeginCell().EndCell()}}
	explore.Run(example{}, explore.Options{Chain: sandbox.Options{Genesis: accounts}}, func(t *explore.T, chain *sandbox.Chain) {
		err := explore.Together(chain, func() error {
			return errors.Join(
				chain.Post(t.Context(), sandbox.Internal{From: named("alice"), To: contract, Amount: tlb.TON}),
				chain.Post(t.Context(), sandbox.Internal{From: named("bob"), To: contract, Amount: 2 * tlb.TON}),
			)
		})
		if err != nil {
			t.Fatal(err)
		}
		account, err := chain.Account(t.Context(), tlb.Block{}, contract)
		if err != nil {
			t.Fatal(err)
		}
		if account.Balance < 3*tlb.TON {
			t.Errorf("the contract has %s", account.Balance)
		}
	})
	// Output: explored all orders, in 2 runs (0 of them cut short)
}
