package sandbox_test

import (
	"context"
	"fmt"

	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// A chain in memory, some coins, a message, and what came of it. In a test,
// sandbox.New(t) does the first lines.
func Example() {
	ctx := context.Background()
	chain, err := sandbox.Open(sandbox.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer chain.Close()

	alice := address.MustParseAddr("EQDtFpEwcFAEcRe5mLVh2N6C0x-_hJEM7W61_JLnSF74p4q2")
	if err := chain.Faucet(ctx, alice, 5*tlb.TON); err != nil {
		fmt.Println(err)
		return
	}
	account, err := chain.Account(ctx, tlb.Block{}, alice)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("alice has", account.Balance)

	// Nobody home: the message bounces.
	trace, err := chain.SendInternal(ctx, sandbox.Internal{From: sandbox.Giver(), To: alice, Amount: tlb.TON, Bounce: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("aborted:", trace.Aborted, "because of", trace.Skipped)
	fmt.Println("bounced back:", trace.Caused[0].Message.Value)
	fmt.Println("nothing lost:", chain.Balances()+chain.Fees() == chain.Supply())
	// Output:
	// alice has 5 TON
	// aborted: true because of no state
	// bounced back: 0.9996 TON
	// nothing lost: true
}
