package collateral

import (
	"crypto/x509"
	"errors"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// in runs a test in a bubble, with an upstream whose certificates are of its time.
func in(t *testing.T, test func(*testing.T, *upstream, *vfs.MemFS)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newUpstream(t), vfs.NewCrashableMem()) })
}

func TestFetchedInBackground(t *testing.T) {
	in(t, func(t *testing.T, u *upstream, fs *vfs.MemFS) {
		l := newLab(t, u, fs, nil)
		defer l.run()()
		synctest.Wait()
		if _, err := l.Collateral(simulated, tdx.PlatformCA); !errors.Is(err, attest.ErrNoCollateral) {
			t.Fatalf("before it was fetched: %v", err)
		}
		before := l.ID()
		synctest.Wait()
		v, err := l.Collateral(simulated, tdx.PlatformCA)
		if err != nil {
			t.Fatal(err)
		}
		if v.FMSPC() != simulated || v.CA() != tdx.PlatformCA {
			t.Errorf("collateral is about %x of the %s CA", v.FMSPC(), v.CA())
		}
		if l.ID() == before {
			t.Error("the source's identity did not change with its answers")
		}
		if got := u.asked(); got != setSize {
			t.Errorf("%d requests, want %d: %v", got, setSize, u.requests)
		}
		if got := len(documentFiles(t, fs)); got != setSize {
			t.Errorf("%d documents on disk, want %d", got, setSize)
		}
	})
}

func TestRestartNeedsNoService(t *testing.T) {
	in(t, func(t *testing.T, u *upstream, fs *vfs.MemFS) {
		l := newLab(t, u, fs, nil)
		stop := l.run()
		id := l.fetched().ID()
		stop()

		offline := newLab(t, u, fs, func(o *Options) { o.Client = nil })
		offline.open()
		v, err := offline.Collateral(simulated, tdx.PlatformCA)
		if err != nil || v.ID() != id {
			t.Fatalf("after a restart: %v", err)
		}
		if offline.ID() != l.ID() {
			t.Error("same collateral, another identity")
		}
	})
}

// What is refused leaves what is served and what is on disk as they were.
func TestRefusals(t *testing.T) {
	sameOf := func(number int) sim.CollateralFaults { return evaluation(number) }
	for _, c := range []struct {
		name string
		set  func(*upstream)
		want error
	}{
		{"not there", func(u *upstream) { u.fault = sim.NotFound }, ErrNotFound},
		{"not available", func(u *upstream) { u.fault = sim.Unavailable }, ErrUpstream},
		{"slow", func(u *upstream) { u.fault = sim.Slow }, ErrUpstream},
		{"another type", func(u *upstream) { u.fault = sim.WrongType }, ErrContentType},
		{"no issuer", func(u *upstream) { u.fault = sim.NoChain }, ErrChain},
		{"another issuer", func(u *upstream) { u.ca = must(sim.NewCA()) }, tdx.ErrCollateralSigner},
		{"expired", func(u *upstream) {
			u.faults.TCBInfo = func(i *sim.TCBInfo) { i.NextUpdate = second(time.Now().Add(-time.Hour / 2)) }
		}, tdx.ErrCollateralDates},
		{"of the future", func(u *upstream) {
			u.faults.QEIdentity = func(i *sim.QEIdentity) { i.IssueDate = second(time.Now().Add(time.Hour)) }
		}, tdx.ErrCollateralDates},
		{"another family", func(u *upstream) {
			u.faults.TCBInfo = func(i *sim.TCBInfo) { i.FMSPC = "00806F050000" }
		}, ErrRefused},
		{"altered after signing", func(u *upstream) {
			u.faults.TCBInfoJSON = func(b []byte) []byte { return append(b, ' ') }
		}, ErrRefused},
		{"older evaluation", func(u *upstream) { u.faults = sameOf(3) }, ErrRolledBack},
		{"older evaluation of the TCB only", func(u *upstream) { u.faults.TCBInfo = evaluation(3).TCBInfo }, ErrRolledBack},
		{"older evaluation of the QE only", func(u *upstream) { u.faults.QEIdentity = evaluation(3).QEIdentity }, ErrRolledBack},
		{"older root list", func(u *upstream) { u.faults.RootCRL = lists(3).RootCRL }, ErrRolledBack},
		{"older platform list", func(u *upstream) { u.faults.PCKCRL = lists(3).PCKCRL }, ErrRolledBack},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(t *testing.T, u *upstream, fs *vfs.MemFS) {
				l := newLab(t, u, fs, nil)
				defer l.run()()
				good, root := l.fetched(), u.ca.Root()
				u.set(c.set)
				time.Sleep(25 * time.Hour)
				synctest.Wait()
				if err := l.wish(simulated).err; !errors.Is(err, c.want) {
					t.Errorf("got %v, want %v", err, c.want)
				}
				v, err := l.Collateral(simulated, tdx.PlatformCA)
				if err != nil || v.TCBEvaluation() != good.TCBEvaluation() || !v.Parts()[tcbInfo].Issued.Equal(good.Parts()[tcbInfo].Issued) {
					t.Errorf("what was good is not served any longer: %v", err)
				}
				again := newLab(t, u, fs.CrashClone(vfs.CrashCloneCfg{}), func(o *Options) { o.Client, o.Roots = nil, []*x509.Certificate{root} })
				again.open()
				if again.ID() != l.ID() {
					t.Error("something else is on disk")
				}
				if l.RefreshFailures() == 0 || l.wish(simulated).failures == 0 {
					t.Error("failures were not counted")
				}
			})
		})
	}
}

