package collateral

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"
)

// Run fetches what is wanted and keeps it fresh until ctx ends, and returns why it
// ended. A service must be open. What cannot be refreshed is served as long as it
// is in force.
func (s *Service) Run(ctx context.Context) error {
	s.work.Lock()
	open := s.work.open
	s.work.Unlock()
	switch {
	case !open:
		return ErrClosed
	case s.o.ReadOnly:
		return ErrReadOnly
	}
	for {
		timer := time.NewTimer(s.refresh(ctx))
		select {
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		case <-s.poke:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// refresh attempts all that is due and returns the time until something is.
func (s *Service) refresh(ctx context.Context) time.Duration {
	answers := answers{}
	for {
		sub, check, wait := s.nextDue()
		if wait > 0 || ctx.Err() != nil {
			return max(wait, time.Second)
		}
		s.settle(sub, s.attempt(ctx, sub, check, answers))
	}
}

// nextDue is the subject that waits longest, or how long none does.
func (s *Service) nextDue() (due subject, check Check, wait time.Duration) {
	now := s.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	wait = maxWait
	for sub, w := range s.mu.wishes {
		if until := w.due.Sub(now); until < wait {
			due, check, wait = sub, w.check, until
		}
	}
	return due, check, wait
}

// attempt fetches, verifies and serves one subject.
func (s *Service) attempt(ctx context.Context, sub subject, check Check, a answers) error {
	if sub.isSet() {
		return s.refreshSet(ctx, sub.platform, a)
	}
	return s.refreshDocument(ctx, sub.name, check, a)
}

// settle records how an attempt went and when the next one is due.
func (s *Service) settle(sub subject, err error) {
	now := s.o.Now()
	s.mu.Lock()
	w := s.mu.wishes[sub]
	if w == nil {
		s.mu.Unlock()
		return
	}
	w.err = err
	if err == nil {
		w.failures, w.checked = 0, now
		w.due = s.due(now, w)
	} else {
		s.mu.failures++
		w.due = now.Add(jitter(min(maxWait, backoff<<min(w.failures, 10))))
		w.failures++
	}
	state, next := *w, w.due
	forget := now.Sub(w.asked) > forgotten
	if forget {
		delete(s.mu.wishes, sub)
	}
	s.mu.Unlock()

	switch {
	case forget:
		s.forget(sub)
	case err == nil:
		s.o.Log.Info("collateral is fresh", logName, sub.String(), logExpires, state.expires, logNext, next)
	case !state.fetched.IsZero() && !state.expires.IsZero() && state.expires.Sub(now) <= ahead:
		s.o.Log.Error("collateral expires and cannot be refreshed", logName, sub.String(), logExpires, state.expires, logError, err)
		if s.o.Alert != nil {
			s.o.Alert(Alert{Name: sub.String(), Expires: state.expires, Err: err})
		}
	default:
		s.o.Log.Warn("collateral was not refreshed", logName, sub.String(), logExpires, state.expires, logNext, next, logError, err)
	}
}

// due is when what is served should be fetched again: at half of its remaining
// life, a day before its end, or when it was last fetched too long ago, whichever
// comes first. Nodes that started together must not ask together.
func (s *Service) due(now time.Time, w *wish) time.Time {
	wait := w.checked.Add(s.o.Every).Sub(now)
	if s.o.Client == nil {
		wait = maxLife
	}
	if !w.expires.IsZero() {
		life := w.expires.Sub(now)
		if s.o.Client != nil {
			wait = min(wait, life/2)
		}
		if life > ahead {
			wait = min(wait, life-ahead)
		} else if s.o.Client == nil {
			wait = 0
		}
	}
	return now.Add(jitter(max(wait, backoff)))
}

// jitter takes up to a tenth off.
func jitter(d time.Duration) time.Duration { return d - rand.N(d/10+1) }

// answers are what was fetched in one pass: sets share most of their documents.
type answers map[Name]answer

type answer struct {
	document *document
	err      error
}

// fetch asks for a document, once per pass.
func (s *Service) fetch(ctx context.Context, n Name, a answers) (*document, error) {
	if known, ok := a[n]; ok {
		return known.document, known.err
	}
	if s.o.Client == nil {
		return nil, ErrOffline
	}
	body, chain, err := s.o.Client.Fetch(ctx, n)
	var d *document
	if err == nil {
		d = &document{name: n, body: body, chain: chain, source: s.o.Client.host(n), fetched: s.o.Now().Truncate(time.Second)}
	}
	a[n] = answer{d, err}
	return d, err
}

// refreshSet fetches a set. What does not answer is taken from what is held, so
// that one host's fault does not keep another's news away; it is an error still.
func (s *Service) refreshSet(ctx context.Context, p platform, a answers) error {
	var docs set
	var missing []error
	for i, n := range p.names() {
		d, err := s.fetch(ctx, n, a)
		if err != nil {
			missing = append(missing, err)
		}
		docs[i] = d
	}
	if len(missing) == setSize {
		return errors.Join(missing...)
	}
	s.work.Lock()
	defer s.work.Unlock()
	if !s.work.open {
		return ErrClosed
	}
	for i, n := range p.names() {
		if docs[i] == nil {
			docs[i] = s.work.held[n]
		}
	}
	if slices.Contains(docs[:], nil) {
		return errors.Join(missing...)
	}
	return errors.Join(append(missing, s.adopt(p, docs))...)
}

// refreshDocument serves a document that other packages verify: the one on disk
// if it was not looked at since the start, else a new one.
func (s *Service) refreshDocument(ctx context.Context, n Name, check Check, a answers) error {
	if s.recheck(n, check) {
		return nil
	}
	d, err := s.fetch(ctx, n, a)
	if err != nil {
		return err
	}
	s.work.Lock()
	defer s.work.Unlock()
	if !s.work.open {
		return ErrClosed
	}
	return s.serveDocument(d, check)
}

// recheck serves a document that is on disk since before the start.
func (s *Service) recheck(n Name, check Check) bool {
	s.work.Lock()
	defer s.work.Unlock()
	held := s.work.held[n]
	if _, served := s.served.Load().documents[n]; served || held == nil || !s.work.open {
		return false
	}
	return s.serveDocument(held, check) == nil
}
