package tlb

import (
	"fmt"
	"time"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Block names one masterchain block. Its zero value means "the newest" where a function takes a
// block to read at.
type Block struct {
	Seqno    uint32
	RootHash [32]byte
	FileHash [32]byte
	Time     time.Time
	LT       uint64 // logical time at the end of the block
}

// AccountStatus is the state an account is in. Its zero value is [AccountAbsent].
type AccountStatus uint8

// The four states of an account.
const (
	AccountAbsent AccountStatus = iota // proven not to exist
	AccountUninit                      // has coins, no code
	AccountActive
	AccountFrozen
)

var accountStatusNames = [...]string{"absent", "uninit", "active", "frozen"}

func (s AccountStatus) String() string {
	if int(s) < len(accountStatusNames) {
		return accountStatusNames[s]
	}
	return fmt.Sprintf("AccountStatus(%d)", uint8(s))
}

// Account is the state of an account at some block. Code and Data are set only when it is active.
type Account struct {
	Address  *address.Address
	Status   AccountStatus
	Balance  Nano
	Code     *cell.Cell
	Data     *cell.Cell
	LastLT   uint64   // logical time of the newest transaction, zero if there is none
	LastHash [32]byte // and its hash
}

// Tx is one transaction of an account. PrevLT and PrevHash lead to the one before it.
type Tx struct {
	Account  *address.Address
	LT       uint64
	Hash     [32]byte
	PrevLT   uint64
	PrevHash [32]byte
	Time     time.Time
	Root     *cell.Cell // the whole transaction; its hash is Hash
}
