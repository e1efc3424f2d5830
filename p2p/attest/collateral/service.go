package collateral

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

var _ tdx.Source = (*Service)(nil)

// Options configure a service.
type Options struct {
	// Dir is the folder of documents and marks. Required.
	Dir string
	// Roots are those that collateral may lead to, beside Intel's, which is known by
	// its key.
	Roots []*x509.Certificate
	// Client asks the manufacturers. nil: nothing is fetched, collateral comes from
	// bundles only.
	Client *Client
	// Every is the longest time between two fetches of a document: how late a
	// revocation is learned. Default 24 h.
	Every time.Duration
	// ReadOnly leaves the folder as it is, and does not mind another process that
	// uses it. For commands that look.
	ReadOnly bool
	// Now is the time that everything is judged at. Default time.Now.
	Now func() time.Time
	// Log is told what was fetched and what could not be. nil: nobody is.
	Log *slog.Logger
	// Alert is called, from Run, when something expires within a day and cannot be
	// refreshed: once for each attempt, at most an hour apart. May be nil.
	Alert func(Alert)

	fs vfs.FS // tests break it
}

// Alert says what is about to be missing.
type Alert struct {
	Name    string    // of a set or a document
	Expires time.Time // may be past
	Err     error     // why it cannot be refreshed
}

// Service keeps collateral: it fetches, verifies, remembers and serves it.
type Service struct {
	o     Options
	store *store

	// served is replaced as a whole, so that who reads it waits for nobody.
	served atomic.Pointer[served]

	mu struct {
		sync.Mutex
		wishes   map[subject]*wish
		budget   int              // new wishes that may be taken
		filled   time.Time        // when budget was last filled
		damaged  map[string]error // by file
		failures uint64
	}
	poke chan struct{} // a wish waits

	// work is held by whoever changes what is kept: one at a time.
	work struct {
		sync.Mutex
		marks *marks
		held  map[Name]*document // verified, or waiting for their check
		lock  io.Closer
		open  bool
	}
}

// served is what callers get. It is never altered.
type served struct {
	sets      map[platform]*tdx.Verified
	documents map[Name]kept
	id        [32]byte
}

// kept is a document that other packages verified.
type kept struct {
	document *document
	facts    facts
}

// New makes a service. It does no I/O: that begins with [Service.Open].
func New(o Options) *Service {
	if o.Every <= 0 {
		o.Every = 24 * time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.fs == nil {
		o.fs = vfs.Default
	}
	s := &Service{
		o:     o,
		store: &store{fs: o.fs, dir: o.Dir, readOnly: o.ReadOnly},
		poke:  make(chan struct{}, 1),
	}
	s.served.Store(&served{})
	s.mu.wishes = map[subject]*wish{}
	s.mu.damaged = map[string]error{}
	s.mu.budget, s.mu.filled = burst, o.Now()
	s.work.held = map[Name]*document{}
	return s
}

// Open loads what was kept, verifies all of it again and serves what is in force.
// What is not is reported by [Service.Status] and fetched by [Service.Run].
//
// Errors: [ErrMarks] if it is not known what was seen before, and [ErrLocked].
func (s *Service) Open() (err error) {
	s.work.Lock()
	defer s.work.Unlock()
	if s.work.open {
		return errors.New("collateral: already open")
	}
	if s.o.Dir == "" {
		return errors.New("collateral: no folder given")
	}
	if s.store.dir, err = filepath.Abs(s.o.Dir); err != nil {
		return fmt.Errorf("collateral: %w", err)
	}
	if err := s.store.open(); err != nil {
		return err
	}
	if !s.o.ReadOnly {
		if s.work.lock, err = s.o.fs.Lock(s.o.fs.PathJoin(s.store.dir, "lock")); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrLocked, s.store.dir, err)
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, s.work.lock.Close())
				s.work.lock = nil
			}
		}()
	}
	files, err := s.store.names()
	if err != nil {
		return err
	}
	if s.work.marks, err = openMarks(s.o.fs, s.store.dir, len(files) == 0, s.o.ReadOnly); err != nil {
		return err
	}
	if err := s.load(); err != nil {
		return err
	}
	s.work.open = true
	return nil
}

// Close lets another process use the folder. What was served stays with who has it.
func (s *Service) Close() error {
	s.work.Lock()
	defer s.work.Unlock()
	if !s.work.open {
		return nil
	}
	s.work.open = false
	if s.work.lock == nil {
		return nil
	}
	return s.work.lock.Close()
}

// Collateral implements [tdx.Source]. It does no I/O: what is not at hand is put
// on the list of what [Service.Run] fetches, and is refused now.
func (s *Service) Collateral(fmspc [6]byte, ca tdx.CA) (*tdx.Verified, error) {
	p := platform{fmspc, ca}
	now := s.o.Now()
	if v := s.served.Load().sets[p]; v != nil && !now.After(v.Expires()) {
		s.asked(subject{platform: p}, now)
		return v, nil
	}
	if err := s.Want(fmspc, ca); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", attest.ErrNoCollateral, p, err)
	}
	return nil, fmt.Errorf("%w: %s: it will be fetched", attest.ErrNoCollateral, p)
}

// ID implements [tdx.Source]. An answer that ends because it expired does not
// change it: nothing may be relied on for longer than what it was made from.
func (s *Service) ID() [32]byte { return s.served.Load().id }

// Document is a document of a kind that other packages verify, once check has
// accepted it. It does no I/O: what is not at hand is put on the list of what
// [Service.Run] fetches, and is refused now with [attest.ErrNoCollateral].
func (s *Service) Document(n Name, check Check) ([]byte, error) {
	now := s.o.Now()
	if k, ok := s.served.Load().documents[n]; ok && (k.facts.expires.IsZero() || !now.After(k.facts.expires)) {
		s.asked(subject{name: n}, now)
		return slices.Clone(k.document.body), nil
	}
	if err := s.WantDocument(n, check); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", attest.ErrNoCollateral, n, err)
	}
	return nil, fmt.Errorf("%w: %s: it will be fetched", attest.ErrNoCollateral, n)
}

// publish replaces what is served.
func (s *Service) publish(next *served) {
	h := sha256.New()
	for _, p := range slices.SortedFunc(maps.Keys(next.sets), platform.compare) {
		id := next.sets[p].ID()
		h.Write(id[:])
	}
	next.id = [32]byte(h.Sum(nil))
	s.served.Store(next)
}
