package channel_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet/channel"
)

// pebbleStore is a Store over the whole of a database.
type pebbleStore struct {
	db   *pebble.DB
	sync *pebble.WriteOptions
}

func openPebble(t testing.TB, fs vfs.FS, sync *pebble.WriteOptions, dir string) pebbleStore {
	t.Helper()
	db, err := pebble.Open(dir, &pebble.Options{FS: fs, FormatMajorVersion: pebble.FormatNewest, MemTableSize: 64 << 10, Logger: silent{}})
	if err != nil {
		t.Fatal(err)
	}
	return pebbleStore{db, sync}
}

type silent struct{}

func (silent) Infof(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
func (silent) Fatalf(format string, args ...any) {
	panic(format)
}

func (s pebbleStore) Get(key []byte) ([]byte, bool, error) {
	v, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return append([]byte{}, v...), true, closer.Close()
}

func (s pebbleStore) Commit(write func(set func(key, value []byte), del func(key []byte))) error {
	b := s.db.NewBatch()
	var failed error
	write(func(key, value []byte) { failed = errors.Join(failed, b.Set(key, value, nil)) },
		func(key []byte) { failed = errors.Join(failed, b.Delete(key, nil)) })
	return errors.Join(failed, b.Commit(s.sync))
}

// acknowledged is what the ends have been told is safe.
type acknowledged struct{ signed, seq, accepted, spent atomic.Uint64 }

func raise(n *atomic.Uint64, to uint64) {
	for {
		old := n.Load()
		if to <= old || n.CompareAndSwap(old, to) {
			return
		}
	}
}

// TestPowerLoss cuts the power at 300 moments while requests run,
// with part of the unsynced data surviving, and looks for anything that was
// acknowledged before and is gone.
func TestPowerLoss(t *testing.T) {
	const points = 300
	lost, opened := powerLoss(t, pebble.Sync, points)
	if lost != 0 || opened != points {
		t.Errorf("%d of %d crashes lost something", lost, opened)
	}
	// The control: without fsync the same test must see losses.
	if lost, opened := powerLoss(t, pebble.NoSync, 20); lost == 0 {
		t.Errorf("without fsync, %d crashes lost nothing: the test is blind", opened)
	}
}

func powerLoss(t *testing.T, sync_ *pebble.WriteOptions, points int) (lost, opened int) {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	fs := vfs.NewCrashableMem()
	store := openPebble(t, fs, sync_, "db")
	deposit := tlb.TON
	alice := payer(t, store, config, deposit, channel.Options{Window: 100})
	bob := payee(t, store, config, deposit, channel.Options{})

	var ack acknowledged
	var running sync.WaitGroup
	requests := make(chan channel.Request, 4) // a few per crash, so that it falls in the middle of some
	for range 8 {
		running.Go(func() {
			for id := range requests {
				if err := payOne(t, alice, bob, id, &ack); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for point := range points {
		for i := range 2 {
			requests <- channel.Request{byte(i), byte(point), byte(point >> 8)}
		}
		// What is acknowledged now must survive any later crash.
		signed, seq, accepted, spent := ack.signed.Load(), ack.seq.Load(), ack.accepted.Load(), ack.spent.Load()
		clone := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(101), RNG: random})
		after := openPebble(t, clone, pebble.Sync, "db")
		a := payer(t, after, config, deposit, channel.Options{}).State()
		b := payee(t, after, config, deposit, channel.Options{}).State()
		if uint64(a.Authorised) < signed || a.Last.Seq < seq || uint64(b.Authorised) < accepted || uint64(b.Spent) < spent ||
			b.Authorised > a.Authorised {
			lost++
		}
		opened++
		if err := after.db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	close(requests)
	running.Wait()
	if err := errors.Join(alice.Close(), bob.Close(), store.db.Close()); err != nil {
		t.Fatal(err)
	}
	return lost, opened
}

// payOne runs one request of three parts between the ends.
func payOne(t testing.TB, alice *channel.Payer, bob *channel.Payee, id channel.Request, ack *acknowledged) error {
	ctx := t.Context()
	accept := func(v tlb.SignedVoucher) error {
		raise(&ack.signed, uint64(v.Voucher.Cumulative))
		raise(&ack.seq, v.Voucher.Seq)
		err := bob.Accept(ctx, v)
		if err == nil {
			raise(&ack.accepted, uint64(v.Voucher.Cumulative))
		}
		if errors.Is(err, channel.ErrVoucherLow) { // another request's voucher overtook this one
			return nil
		}
		return err
	}
	v, err := alice.Begin(ctx, id, 60, 150)
	if err != nil {
		return err
	}
	if err := accept(v); err != nil {
		return err
	}
	for { // the voucher that overtook ours may still be on its way to disk
		err := bob.Begin(ctx, id, 60)
		if _, wait := errors.AsType[channel.ErrUnderauthorised](err); wait {
			time.Sleep(100 * time.Microsecond)
			continue
		}
		if err != nil {
			return err
		}
		break
	}
	for total := tlb.Nano(50); total <= 150; total += 50 {
		if err := bob.WaitAuthorised(ctx, id, total); err != nil {
			return err
		}
		v, send, err := alice.Extend(ctx, id, total)
		if err != nil {
			return err
		}
		if send {
			if err := accept(v); err != nil {
				return err
			}
		}
	}
	spent, err := bob.Finish(ctx, id, 150)
	if err != nil {
		return err
	}
	raise(&ack.spent, uint64(spent))
	return alice.Finish(ctx, id, signReceipt(t, receiptFor(t, config, id, 150, spent), bobKey))
}
