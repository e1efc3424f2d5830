package attest

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sync"
	"time"
)

// cacheSize bounds a cache: a few hundred bytes each.
const cacheSize = 4096

// Cache remembers accepted appraisals, so that the same evidence seen again costs
// a look at its form and binding instead of a checklist. The zero Cache is ready;
// it is safe for concurrent use.
//
// One Cache serves one policy: hooks are functions and cannot be told apart, so
// all calls between two values of Epoch must bring hooks that answer alike.
type Cache struct {
	mu struct {
		sync.Mutex
		clock   uint64
		entries map[cacheKey]*cacheEntry
	}
}

// cacheKey is all that an appraisal depends on, but for time and hooks.
type cacheKey struct {
	tee                      TEE
	identity, events, inputs [32]byte
	eventsLater, simulated   bool
	epoch                    uint64
	evaluation               uint32
	ttl                      time.Duration
}

type cacheEntry struct {
	used      uint64
	appraisal Appraisal
}

// Appraise is [Verifier.Appraise]. Form and binding are always looked at; an
// appraisal is reused only within its time, under the same epoch and with the
// verifier's same inputs. Refusals are not remembered.
func (c *Cache) Appraise(v Verifier, e Evidence, reportData [64]byte, p Policy, now time.Time) (Appraisal, error) {
	identity, err := v.Identify(e, reportData)
	if err != nil {
		return Appraisal{}, err
	}
	// Inputs are read before the checklist runs: if they change meanwhile, the
	// result is filed under those that are no more, and never found.
	key := cacheKey{v.TEE(), identity, hashEvents(e.Events), v.Inputs(), p.EventsLater, p.AllowSimulated, p.Epoch, p.MinEvaluation, p.TTL}
	if a, ok := c.find(key, now); ok {
		a.Events = e.Events
		return a, nil
	}
	a, err := v.Appraise(e, reportData, p, now)
	if err != nil {
		return Appraisal{}, err
	}
	c.keep(key, a)
	return a, nil
}

func (c *Cache) find(key cacheKey, now time.Time) (Appraisal, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	entry := c.mu.entries[key]
	if entry == nil {
		return Appraisal{}, false
	}
	if a := entry.appraisal; now.Before(a.Issued) || !now.Before(a.Expiry) {
		delete(c.mu.entries, key)
		return Appraisal{}, false
	}
	c.mu.clock++
	entry.used = c.mu.clock
	return detached(entry.appraisal), true
}

// keep takes the place of the entry that was not used for the longest time, if
// there are too many.
func (c *Cache) keep(key cacheKey, a Appraisal) {
	a = detached(a)
	a.Events = nil // the caller has them
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.entries == nil {
		c.mu.entries = map[cacheKey]*cacheEntry{}
	}
	if len(c.mu.entries) >= cacheSize {
		var oldest cacheKey
		least := ^uint64(0)
		for k, entry := range c.mu.entries {
			if entry.used < least {
				oldest, least = k, entry.used
			}
		}
		delete(c.mu.entries, oldest)
	}
	c.mu.clock++
	c.mu.entries[key] = &cacheEntry{c.mu.clock, a}
}

// detached shares nothing that a caller could alter.
func detached(a Appraisal) Appraisal {
	a.TCB.Advisories = slices.Clone(a.TCB.Advisories)
	a.GPUs.Devices = slices.Clone(a.GPUs.Devices)
	return a
}

func hashEvents(events []Event) [32]byte {
	if events == nil {
		return [32]byte{}
	}
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(events))))
	for _, e := range events {
		digest := e.Digest()
		h.Write(digest[:])
	}
	return [32]byte(h.Sum(nil))
}
