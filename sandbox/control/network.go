package control

import (
	"context"
	"io"
	"time"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/tlb/get"
)

// Network is what the verbs are made of; a [sandbox.Chain] is one.
type Network interface {
	// What there is.
	Head(context.Context) (tlb.Block, error)
	Now() time.Time
	Supply() tlb.Nano
	Fault() error
	Config() *cell.Cell
	Account(context.Context, tlb.Block, *address.Address) (tlb.Account, error)
	Transactions(ctx context.Context, a *address.Address, lt uint64, hash [32]byte, limit int) ([]tlb.Tx, error)
	RunGet(ctx context.Context, a *address.Address, method string, args ...any) (get.Result, error)

	// Messages.
	Faucet(context.Context, *address.Address, tlb.Nano) error
	Send(context.Context, *cell.Cell) error
	Execute(context.Context, *cell.Cell) (*sandbox.Trace, error)
	SendInternal(context.Context, sandbox.Internal) (*sandbox.Trace, error)

	// Messages from outside that wait for a block.
	Pending() []sandbox.Pending
	Drop(hash [32]byte) error
	Delay(hash [32]byte, blocks uint32) error
	Duplicate(hash [32]byte) error

	// Changes that no message makes.
	SetBalance(context.Context, *address.Address, tlb.Nano) error
	SetCode(context.Context, *address.Address, *cell.Cell) error
	SetData(context.Context, *address.Address, *cell.Cell) error
	SetConfig(ctx context.Context, id int32, value *cell.Cell) error
	SetGlobalVersion(ctx context.Context, version uint32) error
	SetLibrary(context.Context, *cell.Cell) error
	RemoveLibrary(ctx context.Context, hash [32]byte) error

	// Blocks and their time.
	Mode() (sandbox.Mode, time.Duration)
	SetMode(sandbox.Mode, time.Duration) error
	Mine(ctx context.Context, blocks int) (tlb.Block, error)
	SetTime(context.Context, time.Time) error
	AdvanceTime(context.Context, time.Duration) error

	// The whole world.
	Snapshot() *sandbox.Snapshot
	Restore(*sandbox.Snapshot) error
	Dump(io.Writer) error
}

var _ Network = (*sandbox.Chain)(nil)
