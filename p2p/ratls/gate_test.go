package ratls_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/ratls"
)

// TestGateB lets mallory, who has a good machine's key at gate A, go wrong at
// gate B in ways that are none of the attacks.
func TestGateB(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.node(t, "alice", ratls.RoleWorker), w.node(t, "bob", ratls.RoleProxy)
	open := alice.options
	open.UnattestedInbound, open.UnattestedOutbound = true, true
	aliceOpen := transport(t, open)
	bobs, nobody := stolen(t, bob.Transport), stolen(t, transport(t, w.client()))
	otherImage := newWorld(t).ca.Platform("bob").VM(w.image)

	after := func(edit func(*evil, *ratls.Challenge, *ratls.Preimage), vm attest.Provider, verdict func(*evil)) func(*evil) {
		return func(e *evil) {
			ours := challengeOf(bob.options)
			theirs, err := e.challenges(ours)
			if err != nil {
				return
			}
			p := e.preimage(t, bobs.certificate.Leaf, ours, theirs)
			edit(e, &ours, &p)
			ratls.WriteFrame(e, shows(t, vm, p))
			ratls.ReadProof(e)
			verdict(e)
			io.Copy(io.Discard, e)
		}
	}
	none := func(*evil, *ratls.Challenge, *ratls.Preimage) {}
	accepts := func(e *evil) { e.verdict(ratls.Accepted) }
	raw := func(b []byte) func(*evil) { return func(e *evil) { e.Write(b) } }
	first := func(b []byte) func(*evil) { return func(e *evil) { e.Write(b); io.Copy(io.Discard, e) } }
	challenged := func(play func(*evil)) func(*evil) {
		return func(e *evil) {
			if _, err := e.challenges(challengeOf(bob.options)); err == nil {
				play(e)
				e.verdict(ratls.Accepted)
				io.Copy(io.Discard, e)
			}
		}
	}
	claims := func(role ratls.Role) func(*evil) {
		return func(e *evil) {
			c := challengeOf(bob.options)
			c.Role, c.Contract = role, "0:bob"
			e.challenges(c)
			e.ends(ratls.Proof{})
		}
	}
	for _, c := range []struct {
		name string
		node *ratls.Transport
		with mallory
		want error
		play func(*evil)
	}{
		{"another machine", alice.Transport, bobs, ratls.ErrGates, after(none, w.vm("carol"), accepts)},
		{"foreign root", alice.Transport, bobs, attest.ErrRoot, after(none, otherImage, accepts)},
		{"evidence after none at gate A", aliceOpen, nobody, ratls.ErrGates, after(none, bob.vm, accepts)},
		{"a proxy without evidence", aliceOpen, nobody, ratls.ErrNoEvidence, claims(ratls.RoleProxy)},
		{"a worker without evidence", aliceOpen, nobody, ratls.ErrNoEvidence, claims(ratls.RoleWorker)},
		{"a client without evidence", aliceOpen, nobody, nil, claims(ratls.RoleClient)},
		{"another role", alice.Transport, bobs, attest.ErrReportData, after(func(_ *evil, _ *ratls.Challenge, p *ratls.Preimage) { p.Claims.Role = ratls.RoleWorker }, bob.vm, accepts)},
		{"another epoch", alice.Transport, bobs, attest.ErrReportData, after(func(_ *evil, _ *ratls.Challenge, p *ratls.Preimage) { p.Epoch++ }, bob.vm, accepts)},
		{"another peer's key", alice.Transport, bobs, attest.ErrReportData, after(func(_ *evil, _ *ratls.Challenge, p *ratls.Preimage) { p.PeerKey[0]++ }, bob.vm, accepts)},
		{"hidden accelerators", alice.Transport, bobs, attest.ErrReportData, challenged(func(e *evil) {
			ratls.WriteFrame(e, ratls.Proof{TEE: attest.TDX, Report: report(t, bob.vm, [64]byte{}), GPU: []byte("not in the hash")})
		})},
		{"challenge of a giant length", alice.Transport, bobs, ratls.ErrGateMessage, first(bytes.Repeat([]byte{0xff}, 4))},
		{"challenge a byte too long", alice.Transport, bobs, ratls.ErrGateMessage, first(binary.BigEndian.AppendUint32(nil, ratls.MaxChallenge+1))},
		{"challenge is no CBOR", alice.Transport, bobs, ratls.ErrGateMessage, first([]byte("\x00\x00\x00\x04abcd"))},
		{"challenge is cut off", alice.Transport, bobs, io.ErrUnexpectedEOF, func(e *evil) { e.Write([]byte{0, 0, 1, 0, 1}); e.Close() }},
		{"proof of a giant length", alice.Transport, bobs, ratls.ErrGateMessage, challenged(raw(bytes.Repeat([]byte{0xff}, 4)))},
		{"proof a byte too long", alice.Transport, bobs, ratls.ErrGateMessage, challenged(raw(binary.BigEndian.AppendUint32(nil, ratls.MaxProof+1)))},
		{"proof is no CBOR", alice.Transport, bobs, ratls.ErrGateMessage, challenged(raw([]byte("\x00\x00\x00\x04abcd")))},
		{"proof is cut off", alice.Transport, bobs, io.ErrUnexpectedEOF, challenged(func(e *evil) { e.Write([]byte{0, 0, 1, 0, 1}); e.Close() })},
		{"verdict is zero", alice.Transport, bobs, ratls.ErrRefused, after(none, bob.vm, func(e *evil) { e.verdict(0) })},
		{"verdict without a meaning", alice.Transport, bobs, ratls.ErrRefused, after(none, bob.vm, func(e *evil) { e.verdict(0xabcd) })},
		{"verdict with one", alice.Transport, bobs, attest.ErrDebug, after(none, bob.vm, func(e *evil) { e.verdict(attest.ErrDebug.Code()) })},
		{"half a verdict", alice.Transport, bobs, io.ErrUnexpectedEOF, after(none, bob.vm, func(e *evil) { e.Write([]byte{0xff}); e.Close() })},
		{"no verdict", alice.Transport, bobs, io.EOF, after(none, bob.vm, func(e *evil) { e.Close() })},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, dials := range []bool{true, false} {
				if err := meet(t, c.node, dials, "", c.with, c.play); !errors.Is(err, c.want) {
					t.Errorf("alice dials %v: got %v, want %v", dials, err, c.want)
				}
			}
		})
	}
}

