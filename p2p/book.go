package p2p

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	// maxCandidates bounds each source of a book.
	maxCandidates = 10_000
	// candidateTTL is how long a candidate is kept that was added and not seen again.
	candidateTTL = 10 * time.Minute
)

// Book holds the candidates of all sources. What one source says never displaces
// what another said.
type Book struct {
	mu struct {
		sync.Mutex
		sources map[Source]map[peer.ID]entry
	}
}

type entry struct {
	candidate Candidate
	expires   time.Time // zero: as long as its source says so
}

// NewBook makes an empty book.
func NewBook() *Book {
	b := &Book{}
	b.mu.sources = make(map[Source]map[peer.ID]entry)
	return b
}

// Replace sets all that a source knows, as after reading the registry. Beyond the
// bound of 10,000 candidates it takes the first.
func (b *Book) Replace(source Source, candidates []Candidate) {
	all := make(map[peer.ID]entry)
	for _, c := range candidates[:min(len(candidates), maxCandidates)] {
		c.Source = source
		all[c.ID] = entry{candidate: c}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.sources[source] = all
}

// Add adds a candidate of a source that finds them one by one, or renews it. It is
// forgotten after ten minutes. A full source takes no new ones until then.
func (b *Book) Add(c Candidate) (added bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	source := b.mu.sources[c.Source]
	if source == nil {
		source = make(map[peer.ID]entry)
		b.mu.sources[c.Source] = source
	}
	if _, known := source[c.ID]; !known && len(source) >= maxCandidates {
		maps.DeleteFunc(source, func(_ peer.ID, e entry) bool { return e.expired(now) })
		if len(source) >= maxCandidates {
			return false
		}
	}
	source[c.ID] = entry{candidate: c, expires: now.Add(candidateTTL)}
	return true
}

// Candidates lists what is known now, ordered by source and id. A peer that two
// sources know is there twice.
func (b *Book) Candidates() []Candidate {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	var out []Candidate
	for _, source := range slices.Sorted(maps.Keys(b.mu.sources)) {
		entries := b.mu.sources[source]
		for _, id := range slices.Sorted(maps.Keys(entries)) {
			if e := entries[id]; !e.expired(now) {
				out = append(out, e.candidate)
			}
		}
	}
	return out
}

// Find returns the candidates with an id.
func (b *Book) Find(id peer.ID) []Candidate {
	return slices.DeleteFunc(b.Candidates(), func(c Candidate) bool { return c.ID != id })
}

func (e entry) expired(now time.Time) bool { return !e.expires.IsZero() && now.After(e.expires) }
