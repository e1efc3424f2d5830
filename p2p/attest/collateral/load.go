package collateral

import "github.com/tussah-network/tussah/p2p/attest/tdx"

// load serves what is on disk and in force.
func (s *Service) load() error {
	documents, damaged, err := s.store.load()
	if err != nil {
		return err
	}
	for file, err := range damaged {
		s.note(file, err)
	}
	now, next := s.o.Now(), &served{sets: map[platform]*tdx.Verified{}, documents: map[Name]kept{}}
	var found []mark
	for name := range documents {
		if name.kind != KindTCBInfo {
			if ofSet(name.kind) {
				continue
			}
			if now.Sub(documents[name].fetched) > forgotten {
				if err := s.store.drop(name); err != nil {
					return err
				}
				continue
			}
			s.work.held[name] = documents[name]
			continue
		}
		for _, p := range platformsOf(name) {
			docs, complete := setFrom(p, documents)
			if !complete {
				continue
			}
			sub := subject{platform: p}
			s.remember(sub, now)
			v, err := docs.verify(p, s.o.Roots, now)
			var numbers []mark
			if err == nil {
				numbers = append(docs.numbers(p, v), docs.dates(p, v)...)
				err = s.work.marks.check(numbers)
			}
			if err != nil {
				s.fresh(sub, func(w *wish) { w.err = err })
				s.o.Log.Warn("collateral on disk is not used", logName, p.String(), logError, err)
				continue
			}
			found = append(found, numbers...)
			next.sets[p] = v
			s.hold(docs, v)
			s.fresh(sub, func(w *wish) {
				w.served(docs, v)
				w.due = s.due(now, w)
			})
		}
	}
	if err := s.work.marks.raise(found); err != nil {
		return err
	}
	s.publish(next)
	return nil
}

// note keeps the last error of something that is no subject, for Status.
func (s *Service) note(what string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.damaged[what] = err
	s.o.Log.Warn("file is damaged, moved aside", logName, what, logError, err)
}
