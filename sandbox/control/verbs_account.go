package control

import (
	"context"
	"fmt"
	"strings"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

var accountVerbs = []Verb{
	verb("account", "account", "Show an account", showAccount),
	verb("transactions", "transactions", "List transactions of an account, newest first", listTransactions),
	verb("faucet", "faucet", "Give an address coins out of the giver's stock", faucet),
	verb("setBalance", "set-balance", "Set the balance of an account; one that does not exist is made", setBalance),
	verb("setCode", "set-code", "Set the code of an account, which is active then", setCode),
	verb("setData", "set-data", "Set the data of an account, which is active then", setData),
}

// AccountParams name an account.
type AccountParams struct {
	Address Address `json:"address" doc:"of the account"`
}

// Account is an account as the newest block has it.
type Account struct {
	Address  Address `json:"address"`
	Status   string  `json:"status"` // absent, uninit, active, frozen
	Balance  Amount  `json:"balance"`
	LastLT   uint64  `json:"last_lt,string"`
	LastHash Hash    `json:"last_hash,omitzero"`
	CodeHash Hash    `json:"code_hash,omitzero"`
	DataHash Hash    `json:"data_hash,omitzero"`
	Code     Cell    `json:"code,omitzero"`
	Data     Cell    `json:"data,omitzero"`
}

func newAccount(a tlb.Account) Account {
	out := Account{
		Address: Address{a.Address}, Status: a.Status.String(), Balance: Amount(a.Balance), LastLT: a.LastLT, LastHash: a.LastHash,
		Code: Cell{a.Code}, Data: Cell{a.Data},
	}
	out.CodeHash, out.DataHash = hashOf(a.Code), hashOf(a.Data)
	return out
}

func hashOf(c *cell.Cell) Hash {
	if c == nil {
		return Hash{}
	}
	return Hash(c.HashKey())
}

func (a Account) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "address  %s\nraw      %s\nstatus   %s\nbalance  %s", a.Address, a.Address.StringRaw(), a.Status, a.Balance)
	if !a.CodeHash.IsZero() {
		fmt.Fprintf(&b, "\ncode     %s", a.CodeHash)
	}
	if !a.DataHash.IsZero() {
		fmt.Fprintf(&b, "\ndata     %s", a.DataHash)
	}
	if a.LastLT != 0 {
		fmt.Fprintf(&b, "\nlast     lt %d, %s", a.LastLT, a.LastHash)
	}
	return b.String()
}

func (w *world) account(ctx context.Context, a Address) (Account, error) {
	found, err := w.Account(ctx, tlb.Block{}, a.Address)
	if err != nil {
		return Account{}, err
	}
	return newAccount(found), nil
}

func showAccount(ctx context.Context, w *world, p AccountParams) (Account, error) {
	return w.account(ctx, p.Address)
}

// FaucetParams say who gets how much.
type FaucetParams struct {
	Address Address `json:"address" doc:"who receives"`
	Amount  Amount  `json:"amount" doc:"such as \"1.5 TON\""`
	Wait    bool    `json:"wait,omitzero" doc:"wait until it has arrived, if blocks are not made at once" cli:"flag"`
}

// Changed is an account after a change.
type Changed struct {
	// Waits: the change is for the next block, so the account is as before.
	Waits   bool    `json:"waits,omitzero"`
	Account Account `json:"account"`
}

func (c Changed) String() string {
	if c.Waits {
		return c.Account.String() + "\nwaits for the next block"
	}
	return c.Account.String()
}

func faucet(ctx context.Context, w *world, p FaucetParams) (Changed, error) {
	done, err := w.deliver(ctx, p.Wait, func(ctx context.Context) (*sandbox.Trace, error) {
		return nil, w.Faucet(ctx, p.Address.Address, tlb.Nano(p.Amount))
	})
	if err != nil {
		return Changed{}, err
	}
	account, err := w.account(ctx, p.Address)
	return Changed{Waits: done.Waits, Account: account}, err
}

// BalanceParams are an account's new balance.
type BalanceParams struct {
	Address Address `json:"address" doc:"of the account"`
	Balance Amount  `json:"balance" doc:"such as \"1.5 TON\""`
}

func setBalance(ctx context.Context, w *world, p BalanceParams) (Changed, error) {
	return w.change(ctx, p.Address, w.SetBalance(ctx, p.Address.Address, tlb.Nano(p.Balance)))
}

// CodeParams are an account's new code.
type CodeParams struct {
	Address Address `json:"address" doc:"of the account"`
	Code    Cell    `json:"code" doc:"BoC of the code"`
}

func setCode(ctx context.Context, w *world, p CodeParams) (Changed, error) {
	return w.change(ctx, p.Address, w.SetCode(ctx, p.Address.Address, p.Code.Cell))
}

// DataParams are an account's new data.
type DataParams struct {
	Address Address `json:"address" doc:"of the account"`
	Data    Cell    `json:"data" doc:"BoC of the data"`
}

func setData(ctx context.Context, w *world, p DataParams) (Changed, error) {
	return w.change(ctx, p.Address, w.SetData(ctx, p.Address.Address, p.Data.Cell))
}

// change returns an account after a change that ended with err.
func (w *world) change(ctx context.Context, a Address, err error) (Changed, error) {
	if err != nil {
		return Changed{}, err
	}
	account, err := w.account(ctx, a)
	mode, _ := w.Mode()
	return Changed{Waits: mode != sandbox.Instant, Account: account}, err
}