// A peer that does not speak in time has its connection closed, wherever it stops.
func TestSlowAtGateB(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.node(t, "alice", ratls.RoleWorker), w.node(t, "bob", ratls.RoleProxy)
	bobs := stolen(t, bob.Transport)
	for name, say := range map[string]func(*evil){
		"challenge": func(*evil) {},
		"length":    func(e *evil) { e.Write([]byte{0, 0}) },
		"proof":     func(e *evil) { e.challenges(challengeOf(bob.options)) },
		"verdict": func(e *evil) {
			ours := challengeOf(bob.options)
			theirs, _ := e.challenges(ours)
			ratls.WriteFrame(e, shows(t, bob.vm, e.preimage(t, bobs.certificate.Leaf, ours, theirs)))
			ratls.ReadProof(e)
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			out, in := pair(t)
			go func() {
				if e, err := bobs.accept(in); err == nil {
					say(e)
				}
				cancel() // instead of ten seconds
			}()
			begun := time.Now()
			if c, err := alice.SecureOutbound(ctx, out, ""); err == nil {
				c.Close()
				t.Error("accepted")
			}
			if took := time.Since(begun); took > 5*time.Second {
				t.Errorf("let go after %v", took)
			}
		})
	}
}

// A machine that fails at gate B says so to itself; the peer sees an end, and no
// reason to refuse.
func TestOwnEvidenceFailsAtGateB(t *testing.T) {
	w := newWorld(t)
	errDevice := errors.New("device busy")
	for name, fail := range map[string]func(*ratls.Options){
		"machine": func(o *ratls.Options) {
			inner, quotes := o.Provider, 0
			o.Provider = reportFunc(func(d [64]byte) ([]byte, error) {
				if quotes++; quotes > 1 { // the first is for the certificate
					return nil, errDevice
				}
				return report(t, inner, d), nil
			})
		},
		"accelerators": func(o *ratls.Options) {
			o.GPU = func(context.Context, ratls.GPUBound) ([]byte, error) { return nil, errDevice }
		},
		"identity": func(o *ratls.Options) {
			o.Identify = func(attest.Evidence, [64]byte) ([32]byte, error) { return [32]byte{}, errDevice }
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := w.attested("broken")
			fail(&o)
			broken, good := transport(t, o), transport(t, w.attested("good"))
			out, in := pair(t)
			accepted := make(chan error, 1)
			go func() {
				_, err := good.SecureInbound(t.Context(), in, "")
				accepted <- err
			}()
			if _, err := broken.SecureOutbound(t.Context(), out, ""); !errors.Is(err, ratls.ErrNoOwnEvidence) || !errors.Is(err, errDevice) {
				t.Errorf("got %v, want %v and its cause", err, ratls.ErrNoOwnEvidence)
			}
			err := <-accepted
			if err == nil {
				t.Fatal("accepted")
			}
			if r, ok := attest.RefusalIn(err); ok {
				t.Errorf("the peer refuses for %v", r)
			}
		})
	}
}

