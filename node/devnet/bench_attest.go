package devnet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/sec"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/ratls"
	"github.com/tussah-network/tussah/sandbox/bench"
)

// peerTLS is what attested handshakes are compared with.
const peerTLS = "libp2p TLS, no evidence"

// BenchAttest measures attestation on this machine, over simulated machines: what
// an appraisal costs, whole, of a platform seen before, and from the cache, and handshakes over loopback, both
// ends in this process, beside those of libp2p's TLS. period is how long each is
// measured; 5 s if zero.
func BenchAttest(ctx context.Context, period time.Duration) ([]bench.Row, error) {
	if period == 0 {
		period = 5 * time.Second
	}
	ca, err := sim.NewCA()
	if err != nil {
		return nil, err
	}
	a := attestation{ca: ca, verifier: ca.Verifier(), image: sim.Measure("bench")}
	rows, err := a.appraisals(ctx, period)
	if err != nil {
		return nil, fmt.Errorf("measure appraisals: %w", err)
	}
	handshakes, err := a.handshakes(ctx, period)
	if err != nil {
		return nil, fmt.Errorf("measure handshakes: %w", err)
	}
	return append(rows, handshakes...), nil
}

// attestation is a network with one authority and one image.
type attestation struct {
	ca       *sim.CA
	verifier attest.Verifier // gets to know the platform
	image    sim.Measurements
	cache    attest.Cache
}

var errOtherImage = errors.New("another image")

func (a *attestation) policy() attest.Policy {
	return attest.Policy{AllowSimulated: true, EventsLater: true, Platform: attest.AnyPlatform, Image: func(image [32]byte) error {
		if image != a.image.Image() {
			return errOtherImage
		}
		return nil
	}}
}

// appraisals measures the checklist by a verifier that never saw the platform,
// then by one that knows it, and the cache in front of both.
func (a *attestation) appraisals(ctx context.Context, period time.Duration) ([]bench.Row, error) {
	machine := a.ca.Platform("bench").VM(a.image)
	const fresh = 64
	var quotes [fresh]attest.Evidence
	for i := range quotes {
		var err error
		if quotes[i], err = machine.Evidence(ctx, [64]byte{byte(i)}); err != nil {
			return nil, err
		}
	}
	var rows []bench.Row
	for _, way := range []struct {
		name string
		call func(n int) error
	}{
		{"appraisal_full", func(n int) error {
			_, err := a.ca.Verifier().Appraise(quotes[n%fresh], [64]byte{byte(n % fresh)}, a.policy(), time.Now())
			return err
		}},
		{"appraisal_known_platform", func(n int) error {
			_, err := a.verifier.Appraise(quotes[n%fresh], [64]byte{byte(n % fresh)}, a.policy(), time.Now())
			return err
		}},
		{"appraisal_cached", func(int) error {
			_, err := a.cache.Appraise(a.verifier, quotes[0], [64]byte{}, a.policy(), time.Now())
			return err
		}},
	} {
		took, err := each(ctx, period, way.call)
		if err != nil {
			return nil, err
		}
		rows = append(rows, bench.Alone(way.name, micros(took), "us"))
	}
	return rows, nil
}

// each is how long one call takes on average, after one that does not count.
func each(ctx context.Context, period time.Duration, call func(n int) error) (time.Duration, error) {
	if err := call(0); err != nil {
		return 0, err
	}
	start := time.Now()
	for n := 1; ; n++ {
		if err := errors.Join(call(n), ctx.Err()); err != nil {
			return 0, err
		}
		if took := time.Since(start); took >= period {
			return took / time.Duration(n), nil
		}
	}
}

