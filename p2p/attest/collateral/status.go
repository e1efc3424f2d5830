package collateral

import (
	"cmp"
	"slices"
	"time"
)

// Status is what a service has, for people and metrics.
type Status struct {
	Subjects  []SubjectStatus  `json:"subjects"`  // sorted by name
	Documents []DocumentStatus `json:"documents"` // that are served, what expires next comes first
	Damaged   []DamagedFile    `json:"damaged,omitempty"`
	Failures  uint64           `json:"failures"` // to refresh, since the start
}

// SubjectStatus is something that is kept fresh: a set about a family of TDX
// platforms, or a document that other packages verify.
type SubjectStatus struct {
	Name     string    `json:"name"`
	Served   bool      `json:"served"`             // and in force
	Expires  time.Time `json:"expires,omitzero"`   // zero if nothing is served, or it has no such date
	Next     time.Time `json:"next,omitzero"`      // when it is fetched next
	Failures int       `json:"failures,omitempty"` // since the last success
	Error    string    `json:"error,omitempty"`    // of the last attempt
}

// DocumentStatus is a document that is served.
type DocumentStatus struct {
	Name    string    `json:"name"`
	Number  uint64    `json:"number,omitempty"` // of its evaluation, or of the revocation list
	Issued  time.Time `json:"issued,omitzero"`
	Expires time.Time `json:"expires,omitzero"` // its next update is due
	Fetched time.Time `json:"fetched"`
	Source  string    `json:"source"`
}

// Age is how long ago the document was fetched.
func (d DocumentStatus) Age(now time.Time) time.Duration { return now.Sub(d.Fetched) }

// end is when the document runs out, far away for one that does not.
func (d DocumentStatus) end() time.Time {
	if d.Expires.IsZero() {
		return time.Unix(1<<40, 0)
	}
	return d.Expires
}

// DamagedFile is a file that was moved aside.
type DamagedFile struct {
	File  string `json:"file"`
	Error string `json:"error"`
}

// Status tells what is kept, of when, from where, and what failed.
func (s *Service) Status() Status {
	now := s.o.Now()
	current := s.served.Load()
	documents := map[Name]DocumentStatus{}
	s.work.Lock()
	for p := range current.sets {
		for _, n := range p.names() {
			if held := s.work.held[n]; held != nil {
				documents[n] = DocumentStatus{n.String(), held.part.Number, held.part.Issued, held.part.Expires, held.fetched, held.source}
			}
		}
	}
	s.work.Unlock()
	for n, k := range current.documents {
		documents[n] = DocumentStatus{n.String(), k.facts.number, k.facts.issued, k.facts.expires, k.document.fetched, k.document.source}
	}
	var status Status
	for _, d := range documents {
		status.Documents = append(status.Documents, d)
	}
	slices.SortFunc(status.Documents, func(a, b DocumentStatus) int {
		return cmp.Or(a.end().Compare(b.end()), cmp.Compare(a.Name, b.Name))
	})

	s.mu.Lock()
	defer s.mu.Unlock()
	status.Failures = s.mu.failures
	for sub, w := range s.mu.wishes {
		one := SubjectStatus{Name: sub.String(), Expires: w.expires, Next: w.due, Failures: w.failures}
		one.Served = !w.fetched.IsZero() && (w.expires.IsZero() || !now.After(w.expires))
		if w.err != nil {
			one.Error = w.err.Error()
		}
		status.Subjects = append(status.Subjects, one)
	}
	slices.SortFunc(status.Subjects, func(a, b SubjectStatus) int { return cmp.Compare(a.Name, b.Name) })
	for file, err := range s.mu.damaged {
		status.Damaged = append(status.Damaged, DamagedFile{file, err.Error()})
	}
	slices.SortFunc(status.Damaged, func(a, b DamagedFile) int { return cmp.Compare(a.File, b.File) })
	return status
}

// NextExpiry is when the first thing served runs out of force, false if nothing
// does. As a metric, it is for a gauge that asks: the distance to now falls
// without anybody saying so.
func (s *Service) NextExpiry() (first time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.mu.wishes {
		if !w.expires.IsZero() && (!ok || w.expires.Before(first)) {
			first, ok = w.expires, true
		}
	}
	return first, ok
}

// SecondsToExpiry is [Service.NextExpiry] as a number, negative when it is past
// and 0 if nothing expires. It fits expvar.Func and Prometheus's NewGaugeFunc.
func (s *Service) SecondsToExpiry() float64 {
	first, ok := s.NextExpiry()
	if !ok {
		return 0
	}
	return first.Sub(s.o.Now()).Seconds()
}

// RefreshFailures counts attempts that failed since the start. It fits
// Prometheus's NewCounterFunc.
func (s *Service) RefreshFailures() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return float64(s.mu.failures)
}
