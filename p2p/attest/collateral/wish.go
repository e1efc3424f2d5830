package collateral

import (
	"fmt"
	"strings"
	"time"

	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// Check verifies a document of a kind that this package does not know how to
// verify. It is called before anything is kept, again after every start, and may
// be called from another goroutine.
type Check func(body []byte) error

// subject is something that is kept fresh: a set about a platform, or a document.
// One of both fields is set.
type subject struct {
	platform platform
	name     Name
}

func (s subject) isSet() bool { return s.name == Name{} }

func (s subject) String() string {
	if s.isSet() {
		return s.platform.String()
	}
	return s.name.String()
}

// wish is that somebody wants a subject, and what became of it.
type wish struct {
	check    Check
	asked    time.Time // last, by anybody
	due      time.Time // next attempt
	fetched  time.Time // what is served; zero if nothing is
	expires  time.Time // likewise; also zero if it has no such date
	checked  time.Time // when there was last nothing newer
	failures int       // since the last success
	err      error     // of the last attempt
}

// served records that a set is served. Its age is that of its oldest document.
func (w *wish) served(docs set, v *tdx.Verified) {
	w.fetched, w.expires = docs[0].fetched, v.Expires()
	for _, d := range docs[1:] {
		if d.fetched.Before(w.fetched) {
			w.fetched = d.fetched
		}
	}
	w.checked, w.err = w.fetched, nil
}

// Want puts the collateral about a platform on the list of what [Service.Run]
// fetches and keeps fresh, and returns at once.
//
// Errors: [ErrName] for a CA there is not, [ErrBusy] if new platforms come too
// fast, [ErrFull] if there are too many.
func (s *Service) Want(fmspc [6]byte, ca tdx.CA) error {
	if ca != tdx.PlatformCA && ca != tdx.ProcessorCA {
		return fmt.Errorf("%w: %s", ErrName, ca)
	}
	return s.want(subject{platform: platform{fmspc, ca}}, nil)
}

// WantDocument is [Service.Want] for a document of a kind that other packages
// verify. The last check that is given is the one that is used.
func (s *Service) WantDocument(n Name, check Check) error {
	if n == (Name{}) || ofSet(n.kind) || check == nil {
		return fmt.Errorf("%w: %s is not kept by itself", ErrName, n)
	}
	return s.want(subject{name: n}, check)
}

// ofSet tells kinds that are verified together here.
func ofSet(k Kind) bool {
	return k == KindTCBInfo || k == KindQEIdentity || k == KindPCKCRL || k == KindRootCRL
}

func (s *Service) want(sub subject, check Check) error {
	now := s.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.mu.wishes[sub]; w != nil {
		w.asked = now
		if check != nil {
			w.check = check
		}
		return nil
	}
	if filled := int(now.Sub(s.mu.filled) / perWish); filled > 0 {
		s.mu.budget = min(burst, s.mu.budget+filled)
		s.mu.filled = now
	}
	if s.mu.budget == 0 {
		return ErrBusy
	}
	if !s.makeRoom(sub) {
		return ErrFull
	}
	s.mu.budget--
	s.mu.wishes[sub] = &wish{check: check, asked: now, due: now}
	select {
	case s.poke <- struct{}{}:
	default:
	}
	return nil
}

// makeRoom tells whether another subject of this kind may be kept. It gives up
// the one that never came and was asked for least recently.
func (s *Service) makeRoom(sub subject) bool {
	limit, count := maxDocuments, 0
	if sub.isSet() {
		limit = maxSets
	}
	var victim subject
	var oldest *wish
	for other, w := range s.mu.wishes {
		if other.isSet() != sub.isSet() {
			continue
		}
		count++
		if w.fetched.IsZero() && w.failures > 0 && (oldest == nil || w.asked.Before(oldest.asked)) {
			victim, oldest = other, w
		}
	}
	if count < limit {
		return true
	}
	if oldest == nil {
		return false
	}
	delete(s.mu.wishes, victim)
	return true
}

// remember wishes for what is on disk already: it was wanted before.
func (s *Service) remember(sub subject, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.wishes[sub] == nil {
		s.mu.wishes[sub] = &wish{asked: now, due: now}
	}
}

// asked records that a subject is still of use.
func (s *Service) asked(sub subject, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.mu.wishes[sub]; w != nil {
		w.asked = now
	}
}

func (p platform) compare(q platform) int { return strings.Compare(p.String(), q.String()) }
