package sandbox

// Shrink lowers the bounds on what waits and on what one call may seal.
func (c *Chain) Shrink(pool, cascade int) { c.maxPool, c.maxCascade = pool, cascade }