// second is the precision of the manufacturer's dates.
func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Numbers that stay while dates go back: a list that is older, still valid, from
// before a revocation.
func TestOlderListOfSameNumber(t *testing.T) {
	in(t, func(t *testing.T, u *upstream, fs *vfs.MemFS) {
		l := newLab(t, u, fs, nil)
		u.faults = lists(1)
		stop := l.run()
		id := l.fetched().ID()
		old := func(r *x509.RevocationList) {
			r.Number = big.NewInt(1)
			r.ThisUpdate = time.Now().Add(-1000 * time.Hour)
		}
		u.set(func(u *upstream) { u.faults = sim.CollateralFaults{RootCRL: old, PCKCRL: old} })
		time.Sleep(25 * time.Hour)
		synctest.Wait()
		// A slow cache is no fault: the newer lists stay, the rest is taken.
		if w := l.wish(simulated); w.err != nil {
			t.Errorf("a slow cache: %v", w.err)
		}
		v := must(l.Collateral(simulated, tdx.PlatformCA))
		if v.ID() == id || time.Since(v.Parts()[rootCRL].Issued) > 100*time.Hour {
			t.Errorf("served are lists of %v", v.Parts()[rootCRL].Issued)
		}
		stop()
		// Without the newer lists at hand, the older ones are refused.
		for _, file := range documentFiles(t, fs) {
			if err := fs.Remove("/collateral/documents/" + file); err != nil {
				t.Fatal(err)
			}
		}
		again := newLab(t, u, fs, nil)
		defer again.run()()
		again.Want(simulated, tdx.PlatformCA)
		synctest.Wait()
		if err := again.wish(simulated).err; !errors.Is(err, ErrRolledBack) {
			t.Errorf("got %v, want %v", err, ErrRolledBack)
		}
	})
}

