package kit

import (
	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// Account is an account with a name.
type Account struct {
	Address *address.Address
	Name    string
	// Init is the StateInit to deploy it with, if it came from
	// [World.Contract] or [World.Deploy].
	Init *cell.Cell

	world *World
}

// addressed is what matchers take for an account.
type addressed interface{ where() *address.Address }

func (a *Account) where() *address.Address { return a.Address }

// State is the account as it is now.
func (a *Account) State() tlb.Account {
	a.world.t.Helper()
	state, err := a.world.chain.Account(a.world.t.Context(), tlb.Block{}, a.Address)
	if err != nil {
		a.world.t.Fatalf("kit: account %s: %v", a.Name, err)
	}
	return state
}

// Balance is what the account has now.
func (a *Account) Balance() tlb.Nano {
	a.world.t.Helper()
	return a.State().Balance
}

// Contract names the contract that code and data make, and does not deploy it:
// for a deployment that takes more than [World.Deploy] does, put its Init into
// a [Message].
func (w *World) Contract(name string, code, data *cell.Cell) *Account {
	w.t.Helper()
	init, err := tontlb.ToCell(&tontlb.StateInit{Code: code, Data: data})
	if err != nil {
		w.t.Fatalf("kit: state init of %s: %v", name, err)
		return nil
	}
	a := w.Name(address.NewAddress(0, 0, init.Hash()), name)
	a.Init = init
	return a
}

// Deploy deploys a contract to the basechain, by a message from the giver with
// an empty body. It fails the test unless the contract takes that.
func (w *World) Deploy(name string, code, data *cell.Cell, value tlb.Nano) *Account {
	w.t.Helper()
	a := w.Contract(name, code, data)
	result := w.SendAs(sandbox.Giver(), Message{To: a.Address, Value: value, Init: a.Init})
	if result != nil && !result.All[0].Success() {
		w.t.Fatalf("kit: %s does not take its deployment\n%s", name, result.Explain())
	}
	return a
}
