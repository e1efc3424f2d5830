package sandbox

import (
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/tlb/get"
)

var (
	// ErrNotAccepted: the contract did not accept an external message. The
	// error is a [NotAcceptedError], which has the exit code.
	ErrNotAccepted = errors.New("external message not accepted")
	// ErrMessage: bytes that are no message, or one that cannot be sent in.
	ErrMessage = errors.New("not a message the network takes")
	// ErrNoWorkchain: the address is in a workchain this network does not have.
	ErrNoWorkchain = errors.New("no such workchain")
	// ErrNotFound: no such block or transaction.
	ErrNotFound = errors.New("not found")
	// ErrNotActive: the account has no code to run.
	ErrNotActive = errors.New("account is not active")
	// ErrExecutor: the executor broke down at a message. A message between
	// accounts then goes on as if its receiver had no gas; see [Trace.Fault].
	ErrExecutor = errors.New("executor broke down")
	// ErrDestroys comes with ErrExecutor: an action list that the executor would
	// get wrong, and that was not made by the instructions for it.
	ErrDestroys = errors.New("it destroys the account, though an action failed")
	// ErrDuplicate: the genesis lists an account twice.
	ErrDuplicate = errors.New("account is listed twice")
	// ErrPoolFull: more than [MaxPool] messages wait for a block.
	ErrPoolFull = errors.New("too many messages wait for a block")
	// ErrStateGone: the state after that block is no longer in memory; the
	// sandbox keeps the last [StatesKept] of each chain.
	ErrStateGone = errors.New("state of that block is no longer kept")
	// ErrConfig: the configuration cannot be what is asked for.
	ErrConfig = errors.New("no valid configuration")
	// ErrTimeBack: time does not go back.
	ErrTimeBack = errors.New("time does not go back")
	// ErrTimeFar: a block cannot have that time.
	ErrTimeFar = errors.New("time is beyond what a block can have")
	// ErrTree: a tree of cells that cannot be part of a state.
	ErrTree = errors.New("cells cannot be part of a state")
	// ErrDropped: the message was taken out of the pool by [Chain.Drop].
	ErrDropped = errors.New("message was dropped")
	// ErrRestored: what was waited for happened, or not, on a branch that
	// [Chain.Restore] left.
	ErrRestored = errors.New("chain was restored to a snapshot")
	// ErrForeign: the snapshot is of another chain.
	ErrForeign = errors.New("snapshot of another chain")
	// ErrUnsettled: messages are under way.
	ErrUnsettled = errors.New("messages are under way")
	// ErrDump: what should be a dumped world is none.
	ErrDump = errors.New("no dump of a sandbox")
	// ErrExists: a chain is stored there already, so no dump can be loaded.
	ErrExists = errors.New("there is a chain already; load a dump into an empty folder")
	// ErrEndless: in instant mode, the messages set off by one call did not
	// come to rest within [MaxCascadeBlocks] blocks. They stay queued.
	ErrEndless = errors.New("message cascade did not come to rest")
	// ErrOrder: [Options.Order] chose a message that was not among the choices.
	ErrOrder = errors.New("no such message to choose")
	// ErrClosed: the chain was closed.
	ErrClosed = errors.New("chain is closed")
	// ErrCorrupt: the stored chain does not add up.
	ErrCorrupt = errors.New("stored chain is corrupt")
	// ErrVersion: the folder was written by a program that stores in another way.
	ErrVersion = errors.New("stored chain has another format")
	// ErrNetwork: the folder holds a chain with another global id.
	ErrNetwork = errors.New("stored chain has another global id")
)

// NotAcceptedError says how a contract refused an external message.
type NotAcceptedError struct {
	Account *address.Address
	Exit    get.Exit
	// Reason is set when the contract did not run at all: "no state",
	// "bad state", "no gas" or what the transaction executor objected to.
	Reason string
	// Execution repeats the attempt; nil if it did not get that far.
	Execution *Execution
}

func (e *NotAcceptedError) Error() string {
	if e.Reason != "" {
		return fmt.Sprintf("%v by %s: %s", ErrNotAccepted, e.Account, e.Reason)
	}
	return fmt.Sprintf("%v by %s: %s", ErrNotAccepted, e.Account, e.Exit)
}

func (e *NotAcceptedError) Unwrap() error { return ErrNotAccepted }