// Both ends know which evidence the other appraised, and its accelerators' too.
func TestShown(t *testing.T) {
	w := newWorld(t)
	options := func(id string) ratls.Options {
		o := w.node(t, id, ratls.RoleWorker).options
		o.Identify = w.ca.Verifier().Identify
		o.GPU = func(_ context.Context, b ratls.GPUBound) ([]byte, error) {
			return append([]byte(id+" "), b.Nonce[:]...), nil
		}
		inner := o.Appraise
		o.Appraise = func(s ratls.Shown) (attest.Appraisal, error) {
			if s.Gate == ratls.GateB && !bytes.HasSuffix(s.GPU, s.Bound.Nonce[:]) {
				t.Errorf("accelerators are bound to %x, want %x", s.GPU, s.Bound.Nonce)
			}
			return inner(s)
		}
		return o
	}
	alice, bob := listen(t, ratls.Option(options("alice"))), listen(t, ratls.Option(options("bob")))
	if err := dial(t, alice, bob); err != nil {
		t.Fatal(err)
	}
	bobs, alices := peerAt(t, alice, bob), peerAt(t, bob, alice)
	if bobs.Shown != alices.Appraisal.Evidence || alices.Shown != bobs.Appraisal.Evidence || bobs.Shown == ([32]byte{}) {
		t.Errorf("shown %x and %x, appraised %x and %x", bobs.Shown, alices.Shown, alices.Appraisal.Evidence, bobs.Appraisal.Evidence)
	}
	want := ratls.Claims{Role: ratls.RoleWorker, Contract: "0:bob"}
	if bobs.Claims != want || bobs.Gated.IsZero() {
		t.Errorf("bob claims %+v since %v", bobs.Claims, bobs.Gated)
	}
}

func goodProof() ratls.Proof {
	return ratls.Proof{TEE: attest.TDX, Report: []byte("report"), Events: []ratls.WireEvent{{Name: "config", Payload: []byte{1}}}, GPU: []byte("gpu")}
}

func goodChallenge() ratls.Challenge {
	return ratls.Challenge{Nonce: [32]byte{1}, Role: ratls.RoleWorker, Contract: "0:c", Network: -3, Registry: "0:r", Epoch: 7}
}

