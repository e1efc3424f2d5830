package channel_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet/channel"
)

// TestStatusIsOnDisk asks for the status while the write of a finished request is
// under way: a payer that squared its books with more than a crash leaves would
// call every later statement of the payee's wrong.
func TestStatusIsOnDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		disk := newMemory()
		alice := payer(t, newMemory(), config, tlb.TON, channel.Options{})
		bob := payee(t, disk, config, tlb.TON, channel.Options{})
		v, err := alice.Begin(ctx, id("one"), 1000, 1000)
		if err == nil {
			err = bob.Accept(ctx, v)
		}
		if err == nil {
			err = bob.Begin(ctx, id("one"), 1000)
		}
		if err != nil {
			t.Fatal(err)
		}
		hold := make(chan struct{})
		disk.before = func() error { <-hold; return nil }
		finished := make(chan error, 1)
		go func() {
			_, err := bob.Finish(ctx, id("one"), 1000)
			finished <- err
		}()
		synctest.Wait() // the write of Finish hangs
		told := make(chan channel.PayeeState, 1)
		go func() {
			status, err := bob.Status()
			if err != nil {
				t.Error(err)
			}
			told <- status
		}()
		synctest.Wait()
		select {
		case s := <-told:
			t.Errorf("told %d spent, which is not on disk", s.Spent)
		default:
		}
		close(hold)
		status := <-told
		crashed := disk.clone()
		if err := <-finished; err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(alice.Abandon(ctx, id("one")), alice.Ask(), alice.Reconcile(ctx, status.Held, status.Spent)); err != nil {
			t.Fatal(err)
		}
		again, err := payee(t, crashed, config, tlb.TON, channel.Options{}).Status()
		if err != nil {
			t.Fatal(err)
		}
		ask(t, alice)
		if err := alice.Reconcile(ctx, again.Held, again.Spent); err != nil || again.Spent != 1000 {
			t.Errorf("after a crash the payee states %d spent: %v", again.Spent, err)
		}
	})
}

// TestStatusAlways: a payer may ask at any time, and gets no answer that a broken
// journal cannot keep.
func TestStatusAlways(t *testing.T) {
	disk := newMemory()
	bob, err := channel.OpenPayee(disk, config, channel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		phase channel.Phase
		step  func() error
	}{
		{channel.Unconfirmed, func() error { return nil }},
		{channel.Open, func() error { return bob.UpdateDeposit(opened(config, 1000, 0)) }},
		{channel.Draining, func() error { _, err := bob.ConsentClose(bobKey); return err }},
		{channel.Closed, bob.Gone},
	} {
		if err := c.step(); err != nil {
			t.Fatal(err)
		}
		if s, err := bob.Status(); err != nil || s.Phase != c.phase {
			t.Errorf("status says %v, %v; want %v", s.Phase, err, c.phase)
		}
	}
	before := disk.written()
	for range 10 {
		if _, err := bob.Status(); err != nil {
			t.Fatal(err)
		}
	}
	if n := disk.written() - before; n != 0 {
		t.Errorf("asking ten times wrote %d times", n)
	}
	disk.before = func() error { return errors.New("disk full") }
	carol := payee(t, newMemory(), config, 1000, channel.Options{})
	if err := carol.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := carol.Status(); !errors.Is(err, channel.ErrStopped) {
		t.Errorf("stopped: %v", err)
	}
	dave := config
	dave.Salt++
	broken := payee(t, disk, dave, 1000, channel.Options{})
	if _, err := broken.Status(); !errors.Is(err, channel.ErrJournal) {
		t.Errorf("its first status cannot be written: %v", err)
	}
}