func TestMarksOutliveDocuments(t *testing.T) {
	in(t, func(t *testing.T, u *upstream, fs *vfs.MemFS) {
		l := newLab(t, u, fs, nil)
		u.faults = evaluation(20)
		stop := l.run()
		l.fetched()
		stop()
		for _, file := range documentFiles(t, fs) {
			if err := fs.Remove("/collateral/documents/" + file); err != nil {
				t.Fatal(err)
			}
		}
		u.faults = evaluation(19)
		again := newLab(t, u, fs, nil)
		defer again.run()()
		again.Want(simulated, tdx.PlatformCA)
		synctest.Wait()
		if err := again.wish(simulated).err; !errors.Is(err, ErrRolledBack) || !strings.Contains(err.Error(), "19") {
			t.Errorf("got %v, want %v", err, ErrRolledBack)
		}
		if n := len(documentFiles(t, fs)); n != 0 {
			t.Errorf("%d refused documents were written", n)
		}
		// The next evaluation is taken, within an hour.
		u.set(func(u *upstream) { u.faults = evaluation(21) })
		time.Sleep(maxWait)
		synctest.Wait()
		if v, err := again.Collateral(simulated, tdx.PlatformCA); err != nil || v.TCBEvaluation() != 21 {
			t.Errorf("the newer evaluation: %v", err)
		}
	})
}

// An older copy of the documents is not served even without any service.
func TestOlderDocumentsOnDisk(t *testing.T) {
	in(t, func(t *testing.T, u *upstream, fs *vfs.MemFS) {
		l := newLab(t, u, fs, nil)
		stop := l.run()
		l.fetched()
		old := map[string][]byte{}
		for _, file := range documentFiles(t, fs) {
			old[file] = must(readFile(fs, "/collateral/documents/"+file, maxDocument))
		}
		u.set(func(u *upstream) { u.faults = evaluation(99) })
		time.Sleep(25 * time.Hour)
		synctest.Wait()
		if v := must(l.Collateral(simulated, tdx.PlatformCA)); v.TCBEvaluation() != 99 {
			t.Fatalf("evaluation %d", v.TCBEvaluation())
		}
		stop()
		for file, content := range old {
			if err := writeFile(fs, "/collateral/documents", file, content); err != nil {
				t.Fatal(err)
			}
		}
		again := newLab(t, u, fs, func(o *Options) { o.Client = nil })
		again.open()
		if _, err := again.Collateral(simulated, tdx.PlatformCA); !errors.Is(err, attest.ErrNoCollateral) {
			t.Errorf("got %v, want %v", err, attest.ErrNoCollateral)
		}
		if err := again.wish(simulated).err; !errors.Is(err, ErrRolledBack) {
			t.Errorf("got %v, want %v", err, ErrRolledBack)
		}
	})
}

// A new root list that revokes one set's signer ends that set at once, though
// another set's turn brought it.
func TestRevokedSignerOfAnotherSet(t *testing.T) {
	in(t, func(t *testing.T, u *upstream, fs *vfs.MemFS) {
		l := newLab(t, u, fs, func(o *Options) { o.Client = nil })
		l.open()
		first := must(u.ca.Collateral())
		if _, err := l.Import(bundleOf(t, first)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		signer := must(certificatesIn(first.TCBInfoChain))[0]
		later := must(u.ca.FaultyCollateral(sim.CollateralFaults{
			Signer:  func(c *x509.Certificate) { c.SerialNumber = big.NewInt(42) },
			TCBInfo: func(i *sim.TCBInfo) { i.FMSPC = "B0C06F000000" },
			RootCRL: func(r *x509.RevocationList) {
				r.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: signer.SerialNumber, RevocationTime: time.Now().Add(-2 * time.Hour)}}
			},
		}))
		if _, err := l.Import(bundleOf(t, later)); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Collateral(other, tdx.PlatformCA); err != nil {
			t.Error(err)
		}
		if _, err := l.Collateral(simulated, tdx.PlatformCA); !errors.Is(err, attest.ErrNoCollateral) {
			t.Errorf("signed by a revoked signer: got %v, want %v", err, attest.ErrNoCollateral)
		}
		if err := l.wish(simulated).err; !errors.Is(err, attest.ErrRevoked) {
			t.Errorf("got %v, want %v", err, attest.ErrRevoked)
		}
	})
}
