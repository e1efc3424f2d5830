package sandbox

import (
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm"
)

// Shrink lowers the bounds on what waits, on what one call may seal, and on
// the transactions of a block.
func (c *Chain) Shrink(pool, cascade, transactions int) {
	c.maxPool, c.maxCascade, c.maxTransactions = pool, cascade, transactions
}

// Breaking calls breaks within the executor, before a contract runs.
func (c *Chain) Breaking(breaks func(to *address.Address)) {
	c.executor = func(m *tvm.TVM, b *tvm.BlockContext, a *tvm.PreparedAccount, msg *tvm.PreparedMessage, o tvm.TransactionOptions) (*tvm.TransactionExecutionResult, error) {
		if o.Gas.Max == 0 { // else the contract is not to run
			breaks(a.Address())
		}
		return tonutils(m, b, a, msg, o)
	}
}

// Layout are the newest blocks of all shards, the masterchain's last.
func (c *Chain) Layout() (ids []BlockID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.shards() {
		ids = append(ids, s.last.id())
	}
	return ids
}
