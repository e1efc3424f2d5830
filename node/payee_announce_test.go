package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/tlb"
)

// account is the opened channel as the chain proves it.
func (e *earningEnd) account() tlb.Account {
	e.t.Helper()
	data, err := e.opened().ToCell()
	if err != nil {
		e.t.Fatal(err)
	}
	return tlb.Account{Address: e.at, Status: tlb.AccountActive, Balance: 2 * tlb.TON, Code: contracts.ChannelCode(), Data: data}
}

// Announcements of one channel at once, over one slow liteserver and one fast,
// make one payee of it: two on one journal would take back what the other wrote.
func TestAnnouncedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEarningEnd(t)
		acc, slow := e.account(), make(chan struct{})
		calls := 0
		e.payees.account = func(context.Context, *address.Address) (tlb.Account, error) {
			if calls++; calls == 1 {
				<-slow
			}
			if all, err := e.records.all(earning); err != nil || len(all) != 0 {
				t.Errorf("recorded before it was confirmed: %v, %v", all, err)
			}
			return acc, nil
		}
		var all sync.WaitGroup
		for n := range 4 {
			all.Go(func() {
				status, err := e.announced(t.Context(), peerOf(fmt.Sprint("payer ", n)), e.cfg)
				if err != nil || status.Problem != 0 || status.Channel != e.at.StringRaw() {
					t.Errorf("announcement %d: %+v, %v", n, status, err)
				}
			})
		}
		synctest.Wait()
		if len(e.list()) != 0 {
			t.Error("visible before it was confirmed")
		}
		close(slow)
		all.Wait()
		if calls != 1 {
			t.Errorf("the chain was asked %d times", calls)
		}
		recorded, err := e.records.all(earning)
		c, ok := e.current()
		if err != nil || len(recorded) != 1 || !ok || recorded[0].Peer != c.Peer || recorded[0].Deposit != tlb.TON {
			t.Fatalf("recorded %+v, %v", recorded, err)
		}
		// Whoever comes back under another peer finds the same payee.
		if _, err := e.announced(t.Context(), testPayer, e.cfg); err != nil {
			t.Fatal(err)
		}
		if moved, _ := e.current(); moved.payee != c.payee || moved.Peer != testPayer.ID {
			t.Errorf("moved to %v", moved.Peer)
		}
	})
}

// current is the channel as requests find it.
func (e *earningEnd) current() (*payeeChannel, bool) { return e.payees.at(e.at.StringRaw()) }

// Channels that do not exist cost nothing to announce; waiting for them is bounded,
// and refused announcements leave nothing behind.
func TestAnnouncedWithoutChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEarningEnd(t)
		acc := e.account()
		e.payees.account = func(_ context.Context, a *address.Address) (tlb.Account, error) {
			if a.Equals(e.at) {
				return acc, nil
			}
			return tlb.Account{Address: a}, nil
		}
		var waiting sync.WaitGroup
		for n := range maxConfirming {
			cfg := e.cfg
			cfg.Salt = uint64(n + 1)
			waiting.Go(func() {
				if _, err := e.announced(t.Context(), testPayer, cfg); !errors.Is(err, session.ErrChannelUnknown) {
					t.Errorf("channel %d does not exist: %v", n, err)
				}
			})
		}
		synctest.Wait()
		if _, err := e.announced(t.Context(), testPayer, e.cfg); !errors.Is(err, session.ErrOverloaded) {
			t.Errorf("one too many: %v", err)
		}
		waiting.Wait()
		if _, err := e.announced(t.Context(), testPayer, e.cfg); err != nil {
			t.Errorf("after the wait: %v", err)
		}
		if len(e.list()) != 1 || len(e.payees.mu.busy) != 0 {
			t.Errorf("%d channels, %d busy", len(e.list()), len(e.payees.mu.busy))
		}
		for _, c := range []struct {
			edit func(*tlb.ChannelConfig)
			want error
		}{
			{func(cfg *tlb.ChannelConfig) { cfg.Network = -239 }, session.ErrWrongNetwork},
			{func(cfg *tlb.ChannelConfig) { cfg.PayeeKey = cfg.SessionKey }, session.ErrChannelRefused},
			{func(cfg *tlb.ChannelConfig) { cfg.Payout = cfg.Payer }, session.ErrChannelRefused},
		} {
			cfg := e.cfg
			c.edit(&cfg)
			if _, err := e.announced(t.Context(), testPayer, cfg); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		}
	})
}
