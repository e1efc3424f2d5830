package collateral

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// filled is a folder with one set, and what is in it.
func filled(t *testing.T, u *upstream, fs vfs.FS) map[string][]byte {
	t.Helper()
	l := newLab(t, u, fs, func(o *Options) { o.Client = nil })
	l.open()
	if _, err := l.Import(bundleOf(t, must(u.ca.FaultyCollateral(u.faults)))); err != nil {
		t.Fatal(err)
	}
	l.Close()
	files := map[string][]byte{}
	for _, file := range documentFiles(t, fs) {
		files[file] = must(readFile(fs, "/collateral/documents/"+file, maxDocument))
	}
	return files
}

func TestEveryBitOfEveryFile(t *testing.T) {
	u, fs := newUpstream(t), vfs.NewMem()
	for file, content := range filled(t, u, fs) {
		d := must(parseDocument(content))
		if again := must(d.encode()); !bytes.Equal(again, content) {
			t.Fatalf("%s is written in another way", file)
		}
		for i := range content {
			content[i] ^= 1 << (i % 8)
			if _, err := parseDocument(content); !errors.Is(err, ErrDamaged) {
				t.Fatalf("%s, byte %d altered: %v", file, i, err)
			}
			content[i] ^= 1 << (i % 8)
		}
		for _, n := range []int{0, 1, len(content) / 2, len(content) - 1} {
			if _, err := parseDocument(content[:n]); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s cut to %d: %v", file, n, err)
			}
		}
	}
	content := must(readFile(fs, "/collateral/marks", maxMarks))
	for i := range content {
		for bit := range 8 {
			content[i] ^= 1 << bit
			if at, err := parseMarks(content); err == nil {
				t.Fatalf("marks, byte %d altered: %v", i, at)
			}
			content[i] ^= 1 << bit
		}
	}
}

func TestDamagedDocumentIsMovedAside(t *testing.T) {
	u, fs := newUpstream(t), vfs.NewMem()
	for file, content := range filled(t, u, fs) {
		t.Run(file, func(t *testing.T) {
			content := bytes.Clone(content)
			content[len(content)/2] ^= 1
			fs := vfs.NewMem()
			filled(t, u, fs)
			if err := writeFile(fs, "/collateral/documents", file, content); err != nil {
				t.Fatal(err)
			}
			l := newLab(t, u, fs, func(o *Options) { o.Client = nil })
			l.open()
			if _, err := l.Collateral(simulated, tdx.PlatformCA); !errors.Is(err, attest.ErrNoCollateral) {
				t.Errorf("served from a damaged file: %v", err)
			}
			if got := l.Status().Damaged; len(got) != 1 || got[0].File != file {
				t.Errorf("reported: %v", got)
			}
			if _, err := fs.Stat("/collateral/damaged/" + file); err != nil {
				t.Error(err)
			}
			if n := len(documentFiles(t, fs)); n != setSize-1 {
				t.Errorf("%d files are left", n)
			}
		})
	}
}

// A file in place of another is damage, too: it is what it says, not where.
func TestMisplacedDocument(t *testing.T) {
	u, fs := newUpstream(t), vfs.NewMem()
	files := filled(t, u, fs)
	if err := writeFile(fs, "/collateral/documents", QEIdentity().file(), files[RootCRL().file()]); err != nil {
		t.Fatal(err)
	}
	_, damaged, err := (&store{fs: fs, dir: "/collateral"}).load()
	if err != nil || !errors.Is(damaged[QEIdentity().file()], ErrDamaged) {
		t.Errorf("got %v, %v", damaged, err)
	}
}

func TestWithoutMarks(t *testing.T) {
	for name, spoil := range map[string]func(vfs.FS) error{
		"missing": func(fs vfs.FS) error { return fs.Remove("/collateral/marks") },
		"damaged": func(fs vfs.FS) error {
			content := must(readFile(fs, "/collateral/marks", maxMarks))
			content[len(content)/2] ^= 1
			return writeFile(fs, "/collateral", marksFile, content)
		},
		"empty": func(fs vfs.FS) error { return writeFile(fs, "/collateral", marksFile, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			u, fs := newUpstream(t), vfs.NewMem()
			filled(t, u, fs)
			if err := spoil(fs); err != nil {
				t.Fatal(err)
			}
			l := newLab(t, u, fs, nil)
			if err := l.Open(); !errors.Is(err, ErrMarks) {
				t.Fatalf("got %v, want %v", err, ErrMarks)
			}
			if err := l.Run(t.Context()); !errors.Is(err, ErrClosed) {
				t.Errorf("run: got %v, want %v", err, ErrClosed)
			}
			if _, err := l.Collateral(simulated, tdx.PlatformCA); !errors.Is(err, attest.ErrNoCollateral) {
				t.Errorf("served: %v", err)
			}
		})
	}
}

