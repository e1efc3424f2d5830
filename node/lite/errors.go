package lite

import (
	"errors"
	"fmt"
)

// Faults of a server's answer. Each gets the server dropped, see [DroppedError].
var (
	// ErrAnswer says that an answer is malformed, or about something else than asked.
	ErrAnswer = errors.New("answer is malformed or not to the question")
	// ErrForgedCell says that a cell lies about its level, or that a Merkle cell
	// does not hash to what it claims.
	ErrForgedCell = errors.New("forged cell")
	// ErrPruned says that a proof leaves out what it has to show.
	ErrPruned = errors.New("proof leaves out what it should show")
	// ErrProof says that a proof leads somewhere else than claimed.
	ErrProof = errors.New("proof does not hold")
	// ErrAbsence says that an account is said not to exist, without proof.
	ErrAbsence = errors.New("absence of the account is not proven")
	// ErrState says that an account's state is withheld, incomplete or not the one proven.
	ErrState = errors.New("account state is not the proven one")
	// ErrSignatures says that the validators did not sign a block.
	ErrSignatures = errors.New("block is not signed by the validators")
	// ErrFork says that two blocks of the same height are both signed.
	ErrFork = errors.New("another block of the same height is known")
	// ErrHistory says that transactions are not the ones that their account names.
	ErrHistory = errors.New("transactions are not the account's history")
	// ErrNetwork says that a block is of another network than Options.Global.
	ErrNetwork = errors.New("block is of another TON network")
	// ErrPanic says that reading an answer met a fault of ours or of a library.
	ErrPanic = errors.New("answer made its reader panic")
)

// Faults that are nobody's lie.
var (
	// ErrNoServer says that no server could be reached, or is left.
	ErrNoServer = errors.New("no liteserver answers")
	// ErrTrust says that no key block could be found to trust on first use.
	ErrTrust = errors.New("no key block to trust")
	// ErrKeyBlock says that a text does not name a key block.
	ErrKeyBlock = errors.New("not a key block's name")
	// ErrTimeout says that a server did not answer in time, or did not finish a call
	// in its time. What it proved until then is kept: the next call goes on from there.
	ErrTimeout = errors.New("liteserver did not answer in time")
	// ErrBehind says that a server has not reached a block that was seen elsewhere.
	ErrBehind = errors.New("liteserver is behind")
	// ErrRefused says that the servers did not take a message.
	ErrRefused = errors.New("message was refused")
	// ErrNotActive says that an account has no code to run.
	ErrNotActive = errors.New("account is not active")
	// ErrAddress says that an address is not of a kind that holds an account.
	ErrAddress = errors.New("not the address of an account")
	// ErrAmount says that an account holds more than there can be.
	ErrAmount = errors.New("balance is out of range")
	// ErrServer says that a [Server]'s address or key is malformed, or that there is none.
	ErrServer = errors.New("malformed liteserver")
	// ErrClosed says that the client was closed.
	ErrClosed = errors.New("client is closed")
)

// lies are the errors that get a server dropped.
var lies = []error{
	ErrAnswer, ErrForgedCell, ErrPruned, ErrProof, ErrAbsence, ErrState, ErrSignatures, ErrFork, ErrHistory, ErrNetwork, ErrPanic,
}

func isLie(err error) bool {
	for _, lie := range lies {
		if errors.Is(err, lie) {
			return true
		}
	}
	return false
}

// DroppedError says why a server is not asked any more for a while.
type DroppedError struct {
	Addr   string
	Reason error
}

func (e *DroppedError) Error() string {
	return fmt.Sprintf("liteserver %s dropped: %v", e.Addr, e.Reason)
}

func (e *DroppedError) Unwrap() error { return e.Reason }

// RefusalError is a server's own error, passed on. It may be the truth or not.
type RefusalError struct {
	Addr string
	Code int32
	Text string
}

func (e *RefusalError) Error() string {
	return fmt.Sprintf("liteserver %s: error %d: %q", e.Addr, e.Code, e.Text)
}