func frame[M ratls.Challenge | ratls.Proof](t testing.TB, m M) []byte {
	t.Helper()
	b, err := ratls.EncodeFrame(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMalformedFrames(t *testing.T) {
	if got, err := ratls.DecodeChallenge(frame(t, goodChallenge())); err != nil || !cmp.Equal(got, goodChallenge()) {
		t.Errorf("challenge: %+v, %v", got, err)
	}
	if got, err := ratls.DecodeProof(frame(t, goodProof())); err != nil || !cmp.Equal(got, goodProof()) {
		t.Errorf("proof: %+v, %v", got, err)
	}
	challenge := func(edit func(*ratls.Challenge)) []byte {
		c := goodChallenge()
		edit(&c)
		return frame(t, c)
	}
	proof := func(edit func(*ratls.Proof)) []byte {
		p := goodProof()
		edit(&p)
		return frame(t, p)
	}
	replace := func(b []byte, old, by string) []byte {
		t.Helper()
		if !bytes.Contains(b, []byte(old)) {
			t.Fatalf("%x does not contain %x", b, old)
		}
		return bytes.Replace(b, []byte(old), []byte(by), 1)
	}
	for name, b := range map[string][]byte{
		"role 0":            challenge(func(c *ratls.Challenge) { c.Role = 0 }),
		"role 4":            challenge(func(c *ratls.Challenge) { c.Role = 4 }),
		"long contract":     challenge(func(c *ratls.Challenge) { c.Contract = strings.Repeat("0", ratls.MaxGateText+1) }),
		"long registry":     challenge(func(c *ratls.Challenge) { c.Registry = strings.Repeat("0", ratls.MaxGateText+1) }),
		"short nonce":       replace(challenge(func(c *ratls.Challenge) {}), "\x58\x20\x01\x00", "\x58\x1f\x01"),
		"trailing byte":     append(frame(t, goodChallenge()), 0),
		"role in two bytes": replace(frame(t, goodChallenge()), "\x02\x03", "\x02\x18\x03"),
		"unknown field":     append(replace(frame(t, goodChallenge()), "\xa6", "\xa7"), 7, 0),
		"field twice":       append(replace(frame(t, goodChallenge()), "\xa6", "\xa7"), 6, 7),
		"no fields":         {0xa0},
		"null":              {0xf6},
		"nothing":           {},
		"indefinite":        append(replace(frame(t, goodChallenge()), "\xa6", "\xbf"), 0xff),
		"float epoch":       replace(frame(t, goodChallenge()), "\x06\x07", "\x06\xf9\x47\x00"),
		"not UTF-8":         replace(frame(t, goodChallenge()), "0:c", "0:\xff"),
	} {
		if got, err := ratls.DecodeChallenge(b); !errors.Is(err, ratls.ErrGateMessage) {
			t.Errorf("challenge with %s: %+v, %v", name, got, err)
		}
	}
	for name, b := range map[string][]byte{
		"report without TEE":  proof(func(p *ratls.Proof) { p.TEE = 0 }),
		"TEE without report":  proof(func(p *ratls.Proof) { p.Report = nil }),
		"events alone":        proof(func(p *ratls.Proof) { p.TEE, p.Report, p.GPU = 0, nil, nil }),
		"accelerators alone":  proof(func(p *ratls.Proof) { p.TEE, p.Report, p.Events = 0, nil, nil }),
		"a large report":      proof(func(p *ratls.Proof) { p.Report = make([]byte, attest.MaxReport+1) }),
		"many events":         proof(func(p *ratls.Proof) { p.Events = make([]ratls.WireEvent, attest.MaxEvents+1) }),
		"a large event":       proof(func(p *ratls.Proof) { p.Events[0].Payload = make([]byte, attest.MaxEventPayload+1) }),
		"a long event name":   proof(func(p *ratls.Proof) { p.Events[0].Name = strings.Repeat("n", ratls.MaxGateText+1) }),
		"large accelerators":  proof(func(p *ratls.Proof) { p.GPU = make([]byte, 256<<10+1) }),
		"null for none":       replace(proof(func(p *ratls.Proof) { p.GPU = nil }), "\x04\x40", "\x04\xf6"),
		"null events":         replace(proof(func(p *ratls.Proof) { p.Events = nil }), "\x03\x80", "\x03\xf6"),
		"report as an array":  replace(frame(t, goodProof()), "\x46report", "\x86\x18r\x18e\x18p\x18o\x18r\x18t"),
		"a giant array":       replace(frame(t, goodProof()), "\x03\x81", "\x03\x9b\x00\x00\x00\x01\x00\x00\x00\x00"),
		"a giant byte string": replace(frame(t, goodProof()), "\x46report", "\x5b\x7f\xff\xff\xff\xff\xff\xff\xff"),
		"trailing byte":       append(frame(t, goodProof()), 0),
		"null":                {0xf6},
	} {
		if got, err := ratls.DecodeProof(b); !errors.Is(err, ratls.ErrGateMessage) {
			t.Errorf("proof with %s: %+v, %v", name, got, err)
		}
	}
	// Each truncation and each length that is not that of the body.
	for _, whole := range [][]byte{frame(t, goodChallenge()), frame(t, goodProof())} {
		for n := range whole {
			if _, err := ratls.DecodeChallenge(whole[:n]); err == nil {
				t.Errorf("challenge of %d bytes accepted", n)
			}
			if _, err := ratls.DecodeProof(whole[:n]); err == nil {
				t.Errorf("proof of %d bytes accepted", n)
			}
		}
	}
}

// What we would send is held to the same bounds.
func TestOwnFramesAreBounded(t *testing.T) {
	p := goodProof()
	p.Report = make([]byte, attest.MaxReport+1)
	if err := ratls.WriteFrame(io.Discard, p); !errors.Is(err, ratls.ErrGateMessage) {
		t.Errorf("got %v", err)
	}
	p = ratls.Proof{TEE: attest.TDX, Report: make([]byte, attest.MaxReport), GPU: make([]byte, 256<<10)}
	for range attest.MaxEvents {
		p.Events = append(p.Events, ratls.WireEvent{Name: strings.Repeat("n", ratls.MaxGateText), Payload: make([]byte, attest.MaxEventPayload)})
	}
	var b bytes.Buffer
	if err := ratls.WriteFrame(&b, p); err != nil {
		t.Fatal(err)
	}
	if got, err := ratls.ReadProof(&b); err != nil || !bytes.Equal(frame(t, got), frame(t, p)) {
		t.Errorf("the largest proof: %v", err)
	}
}

// A length is a stranger's word: it allocates no more than the largest frame.
func TestFramesAllocateLittle(t *testing.T) {
	giant := frame(t, goodProof())
	giant = bytes.Replace(giant, []byte("\x46report"), []byte("\x5a\x7f\xff\xff\xff"), 1)
	for name, b := range map[string][]byte{
		"length":         bytes.Repeat([]byte{0xff}, 8),
		"largest length": binary.BigEndian.AppendUint32(nil, ratls.MaxProof),
		"inner length":   append(binary.BigEndian.AppendUint32(nil, uint32(len(giant))), giant...),
		"inner array":    []byte("\x00\x00\x00\x0d\xa1\x03\x9b\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := ratls.ReadProof(bytes.NewReader(b)); err == nil {
			t.Errorf("%s: accepted", name)
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
			t.Errorf("%s: %d bytes allocated", name, used)
		}
	}
}

func FuzzChallenge(f *testing.F) {
	f.Add(frame(f, goodChallenge()))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := ratls.DecodeChallenge(b); err == nil && !bytes.Equal(frame(t, c), b) {
			t.Errorf("%x is a second encoding", b)
		}
	})
}

func FuzzProof(f *testing.F) {
	f.Add(frame(f, goodProof()))
	f.Add(frame(f, ratls.Proof{}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := ratls.DecodeProof(b); err == nil && !bytes.Equal(frame(t, p), b) {
			t.Errorf("%x is a second encoding", b)
		}
	})
}
