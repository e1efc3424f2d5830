package collateral

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// lasting serves documents that run out after a time.
func lasting(life time.Duration) sim.CollateralFaults {
	return sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) { i.NextUpdate = second(time.Now().Add(life)) }}
}

func TestDue(t *testing.T) {
	const hour = time.Hour
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name           string
		offline        bool
		every          time.Duration
		checked, after time.Duration // before and after now
		want           time.Duration // without jitter
	}{
		{name: "daily", after: 720 * hour, want: 24 * hour},
		{name: "half of its life", every: 9999 * hour, after: 720 * hour, want: 360 * hour},
		{name: "a day before its end", every: 9999 * hour, after: 40 * hour, want: 16 * hour},
		{name: "short life", after: 10 * hour, want: 5 * hour},
		{name: "fetched long ago", checked: 23 * hour, after: 720 * hour, want: hour},
		{name: "overdue", checked: 999 * hour, after: 720 * hour, want: backoff},
		{name: "expired", after: -hour, want: backoff},
		{name: "offline: a day before its end", offline: true, after: 720 * hour, want: 696 * hour},
		{name: "offline: last day", offline: true, after: 3 * hour, want: backoff},
	} {
		o := Options{Every: c.every, Client: &Client{}}
		if c.offline {
			o.Client = nil
		}
		s := New(o)
		for range 20 {
			got := s.due(now, &wish{checked: now.Add(-c.checked), expires: now.Add(c.after)}).Sub(now)
			if got > c.want || got < c.want*9/10 {
				t.Errorf("%s: due in %v, want %v less a tenth at most", c.name, got, c.want)
			}
		}
	}
}

func TestRefreshAheadOfExpiry(t *testing.T) {
	in(t, func(t *testing.T, u *upstream, fs *vfs.MemFS) {
		u.faults = lasting(72 * time.Hour)
		l := newLab(t, u, fs, func(o *Options) { o.Every = 9999 * time.Hour })
		defer l.run()()
		first := l.fetched()
		for range 10 * 24 {
			time.Sleep(time.Hour)
			v, err := l.Collateral(simulated, tdx.PlatformCA)
			if err != nil {
				t.Fatalf("a gap: %v", err)
			}
			if left := time.Until(v.Expires()); left < 35*time.Hour {
				t.Fatalf("%v before its end it was not refreshed", left)
			}
		}
		if v := must(l.Collateral(simulated, tdx.PlatformCA)); v.ID() == first.ID() {
			t.Error("it was never refreshed")
		}
		if n := u.asked(); n > 40*setSize || n < 5*setSize {
			t.Errorf("%d requests in ten days", n)
		}
		if len(l.alerted()) != 0 {
			t.Errorf("alerts: %v", l.alerted())
		}
	})
}

func TestFailingServiceServesAndAlerts(t *testing.T) {
	in(t, func(t *testing.T, u *upstream, fs *vfs.MemFS) {
		u.faults = lasting(96 * time.Hour)
		l := newLab(t, u, fs, nil)
		defer l.run()()
		v := l.fetched()
		u.set(func(u *upstream) { u.fault = sim.Unavailable })
		time.Sleep(71 * time.Hour)
		if got := l.alerted(); len(got) != 0 {
			t.Fatalf("alert while there is time: %v", got)
		}
		requests := u.asked()
		if requests > 4*100 {
			t.Errorf("%d requests to a service that fails", requests)
		}
		time.Sleep(3 * time.Hour)
		got := l.alerted()
		if len(got) == 0 || got[0].Name != "tdx/90c06f000000/platform" || !got[0].Expires.Equal(v.Expires()) || !errors.Is(got[0].Err, ErrUpstream) {
			t.Fatalf("alerts: %v", got)
		}
		if _, err := l.Collateral(simulated, tdx.PlatformCA); err != nil {
			t.Errorf("it is valid still: %v", err)
		}
		if left := l.SecondsToExpiry(); left <= 0 || left > 24*3600 {
			t.Errorf("metric says %v seconds", left)
		}
		time.Sleep(24 * time.Hour)
		if _, err := l.Collateral(simulated, tdx.PlatformCA); !errors.Is(err, attest.ErrNoCollateral) {
			t.Errorf("after its end: %v", err)
		}
		if left := l.SecondsToExpiry(); left >= 0 {
			t.Errorf("metric says %v seconds after the end", left)
		}
		u.set(func(u *upstream) { u.fault = sim.NoFault })
		time.Sleep(maxWait)
		synctest.Wait()
		if _, err := l.Collateral(simulated, tdx.PlatformCA); err != nil {
			t.Errorf("after the service is back: %v", err)
		}
	})
}

