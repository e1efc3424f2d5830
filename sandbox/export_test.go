package sandbox

// Shrink lowers the bounds on what waits, on what one call may seal, and on
// the transactions of a block.
func (c *Chain) Shrink(pool, cascade, transactions int) {
	c.maxPool, c.maxCascade, c.maxTransactions = pool, cascade, transactions
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
