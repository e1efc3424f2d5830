package node

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/registry"
	"github.com/tussah-network/tussah/tlb"
)

func registered(n byte) tlb.ProxyEntry {
	return tlb.ProxyEntry{Owner: address.NewAddress(0, 0, append([]byte{n}, make([]byte, 31)...)), PeerID: []byte{n}}
}

// Anybody can register a proxy that accepts connections and says nothing. Others
// are greeted in time all the same.
func TestStallingProxiesDelayNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var proxies []tlb.ProxyEntry
		for n := range byte(3 * maxVisits) {
			proxies = append(proxies, registered(n))
		}
		honest := proxies[len(proxies)-1].PeerID[0]
		greeted := 0
		l := (&links{
			view: func() (registry.View, error) {
				return registry.View{State: tlb.RegistryState{Proxies: proxies}}, nil
			},
			connect: func(ctx context.Context, e tlb.ProxyEntry) (peer.ID, error) {
				if e.PeerID[0] != honest {
					<-ctx.Done()
					return "", ctx.Err()
				}
				greeted++
				return "", errors.New("honest")
			},
			drop: func(peer.ID) {}, log: slog.New(slog.DiscardHandler),
		}).init()
		ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
		defer stop()
		if err := l.run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		// Three times as many stalled visits as slots, each of 5 s: a turn comes at least every 20 s.
		if greeted < 6 {
			t.Errorf("greeted %d times in 2 minutes", greeted)
		}

		proxies, greeted = []tlb.ProxyEntry{registered(1), registered(honest)}, 0
		ctx, stop = context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		l.run(ctx)
		if want := int(time.Minute/helloInterval) - 1; greeted < want {
			t.Errorf("beside one stalled proxy: greeted %d times in a minute, want %d", greeted, want)
		}
	})
}