// Offline, the alert is the only thing that can be done.
func TestOfflineAlert(t *testing.T) {
	in(t, func(t *testing.T, u *upstream, fs *vfs.MemFS) {
		l := newLab(t, u, fs, func(o *Options) { o.Client = nil })
		defer l.run()()
		c := must(u.ca.FaultyCollateral(lasting(96 * time.Hour)))
		if n, err := l.Import(bundleOf(t, c)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		time.Sleep(60 * time.Hour)
		if got := l.alerted(); len(got) != 0 || l.RefreshFailures() != 0 {
			t.Errorf("alerts %v, %v failures while there is time", got, l.RefreshFailures())
		}
		time.Sleep(13 * time.Hour)
		if got := l.alerted(); len(got) == 0 || !errors.Is(got[0].Err, ErrOffline) {
			t.Errorf("alerts: %v", got)
		}
	})
}

func TestForgotten(t *testing.T) {
	in(t, func(t *testing.T, u *upstream, fs *vfs.MemFS) {
		l := newLab(t, u, fs, nil)
		defer l.run()()
		l.fetched()
		time.Sleep(forgotten + 48*time.Hour)
		synctest.Wait()
		if got := l.Status(); len(got.Subjects) != 0 {
			t.Errorf("nobody asked for %v", got.Subjects)
		}
		requests := u.asked()
		time.Sleep(10 * 24 * time.Hour)
		if u.asked() != requests {
			t.Error("it is fetched still")
		}
	})
}

func TestWishesAreBounded(t *testing.T) {
	in(t, func(t *testing.T, u *upstream, fs *vfs.MemFS) {
		l := newLab(t, u, fs, nil)
		l.open()
		var err error
		n := 0
		for ; err == nil; n++ {
			err = l.Want([6]byte{1, byte(n)}, tdx.PlatformCA)
		}
		if !errors.Is(err, ErrBusy) || n != burst+1 {
			t.Fatalf("%d wishes, then %v", n, err)
		}
		time.Sleep(perWish)
		if err := l.Want([6]byte{2}, tdx.PlatformCA); err != nil {
			t.Errorf("after a while: %v", err)
		}
		for n = 0; ; n++ {
			time.Sleep(perWish)
			if err = l.Want([6]byte{3, byte(n), byte(n >> 8)}, tdx.PlatformCA); err != nil {
				break
			}
		}
		if !errors.Is(err, ErrFull) || len(l.Service.mu.wishes) != maxSets {
			t.Fatalf("%d wishes, then %v", len(l.Service.mu.wishes), err)
		}
		if _, err := l.Collateral([6]byte{9}, tdx.PlatformCA); !errors.Is(err, attest.ErrNoCollateral) || !errors.Is(err, ErrFull) {
			t.Errorf("got %v", err)
		}
		// What never came gives way.
		l.settle(subject{platform: platform{[6]byte{2}, tdx.PlatformCA}}, ErrNotFound)
		if err := l.Want([6]byte{9}, tdx.PlatformCA); err != nil {
			t.Errorf("in place of one that never came: %v", err)
		}
		if err := l.Want([6]byte{9}, 3); !errors.Is(err, ErrName) {
			t.Errorf("a CA there is not: %v", err)
		}
	})
}

// Asking again for what cannot be had does not ask the service again.
func TestUnknownPlatformIsAskedForRarely(t *testing.T) {
	in(t, func(t *testing.T, u *upstream, fs *vfs.MemFS) {
		l := newLab(t, u, fs, nil)
		defer l.run()()
		for range 3600 {
			if _, err := l.Collateral([6]byte{7}, tdx.PlatformCA); !errors.Is(err, attest.ErrNoCollateral) {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if n := u.asked(); n > 10*setSize {
			t.Errorf("%d requests in an hour", n)
		}
	})
}
