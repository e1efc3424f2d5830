package collateral

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// adopt verifies a set, keeps it and serves it, in this order. Nothing unverified
// is written, and nothing is served before it is recorded that it was seen.
func (s *Service) adopt(p platform, docs set) error {
	v, docs, err := s.judge(p, docs)
	if err != nil {
		return err
	}
	for _, d := range docs {
		if s.work.held[d.name] == d {
			continue
		}
		if err := s.store.put(d); err != nil {
			return err
		}
	}
	if err := s.work.marks.raise(append(docs.numbers(p, v), docs.dates(p, v)...)); err != nil {
		return err
	}
	changed := map[Name]bool{}
	for _, d := range docs {
		changed[d.name] = !d.same(s.work.held[d.name])
	}
	s.hold(docs, v)
	next := s.served.Load().clone()
	next.sets[p] = v
	s.fresh(subject{platform: p}, func(w *wish) { w.served(docs, v) })
	for other := range next.sets {
		if other != p && changedOf(other, changed) {
			s.rebuild(other, next)
		}
	}
	s.publish(next)
	return nil
}

// hold takes verified documents as those that others are measured by.
func (s *Service) hold(docs set, v *tdx.Verified) {
	for i, d := range docs {
		d.part = v.Parts()[i]
		s.work.held[d.name] = d
	}
}

// judge verifies a set and holds it against what was seen before. A document that
// is older than the one held, but of the same number, is an answer of a slow
// cache: the held one takes its place.
func (s *Service) judge(p platform, docs set) (*tdx.Verified, set, error) {
	now := s.o.Now()
	v, err := docs.verify(p, s.o.Roots, now)
	if err != nil {
		return nil, docs, err
	}
	if err := s.work.marks.check(docs.numbers(p, v)); err != nil {
		return nil, docs, err
	}
	mixed, kept := docs, false
	for i, part := range v.Parts()[:setSize] {
		held := s.work.held[docs[i].name]
		if held != nil && held.part.Number == part.Number && held.part.Issued.After(part.Issued) && now.Before(held.part.Expires) {
			mixed[i], kept = held, true
		}
	}
	if kept {
		if better, err := mixed.verify(p, s.o.Roots, now); err == nil {
			v, docs = better, mixed
		}
	}
	return v, docs, s.work.marks.check(append(docs.numbers(p, v), docs.dates(p, v)...))
}

// rebuild verifies a set again, some of whose documents were replaced for another
// one's sake. If it does not stand with them, it is served no longer: a list that
// revokes its signer must not wait for its turn.
func (s *Service) rebuild(p platform, next *served) {
	docs, complete := setFrom(p, s.work.held)
	var v *tdx.Verified
	err := fmt.Errorf("%w: %s is incomplete", ErrRefused, p)
	if complete {
		v, err = docs.verify(p, s.o.Roots, s.o.Now())
	}
	if err != nil {
		delete(next.sets, p)
		s.fresh(subject{platform: p}, func(w *wish) {
			w.err, w.fetched, w.expires, w.due = err, time.Time{}, time.Time{}, s.o.Now()
		})
		s.o.Log.Error("collateral does not stand any longer", logName, p.String(), logError, err)
		return
	}
	next.sets[p] = v
	s.fresh(subject{platform: p}, func(w *wish) { w.served(docs, v) })
}

// serveDocument verifies a document, keeps it and serves it, in this order.
func (s *Service) serveDocument(d *document, check Check) error {
	now := s.o.Now()
	if err := check(d.body); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrRefused, d.name, err)
	}
	f, err := factsOf(d.name, d.body)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %s: %w", ErrRefused, d.name, err)
	case !f.expires.IsZero() && now.After(f.expires):
		return fmt.Errorf("%w: %s: expired %s", ErrRefused, d.name, f.expires.UTC().Format(time.RFC3339))
	case f.issued.After(now.Add(imprecise)):
		return fmt.Errorf("%w: %s: issued %s, in the future", ErrRefused, d.name, f.issued.UTC().Format(time.RFC3339))
	}
	if err := s.work.marks.check(f.numbers(d.name)); err != nil {
		return err
	}
	if s.work.held[d.name] != d {
		if err := s.store.put(d); err != nil {
			return err
		}
	}
	if err := s.work.marks.raise(f.numbers(d.name)); err != nil {
		return err
	}
	s.work.held[d.name] = d
	next := s.served.Load().clone()
	next.documents[d.name] = kept{d, f}
	s.fresh(subject{name: d.name}, func(w *wish) { w.fetched, w.checked, w.expires = d.fetched, d.fetched, f.expires })
	s.publish(next)
	return nil
}

// forget drops what nobody asked for in a long time.
func (s *Service) forget(sub subject) {
	s.work.Lock()
	defer s.work.Unlock()
	n := sub.name
	if sub.isSet() {
		n = TCBInfo(sub.platform.fmspc)
	}
	next := s.served.Load().clone()
	delete(next.sets, sub.platform)
	delete(next.documents, sub.name)
	for other := range next.sets {
		if sub.isSet() && other.fmspc == sub.platform.fmspc {
			n = Name{} // still of use to the other CA's platforms
		}
	}
	s.publish(next)
	if n == (Name{}) {
		return
	}
	delete(s.work.held, n)
	err := s.store.drop(n)
	s.o.Log.Info("collateral that nobody needs is dropped", logName, sub.String(), logError, err)
}

// fresh changes the wish for a subject, if there is one.
func (s *Service) fresh(sub subject, change func(*wish)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.mu.wishes[sub]; w != nil {
		change(w)
	}
}

func (s *served) clone() *served {
	next := &served{sets: map[platform]*tdx.Verified{}, documents: map[Name]kept{}}
	maps.Copy(next.sets, s.sets)
	maps.Copy(next.documents, s.documents)
	return next
}

// setFrom collects a platform's set, and tells whether it is complete.
func setFrom(p platform, documents map[Name]*document) (docs set, complete bool) {
	for i, n := range p.names() {
		docs[i] = documents[n]
	}
	return docs, !slices.Contains(docs[:], nil)
}

func changedOf(p platform, changed map[Name]bool) bool {
	return slices.ContainsFunc(func() []Name { n := p.names(); return n[:] }(), func(n Name) bool { return changed[n] })
}

// platformsOf are those whose TCB information a document may be.
func platformsOf(n Name) []platform {
	fmspc, ok := n.fmspc()
	if !ok {
		return nil
	}
	return []platform{{fmspc, tdx.PlatformCA}, {fmspc, tdx.ProcessorCA}}
}
