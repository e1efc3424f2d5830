package channel_test

import (
	"context"
	"fmt"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet/channel"
)

// newReceipt is a receipt as bob writes it.
func newReceipt(req channel.Request, cost, spent tlb.Nano) tlb.SignedReceipt {
	address, err := contracts.ChannelAddress(config)
	if err != nil {
		panic(err)
	}
	r := tlb.Receipt{
		Work:      tlb.Work{Request: req, Usage: tlb.Usage{Completion: uint64(cost)}},
		WorkerKey: public(workerKey),
		Network:   network, Channel: address,
		Price: tlb.Price{Completion: 1_000_000}, Cost: cost, Spent: spent,
	}
	if r.WorkerSig, err = r.Work.Sign(workerKey); err != nil {
		panic(err)
	}
	signed, err := tlb.SignReceipt(r, bobKey)
	if err != nil {
		panic(err)
	}
	return signed
}

// One request over a channel, with both ends in one program. In a node the
// vouchers, statements and receipts travel in a session.
func Example() {
	ctx := context.Background()
	alice, err := channel.OpenPayer(newMemory(), aliceKey, config, channel.Options{Window: 100})
	if err != nil {
		panic(err)
	}
	bob, err := channel.OpenPayee(newMemory(), config, channel.Options{})
	if err != nil {
		panic(err)
	}
	onChain := opened(config, 1000, 0)
	fmt.Println(alice.UpdateDeposit(onChain), bob.UpdateDeposit(onChain))

	req := channel.Request{1}
	voucher, err := alice.Begin(ctx, req, 120, 500) // prompt 20, and one window
	fmt.Println("authorised:", uint64(voucher.Voucher.Cumulative), err)
	fmt.Println("accepted:", bob.Accept(ctx, voucher), bob.Begin(ctx, req, 120))

	ok, err := bob.Charge(ctx, req, 90)
	fmt.Println("charged 90:", ok, err)
	voucher, more, err := alice.Extend(ctx, req, 90)
	fmt.Println("authorised:", uint64(voucher.Voucher.Cumulative), more, err)
	ok, err = bob.Charge(ctx, req, 150)
	fmt.Println("charged 150 too early:", ok, err)
	fmt.Println("accepted:", bob.Accept(ctx, voucher))
	fmt.Println("charged 150:", bob.WaitAuthorised(ctx, req, 150))

	spent, err := bob.Finish(ctx, req, 150)
	fmt.Println("spent:", uint64(spent), err)
	fmt.Println("receipt:", alice.Finish(ctx, req, newReceipt(req, 150, spent)))
	// Output:
	// <nil> <nil>
	// authorised: 120 <nil>
	// accepted: <nil> <nil>
	// charged 90: true <nil>
	// authorised: 190 true <nil>
	// charged 150 too early: false <nil>
	// accepted: <nil>
	// charged 150: <nil>
	// spent: 150 <nil>
	// receipt: <nil>
}
