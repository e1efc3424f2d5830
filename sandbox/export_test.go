package sandbox

// Shrink lowers the bounds on what waits, on what one call may seal, and on
// the transactions of a block.
func (c *Chain) Shrink(pool, cascade, transactions int) {
	c.maxPool, c.maxCascade, c.maxTransactions = pool, cascade, transactions
}