// handshakes measures gate A alone with the appraisal from the cache, as it is for
// a peer that comes again, and both gates, the second with fresh evidence made and
// appraised at both ends.
func (a *attestation) handshakes(ctx context.Context, period time.Duration) ([]bench.Row, error) {
	appraise := func(s ratls.Shown) (attest.Appraisal, error) {
		return a.cache.Appraise(a.verifier, s.Evidence, s.ReportData, a.policy(), time.Now())
	}
	options := ratls.Options{Provider: a.ca.Platform("bench").VM(a.image), Appraise: appraise}
	var all [3]*meeting
	for i, secure := range []func(crypto.PrivKey) (sec.SecureTransport, error){
		func(key crypto.PrivKey) (sec.SecureTransport, error) { return libp2ptls.New(libp2ptls.ID, key, nil) },
		func(key crypto.PrivKey) (sec.SecureTransport, error) {
			return ratls.NewCompatible(ratls.CompatibleID, key, nil, options)
		},
		func(key crypto.PrivKey) (sec.SecureTransport, error) { return ratls.New(ratls.ID, key, nil, options) },
	} {
		m, err := newMeeting(secure, i == 0)
		if err != nil {
			return nil, err
		}
		defer m.close()
		all[i] = m
	}
	// In short turns, so that all meet the same machine.
	var took [3]time.Duration
	rounds := 0
	for start := time.Now(); time.Since(start) < 3*period || rounds == 0; rounds++ {
		for i, m := range all {
			begun := time.Now()
			for range handshakesPerTurn {
				if err := m.once(ctx); err != nil {
					return nil, err
				}
			}
			took[i] += time.Since(begun)
		}
	}
	rate := func(i int) float64 { return float64(rounds*handshakesPerTurn) / took[i].Seconds() }
	return []bench.Row{
		bench.Compared("ratls_handshake_vs_tls", rate(1), "1/s", peerTLS, rate(0)),
		bench.Compared("ratls_both_gates_vs_tls", rate(2), "1/s", peerTLS, rate(0)),
	}, nil
}

const (
	handshakesPerTurn = 32
	// meetingAcceptors is enough for none to ask a toll, which each does once it
	// gets more than 64 handshakes in a second.
	meetingAcceptors = 64
)

// meeting is where a dialer meets acceptors, over loopback.
type meeting struct {
	dialer   sec.SecureTransport
	listener net.Listener
	stock    bool // the acceptor's last word is for us to say
}

func newMeeting(secure func(crypto.PrivKey) (sec.SecureTransport, error), stock bool) (*meeting, error) {
	var ends []sec.SecureTransport
	for range 1 + meetingAcceptors {
		key, _, err := crypto.GenerateEd25519Key(rand.Reader)
		if err != nil {
			return nil, err
		}
		end, err := secure(key)
		if err != nil {
			return nil, err
		}
		ends = append(ends, end)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &meeting{dialer: ends[0], listener: l, stock: stock}
	go m.accept(ends[1:])
	for range meetingAcceptors { // certificates are made, the cache is filled
		if err := m.once(context.Background()); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	return m, nil
}

// accept ends when the listener is closed. What goes wrong the dialer sees.
func (m *meeting) accept(ends []sec.SecureTransport) {
	for n := 0; ; n++ {
		c, err := m.listener.Accept()
		if err != nil {
			return
		}
		s, err := ends[n%len(ends)].SecureInbound(context.Background(), c, "")
		if err != nil {
			continue
		}
		if m.stock {
			_, _ = s.Write([]byte{1})
		}
		_ = s.Close()
	}
}

// once is one handshake, at the end of which the dialer knows that it was
// accepted: that takes a byte more of libp2p's.
func (m *meeting) once(ctx context.Context) error {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", m.listener.Addr().String())
	if err != nil {
		return err
	}
	s, err := m.dialer.SecureOutbound(ctx, c, "")
	if err != nil {
		return err
	}
	if m.stock {
		if _, err := s.Read(make([]byte, 1)); err != nil {
			return errors.Join(err, s.Close())
		}
	}
	return s.Close()
}

func (m *meeting) close() { _ = m.listener.Close() }
