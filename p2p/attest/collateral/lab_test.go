package collateral

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// simulated is the family of the simulated authority's platforms, other is one
// that [upstream] knows as well.
var (
	simulated = [6]byte{0x90, 0xc0, 0x6f}
	other     = [6]byte{0xb0, 0xc0, 0x6f}
)

// upstream is a manufacturer in this process: no sockets, so that its time may be
// a test's.
type upstream struct {
	ca *sim.CA

	mu       sync.Mutex
	faults   sim.CollateralFaults
	fault    sim.Fault
	requests []string
	handler  http.Handler
}

func newUpstream(t testing.TB) *upstream {
	t.Helper()
	ca, err := sim.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	return &upstream{ca: ca}
}

// set changes what is served from now on.
func (u *upstream) set(change func(*upstream)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	change(u)
}

func (u *upstream) asked() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.requests)
}

// RoundTrip implements http.RoundTripper.
func (u *upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	u.mu.Lock()
	u.requests = append(u.requests, r.URL.String())
	fault, faults, handler := u.fault, u.faults, u.handler
	u.mu.Unlock()
	r = r.Clone(r.Context())
	query := r.URL.Query()
	if query.Get("fmspc") == "b0c06f000000" {
		query.Set("fmspc", "90c06f000000")
		r.URL.RawQuery = query.Encode()
		edit := faults.TCBInfo
		faults.TCBInfo = func(i *sim.TCBInfo) {
			i.FMSPC = "B0C06F000000"
			if edit != nil {
				edit(i)
			}
		}
	}
	if handler == nil {
		handler = u.ca.Handler(sim.HandlerOptions{Collateral: faults, Fault: func(*http.Request) sim.Fault { return fault }})
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return recorder.Result(), nil
}

// evaluation serves documents of an evaluation.
func evaluation(number int) sim.CollateralFaults {
	return sim.CollateralFaults{
		TCBInfo:    func(i *sim.TCBInfo) { i.Evaluation = number },
		QEIdentity: func(i *sim.QEIdentity) { i.Evaluation = number },
	}
}

// lists serves revocation lists with a number.
func lists(number int64) sim.CollateralFaults {
	edit := func(l *x509.RevocationList) { l.Number = big.NewInt(number) }
	return sim.CollateralFaults{RootCRL: edit, PCKCRL: edit}
}

// lab is a service with all that surrounds it.
type lab struct {
	*Service
	t        *testing.T
	upstream *upstream
	fs       vfs.FS

	mu     sync.Mutex
	alerts []Alert
}

func newLab(t *testing.T, u *upstream, fs vfs.FS, change func(*Options)) *lab {
	t.Helper()
	client, err := NewClient(ClientOptions{Transport: u})
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, upstream: u, fs: fs}
	o := Options{Dir: "/collateral", Roots: []*x509.Certificate{u.ca.Root()}, Client: client, fs: fs, Alert: func(a Alert) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.alerts = append(l.alerts, a)
	}}
	if change != nil {
		change(&o)
	}
	l.Service = New(o)
	return l
}

// open opens the service and closes it when the test ends.
func (l *lab) open() {
	l.t.Helper()
	if err := l.Open(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { l.Close() })
}

// run opens and runs the service until the returned function is called.
func (l *lab) run() (stop func()) {
	l.t.Helper()
	l.open()
	ctx, cancel := context.WithCancel(l.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			l.t.Errorf("run ended with %v", err)
		}
		if err := l.Close(); err != nil {
			l.t.Error(err)
		}
	})
}

// fetched wants a platform and waits until it was attempted. It runs in a bubble.
func (l *lab) fetched() *tdx.Verified {
	l.t.Helper()
	if err := l.Want(simulated, tdx.PlatformCA); err != nil {
		l.t.Fatal(err)
	}
	synctest.Wait()
	v, err := l.Collateral(simulated, tdx.PlatformCA)
	if err != nil {
		l.t.Fatalf("%v; %+v", err, l.Status().Subjects)
	}
	return v
}

// lastError is the last error about the simulated platform.
func (l *lab) wish(fmspc [6]byte) wish {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Service.mu.Lock()
	defer l.Service.mu.Unlock()
	w := l.Service.mu.wishes[subject{platform: platform{fmspc, tdx.PlatformCA}}]
	if w == nil {
		return wish{}
	}
	return *w
}

func (l *lab) alerted() []Alert {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.alerts)
}

// files are the documents on disk.
func documentFiles(t *testing.T, fs vfs.FS) []string {
	t.Helper()
	names, err := (&store{fs: fs, dir: "/collateral"}).names()
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func bundleOf(t testing.TB, sets ...tdx.Collateral) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	if err := WriteBundle(&b, sets); err != nil {
		t.Fatal(err)
	}
	return &b
}
