package sandbox_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/tussah-network/tussah/sandbox"
)

// TestWriteFaults lets the disk fail at each of its writes in turn, once or
// from then on. The chain stops with an error, and says so from then on; what is
// opened afterwards is a whole step, the last acknowledged one or the one after.
func TestWriteFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		fault   error
		lasting bool
		step    int64
	}{{"the disk is full", syscall.ENOSPC, true, 1}, {"an error", syscall.EIO, false, 2}} {
		t.Run(c.name, func(t *testing.T) {
			n := int64(0)
			for writeFault(t, c.fault, c.lasting, n) {
				n += c.step
			}
			t.Logf("%d writes", n)
			if n < 40 {
				t.Error("hardly anything was written")
			}
		})
	}
}

// writeFault goes through some steps and fails at the n-th write; false if
// there were fewer.
func writeFault(t *testing.T, fault error, lasting bool, n int64) (came bool) {
	t.Helper()
	var writes, failed atomic.Int64
	disk := vfs.NewCrashableMem()
	o := manual(errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() != errorfs.OpIsWrite {
			return nil
		}
		at := writes.Add(1) - 1
		if at == n || at > n && lasting {
			failed.Add(1)
			return fault
		}
		return nil
	})))
	acknowledged := -1 // steps, the genesis included
	var err error
	for life := 0; life < 2 && err == nil; life++ {
		var chain *sandbox.Chain
		if chain, err = sandbox.Open(o); err != nil {
			break
		}
		acknowledged = max(acknowledged, 0)
		for i := 2 * life; i < 2*life+2 && err == nil; i++ {
			if err = chain.Send(t.Context(), give(t, uint64(i), steps[i].to, steps[i].amount, steps[i].bounce)); err != nil {
				break
			}
			if _, err = chain.Seal(t.Context()); err == nil {
				acknowledged++
			}
		}
		if err != nil {
			if _, again := chain.Seal(t.Context()); again == nil {
				t.Errorf("write %d: the chain goes on after: %v", n, err)
			}
		}
		err = errors.Join(err, chain.Close())
	}
	if err != nil && !errors.Is(err, fault) {
		t.Errorf("write %d: %v", n, err)
	}
	if err == nil && failed.Load() > 0 {
		// Some failures are no loss: of a file that is not needed any more.
		t.Logf("write %d: nobody minds", n)
	}
	keep := int(n%3) * 50 // percent of what was not synced
	checkWhole(t, disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: keep, RNG: seeded(n)}), acknowledged, fmt.Sprintf("write %d, %d%% kept", n, keep))
	return failed.Load() > 0
}

// checkWhole opens a chain that ended in a crash.
func checkWhole(t *testing.T, disk vfs.FS, acknowledged int, when string) {
	t.Helper()
	chain, err := sandbox.Open(manual(disk))
	if err != nil && acknowledged < 0 {
		t.Logf("%s: a folder that was never finished does not open: %v", when, err)
		return
	}
	if err != nil {
		t.Errorf("%s: reopen: %v", when, err)
		return
	}
	defer chain.Close()
	head := int(chain.MasterHead().SeqNo)
	if head < acknowledged || head > acknowledged+1 {
		t.Errorf("%s: head is %d, %d were acknowledged", when, head, acknowledged)
	}
	checkStates(t, chain, 0)
	checkConserved(t, chain)
	if _, err := chain.Seal(t.Context()); err != nil {
		t.Errorf("%s: seal: %v", when, err)
	}
}

// TestReadFaults lets every read fail from some time on.
func TestReadFaults(t *testing.T) {
	t.Parallel()
	good := vfs.NewCrashableMem()
	o := manual(good)
	o.CacheBytes = 1
	o.Genesis, _, _ = actors()
	chain, err := sandbox.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		takeStep(t, chain, i)
	}
	if err := chain.Close(); err != nil {
		t.Fatal(err)
	}
	for n := int64(0); ; n += 19 {
		disk := good.CrashClone(vfs.CrashCloneCfg{})
		var reads, failed atomic.Int64
		o.FS = errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
			if op.Kind != errorfs.OpFileReadAt && op.Kind != errorfs.OpFileRead {
				return nil
			}
			if reads.Add(1)-1 < n {
				return nil
			}
			failed.Add(1)
			return syscall.EIO
		}))
		if chain, err = sandbox.Open(o); err == nil {
			// Sent to an account, so that it is not the message's fault.
			err = chain.Send(t.Context(), order(t, account(base, 10), account(base, 2), 5, 0, false, 1))
			if errors.Is(err, sandbox.ErrNotAccepted) {
				t.Fatalf("read %d: %v", n, err)
			}
			if err == nil {
				_, err = chain.Seal(t.Context())
			}
			if err != nil {
				if _, again := chain.Seal(t.Context()); again == nil {
					t.Errorf("read %d: the chain goes on after: %v", n, err)
				}
			}
			_ = chain.Close()
		}
		// Built with the tag "reference", the emulator may be the first to miss a cell.
		if err != nil && !errors.Is(err, syscall.EIO) && !strings.Contains(err.Error(), "the reference emulator refuses the input") {
			t.Errorf("read %d: %v", n, err)
		}
		if failed.Load() == 0 {
			t.Logf("%d reads", n)
			return
		}
		if err == nil {
			t.Logf("read %d: nobody minds", n)
		}
	}
}