func TestFolderIsLocked(t *testing.T) {
	u, dir := newUpstream(t), filepath.Join(t.TempDir(), "a", "b")
	here := func(o *Options) { o.Dir, o.fs, o.Client = dir, vfs.Default, nil }
	l := newLab(t, u, nil, here)
	l.open()
	if _, err := l.Import(bundleOf(t, must(u.ca.Collateral()))); err != nil {
		t.Fatal(err)
	}
	second := newLab(t, u, nil, here)
	if err := second.Open(); !errors.Is(err, ErrLocked) {
		t.Fatalf("got %v, want %v", err, ErrLocked)
	}
	looks := newLab(t, u, nil, func(o *Options) { here(o); o.ReadOnly = true })
	looks.open()
	if _, err := looks.Collateral(simulated, tdx.PlatformCA); err != nil {
		t.Error(err)
	}
	if err := looks.Run(t.Context()); !errors.Is(err, ErrReadOnly) {
		t.Errorf("got %v, want %v", err, ErrReadOnly)
	}
	if _, err := looks.Import(bundleOf(t, must(u.ca.Collateral()))); !errors.Is(err, ErrReadOnly) {
		t.Errorf("got %v, want %v", err, ErrReadOnly)
	}
	l.Close()
	if _, err := l.Import(bundleOf(t, must(u.ca.Collateral()))); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want %v", err, ErrClosed)
	}
	second.open()
}

// Whatever write a crash comes after, what is left is served, is never below what
// was served before, and what is older than it is refused.
func TestCrashBetweenWrites(t *testing.T) {
	u := newUpstream(t)
	u.faults = evaluation(20)
	crash := errors.New("crash")
	for at, done := 0, false; !done; at++ {
		for _, lost := range []int{0, 50} {
			if lost > 0 && at%3 != 0 {
				continue
			}
			fs := vfs.NewCrashableMem()
			filled(t, u, fs)
			next := must(u.ca.FaultyCollateral(evaluation(21)))
			writes, dead := 0, false
			broken := errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
				if op.Kind.ReadOrWrite() == errorfs.OpIsWrite || op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpOpenDir {
					writes++
					dead = dead || writes > at
				}
				if dead {
					return crash
				}
				return nil
			}))
			l := newLab(t, u, broken, func(o *Options) { o.Client = nil })
			var served uint32
			if err := l.Open(); err == nil {
				_, err = l.Import(bundleOf(t, next))
				if done = err == nil; done {
					served = must(l.Collateral(simulated, tdx.PlatformCA)).TCBEvaluation()
				} else if v, err := l.Collateral(simulated, tdx.PlatformCA); err == nil {
					served = v.TCBEvaluation()
				}
			}
			after := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: lost, RNG: rand.New(rand.NewPCG(uint64(at), 1))})
			l = newLab(t, u, after, func(o *Options) { o.Client = nil })
			if err := l.Open(); err != nil {
				t.Fatalf("crash after write %d, %d%% kept: %v", at, lost, err)
			}
			v, err := l.Collateral(simulated, tdx.PlatformCA)
			if err != nil {
				t.Fatalf("crash after write %d, %d%% kept: %v; %+v", at, lost, err, l.Status())
			}
			if v.TCBEvaluation() < served || v.TCBEvaluation() < 20 {
				t.Fatalf("crash after write %d: evaluation %d was served, now %d", at, served, v.TCBEvaluation())
			}
			if v.TCBEvaluation() == 21 {
				if _, err := l.Import(bundleOf(t, must(u.ca.FaultyCollateral(evaluation(20))))); !errors.Is(err, ErrRolledBack) {
					t.Fatalf("crash after write %d: older set: %v", at, err)
				}
			}
			l.Close()
		}
		if at > 100 {
			t.Fatal("it never ends")
		}
	}
}

// A full disk keeps what is new from being used, and nothing else.
func TestDiskFull(t *testing.T) {
	in(t, func(t *testing.T, u *upstream, fs *vfs.MemFS) {
		full := errors.New("disk is full")
		var toggle atomic.Bool
		broken := errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
			if toggle.Load() && op.Kind == errorfs.OpFileWrite {
				return full
			}
			return nil
		}))
		l := newLab(t, u, broken, nil)
		defer l.run()()
		id := l.fetched().ID()
		toggle.Store(true)
		time.Sleep(25 * time.Hour)
		synctest.Wait()
		if err := l.wish(simulated).err; !errors.Is(err, full) {
			t.Errorf("got %v", err)
		}
		if v := must(l.Collateral(simulated, tdx.PlatformCA)); v.ID() != id {
			t.Error("what could not be written is used")
		}
		toggle.Store(false)
		time.Sleep(maxWait)
		synctest.Wait()
		if v := must(l.Collateral(simulated, tdx.PlatformCA)); v.ID() == id {
			t.Error("it is not refreshed when there is room again")
		}
	})
}

