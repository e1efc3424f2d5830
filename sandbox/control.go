package sandbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// The methods in this file change what no message can: time, pace, the
// configuration, and what waits.

// AdvanceTime moves the network's clock forward, and seals a block with the
// new time.
func (c *Chain) AdvanceTime(_ context.Context, d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("advance time by %s: %w", d, ErrTimeBack)
	}
	c.mu.Lock()
	if err := checkTime(c.now().Add(d)); err != nil {
		c.mu.Unlock()
		return err
	}
	c.skew += d
	c.mu.Unlock()
	return c.mine()
}

// checkTime refuses what a block cannot say: its time is 32 bits of seconds.
func checkTime(t time.Time) error {
	if t.Unix() > 1<<32-1 {
		return fmt.Errorf("time %s: %w", t.UTC().Format(time.RFC3339), ErrTimeFar)
	}
	return nil
}

// SetTime moves the network's clock to a later time, from where it goes on, and
// seals a block.
func (c *Chain) SetTime(_ context.Context, t time.Time) error {
	if err := checkTime(t); err != nil {
		return err
	}
	c.mu.Lock()
	if now := c.now(); t.Before(now) {
		c.mu.Unlock()
		return fmt.Errorf("set time to %s, it is %s: %w", t.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339), ErrTimeBack)
	}
	c.skew = t.Sub(c.opts.Now())
	c.mu.Unlock()
	return c.mine()
}

// SetMode changes when blocks are sealed. The interval, unless it is zero, is
// that of [Interval] mode, which needs somebody in [Chain.Run]. To pause a chain
// is to put it into [Manual] mode.
func (c *Chain) SetMode(mode Mode, interval time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	c.opts.Mode = mode
	if interval != 0 {
		c.opts.Interval = max(interval, MinInterval)
	}
	close(c.paced)
	c.paced = make(chan struct{})
	return c.settle()
}

// Mode returns when blocks are sealed, and how often in [Interval] mode.
func (c *Chain) Mode() (Mode, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.opts.Mode, c.opts.Interval
}

// SetConfig sets a parameter of the configuration, or removes it if the value
// is nil. As on any TON network that makes a key block, and what comes after it
// runs with the new configuration. Who validates, and who the network is, stays:
// parameters 0, 12, 19 and 32 to 37. So does 5: blocks burn no coins here.
func (c *Chain) SetConfig(_ context.Context, id int32, value *cell.Cell) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	if fixedParams[id] {
		return fmt.Errorf("parameter %d stays as it is in a sandbox: %w", id, ErrConfig)
	}
	if err := checkTree(value); err != nil {
		return fmt.Errorf("parameter %d: %w: %w", id, ErrConfig, err)
	}
	old := c.config
	if old.next != nil {
		old = *old.next
	}
	dict := old.root.AsDict(32)
	key := cell.BeginCell().MustStoreInt(int64(id), 32).EndCell()
	var err error
	if value == nil {
		err = dict.Delete(key)
	} else {
		err = dict.SetBuilder(key, cell.BeginCell().MustStoreRef(value))
	}
	if err != nil {
		return fmt.Errorf("parameter %d: %w: %v", id, ErrConfig, err) // callers match ErrConfig only
	}
	if err := checkParam(id, value); err != nil {
		return err
	}
	next, err := prepareSettings(dict.AsCell())
	if err != nil {
		return err
	}
	c.config.next = &next
	return c.settle()
}

// SetGlobalVersion sets the version of the network, and with it what the
// virtual machine knows; capabilities stay.
func (c *Chain) SetGlobalVersion(ctx context.Context, version uint32) error {
	c.mu.Lock()
	software := c.config.software
	if c.config.next != nil {
		software = c.config.next.software
	}
	c.mu.Unlock()
	software.Version = version
	value, err := tontlb.ToCell(software)
	if err != nil {
		return err
	}
	return c.SetConfig(ctx, 8, value)
}

// fixedParams would make it another network, one whose signatures nobody
// believes, or one that burns coins.
var fixedParams = map[int32]bool{0: true, 5: true, 12: true, 19: true, 32: true, 33: true, 34: true, 35: true, 36: true, 37: true}

// checkParam refuses a value the executor would stumble over.
func checkParam(id int32, value *cell.Cell) error {
	into, needed := map[int32]any{
		20: new(tontlb.ConfigGasLimitsPrices), 21: new(tontlb.ConfigGasLimitsPrices),
		24: new(tontlb.ConfigMsgForwardPrices), 25: new(tontlb.ConfigMsgForwardPrices), 28: new(tontlb.CatchainConfigV2),
	}[id]
	if !needed {
		return nil
	}
	if value == nil {
		return fmt.Errorf("%w: parameter %d is needed", ErrConfig, id)
	}
	if err := tontlb.Parse(into, value); err != nil {
		return fmt.Errorf("%w: parameter %d: %v", ErrConfig, id, err) // as in SetConfig
	}
	return nil
}

// Pending is a message that waits for a block: an external one, or one that is
// impersonated.
type Pending struct {
	Hash      [32]byte
	From      *address.Address // nil: an external message
	To        *address.Address
	Message   *cell.Cell
	NotBefore uint32 // the first master block it may be in, 0: the next
}

// Pending returns the messages that wait, in order.
func (c *Chain) Pending() []Pending {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []Pending
	for _, p := range c.pool {
		waits := Pending{Hash: p.prepared.Cell().HashKey(), To: p.to.address(), Message: p.prepared.Cell(), NotBefore: p.notBefore}
		if p.impersonated != nil {
			waits.From = p.impersonated.from.address()
		}
		out = append(out, waits)
	}
	return out
}

// Fault is the newest [ErrExecutor] since the chain was opened, of a message
// whose receiver should have run and did not; nil: there was none.
func (c *Chain) Fault() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fault
}

// Drop takes a waiting message out of the pool, as a network may that forgets
// one. Whoever waits for it gets [ErrDropped].
func (c *Chain) Drop(hash [32]byte) error {
	return c.inPool(hash, func(i int) {
		p := c.pool[i]
		c.pool = slices.Delete(slices.Clone(c.pool), i, i+1)
		p.flight.fail(ErrDropped)
	})
}

// Delay makes a waiting message wait for this many more blocks.
func (c *Chain) Delay(hash [32]byte, blocks uint32) error {
	return c.inPool(hash, func(i int) {
		late := *c.pool[i]
		late.notBefore = c.master.front.seqno + 1 + blocks
		c.pool = slices.Clone(c.pool)
		c.pool[i] = &late
	})
}

// Duplicate makes a waiting external message come twice. A block takes each
// message only once, so the second is in a later one. No network delivers an
// internal message twice.
func (c *Chain) Duplicate(hash [32]byte) error {
	var refused error
	err := c.inPool(hash, func(i int) {
		switch {
		case c.pool[i].impersonated != nil:
			refused = fmt.Errorf("duplicate an internal message: %w", ErrMessage)
			return
		case len(c.pool) >= c.maxPool:
			refused = ErrPoolFull
			return
		}
		twin := *c.pool[i]
		twin.flight = newFlight()
		c.pool = slices.Insert(slices.Clone(c.pool), i+1, &twin)
	})
	return errors.Join(err, refused)
}

func (c *Chain) inPool(hash [32]byte, do func(i int)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.pool, func(p *inbound) bool { return p.prepared.Cell().HashKey() == hash })
	if i < 0 {
		return fmt.Errorf("message %x does not wait: %w", hash, ErrNotFound)
	}
	do(i)
	return nil
}
