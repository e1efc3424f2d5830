package collateral

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// sourceBundle is the source of documents that came in a bundle.
const sourceBundle = "bundle"

// Import takes over a bundle, with the same verification and the same memory of
// what was seen before as what is fetched, and returns how many sets it took. If
// one set is refused, none is taken.
func (s *Service) Import(r io.Reader) (int, error) {
	sets, err := ParseBundle(r)
	if err != nil {
		return 0, err
	}
	s.work.Lock()
	defer s.work.Unlock()
	switch {
	case !s.work.open:
		return 0, ErrClosed
	case s.o.ReadOnly:
		return 0, ErrReadOnly
	}
	now := s.o.Now()
	type taken struct {
		platform platform
		docs     set
		numbers  []mark
	}
	var all []taken
	var refused []error
	// Sets must stand beside each other, too.
	together := s.work.marks.scratch()
	for i, c := range sets {
		v, err := tdx.ParseCollateral(c, s.o.Roots, now)
		if err != nil {
			refused = append(refused, fmt.Errorf("set %d: %w: %w", i+1, ErrRefused, err))
			continue
		}
		one := taken{platform: platform{v.FMSPC(), v.CA()}}
		one.docs = documentsOf(one.platform, c, sourceBundle, now)
		if v, one.docs, err = s.judge(one.platform, one.docs); err != nil {
			refused = append(refused, fmt.Errorf("set %d: %w", i+1, err))
			continue
		}
		one.numbers = one.docs.numbers(one.platform, v)
		together.see(one.numbers)
		all = append(all, one)
	}
	for _, one := range all {
		if err := together.check(one.numbers); err != nil {
			refused = append(refused, fmt.Errorf("set of %s beside others: %w", one.platform, err))
		}
	}
	if len(refused) > 0 {
		return 0, errors.Join(refused...)
	}
	for i, one := range all {
		sub := subject{platform: one.platform}
		s.remember(sub, now)
		if err := s.adopt(one.platform, one.docs); err != nil {
			return i, err
		}
		s.fresh(sub, func(w *wish) {
			w.failures, w.checked = 0, now
			w.due = s.due(now, w)
		})
	}
	return len(all), nil
}

// Export writes all sets that are served as a bundle, for machines that reach no
// service.
func (s *Service) Export(w io.Writer) error {
	s.work.Lock()
	var sets []tdx.Collateral
	for _, p := range slices.SortedFunc(maps.Keys(s.served.Load().sets), platform.compare) {
		if docs, complete := setFrom(p, s.work.held); complete {
			sets = append(sets, docs.raw())
		}
	}
	s.work.Unlock()
	return WriteBundle(w, sets)
}