func TestMarksRoundTrip(t *testing.T) {
	at := map[string]uint64{"tdx/a/qe": 0, "tdx/a/tcb/00": 1<<64 - 1, "amd/x/crl": 7}
	file := encodeMarks(at)
	if got := must(parseMarks(file)); !maps.Equal(got, at) {
		t.Errorf("got %v, want %v", got, at)
	}
	for _, bad := range []string{"tdx/a 18446744073709551616", "tdx/a 01", "TDX 1", "a  1", "a -1"} {
		if got, err := parseMarks(fmt.Appendf([]byte(marksHead), "%s\n%s", bad, file[len(file)-72:])); err == nil {
			t.Errorf("%q: %v", bad, got)
		}
	}
}

// Names are the only thing that requests are made of.
func TestNames(t *testing.T) {
	good := []Name{TCBInfo(simulated), QEIdentity(), RootCRL(), PCKCRL(tdx.PlatformCA), must(AMDChain("Genoa")), must(AMDCRL("Turin")),
		must(RIM("NV_GPU_DRIVER_GH100_550.90.07")), must(OCSP([]byte{0x30, 1, 0})),
		must(VCEK("Genoa", make([]byte, 64), SNPVersion{1, 2, 3, 255, 0})), must(VCEK("Turin", make([]byte, 8), SNPVersion{1, 2, 3, 4, 5}))}
	files := map[string]bool{}
	for _, n := range good {
		again, err := parseName(n.String())
		if err != nil || again != n {
			t.Errorf("%s: %v", n, err)
		}
		if f := n.file(); files[f] || len(f) > 120 || filepath.Base(f) != f {
			t.Errorf("%s is in file %q", n, f)
		}
		files[n.file()] = true
	}
	for _, bad := range []string{"", "/", "tcb", "tcb/", "tcb/90C06F000000", "tcb/90c06f00000000", "qe/", "qe/x", "pckcrl/root", "amdchain/../x",
		"amdcrl/genoa", "rim/..", "rim/a/b", "rim/%2e%2e", "rim/a?b", "ocsp/31", "ocsp/300", "vcek/Genoa/00/1/2/3/4", "x/y"} {
		if n, err := parseName(bad); !errors.Is(err, ErrName) {
			t.Errorf("%q is a name: %v", bad, n)
		}
	}
	if _, err := VCEK("Genoa", make([]byte, 63), SNPVersion{}); !errors.Is(err, ErrName) {
		t.Errorf("a chip id of 63 bytes: %v", err)
	}
	l := New(Options{})
	for _, n := range []Name{{}, QEIdentity(), TCBInfo(simulated)} {
		if err := l.WantDocument(n, func([]byte) error { return nil }); !errors.Is(err, ErrName) {
			t.Errorf("%s by itself: %v", n, err)
		}
	}
	if err := l.WantDocument(must(AMDChain("Genoa")), nil); !errors.Is(err, ErrName) {
		t.Errorf("without a check: %v", err)
	}
}

// Everybody at once; the race detector is the judge.
func TestConcurrency(t *testing.T) {
	u := newUpstream(t)
	l := newLab(t, u, vfs.NewMem(), func(o *Options) { o.Every = time.Nanosecond })
	stop := l.run()
	defer stop()
	set := must(u.ca.Collateral())
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	done := make(chan bool)
	acts := []func(){
		func() { l.Collateral(simulated, tdx.PlatformCA) },
		func() { l.Collateral(other, tdx.PlatformCA) },
		func() { l.Want(simulated, tdx.PlatformCA); l.ID() },
		func() { l.Status(); l.SecondsToExpiry(); l.RefreshFailures() },
		func() { l.Import(bundleOf(t, set)) },
		func() { l.Export(new(bytes.Buffer)) },
		func() {
			u.set(func(u *upstream) { u.fault = sim.Fault(len(u.requests) % 3) })
			time.Sleep(time.Millisecond)
		},
	}
	for _, act := range acts {
		go func() {
			for ctx.Err() == nil {
				act()
			}
			done <- true
		}()
	}
	for range acts {
		<-done
	}
	if _, err := l.Collateral(simulated, tdx.PlatformCA); err != nil {
		t.Error(err)
	}
}
