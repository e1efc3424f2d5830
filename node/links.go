package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"

	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/registry"
	"github.com/tussah-network/tussah/tlb"
)

// helloInterval is how often offers are refreshed, over a connection that stands.
const helloInterval = 2 * time.Second

// links keep a node connected to the registered proxies: clients and workers
// dial, proxies are dialled.
type links struct {
	view    func() (registry.View, error)
	connect func(context.Context, tlb.ProxyEntry) (peer.ID, error)
	drop    func(peer.ID) // ends the connection, so that the next one is appraised anew
	session *session.Client
	hello   func() session.Hello
	onHello func(link) // after each answer; must not block
	log     *slog.Logger

	mu struct {
		sync.Mutex
		links    map[string]link // by registry entry
		visiting map[string]bool
		first    int // where the next pass begins, so that all get their turn
	}
}

func (l *links) init() *links {
	l.mu.links, l.mu.visiting = map[string]link{}, map[string]bool{}
	return l
}

// link is one proxy as last heard.
type link struct {
	Entry tlb.ProxyEntry
	ID    peer.ID
	Peer  session.Peer
	Hello session.Hello
	Heard time.Time // zero: never
	Err   error     // why it cannot be used now
}

// up tells whether the proxy answered lately.
func (l link) up() bool { return l.Err == nil && time.Since(l.Heard) < 5*helloInterval }

// Bounds of the visits: one that hangs is over well before a proxy that answers
// would count as silent, and a long list of proxies is not dialled all at once.
const (
	visitTimeout = 5 * time.Second
	maxVisits    = 32
)

// run says hello to every proxy at every interval, until ctx ends. Proxies do not
// wait for each other: one that stalls is passed over until its visit ends.
func (l *links) run(ctx context.Context) error {
	ticker := time.NewTicker(helloInterval)
	defer ticker.Stop()
	var visits sync.WaitGroup
	defer visits.Wait()
	slots := make(chan struct{}, maxVisits)
	for {
		l.pass(func(key string, k link) bool {
			select {
			case slots <- struct{}{}:
			default:
				return false // the next pass comes to it
			}
			visits.Go(func() {
				defer func() { <-slots }()
				l.visit(ctx, key, k)
			})
			return true
		})
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pass starts a visit to each registered proxy that is not being visited.
func (l *links) pass(start func(key string, k link) bool) {
	view, err := l.view()
	if err != nil {
		l.log.Warn("no current view of the registry", slog.Any("error", err))
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	listed := map[string]bool{}
	proxies := view.Proxies()
	first := l.mu.first
	for i := range proxies {
		turn := (first + i) % len(proxies)
		entry := proxies[turn]
		key := entry.Owner.StringRaw()
		listed[key] = true
		if l.mu.visiting[key] {
			continue
		}
		k := l.mu.links[key]
		k.Entry = entry
		if start(key, k) {
			l.mu.visiting[key] = true
			l.mu.first = turn + 1
		}
	}
	for key := range l.mu.links {
		if !listed[key] {
			delete(l.mu.links, key)
		}
	}
}

// visit connects if need be and exchanges hellos.
func (l *links) visit(running context.Context, key string, k link) {
	ctx, stop := context.WithTimeout(running, visitTimeout)
	defer stop()
	last := k.Err
	k.ID, k.Err = l.connect(ctx, k.Entry)
	if last != nil && errors.Is(k.Err, swarm.ErrDialBackoff) {
		k.Err = last // nothing was tried, so the reason is the one that was found before
	}
	if k.Err == nil {
		k.Hello, k.Peer, k.Err = l.session.Hello(ctx, k.ID, l.hello())
	}
	if k.Err == nil && k.Hello.Role != session.RoleProxy {
		k.Err = fmt.Errorf("%w: it says it is a %s", session.ErrUnauthorised, k.Hello.Role)
	}
	if errors.Is(k.Err, session.ErrExpired) || errors.Is(k.Err, session.ErrUnauthorised) {
		l.drop(k.ID) // one end's appraisal of the other is too old, or the policy changed
	}
	switch {
	case k.Err == nil:
		k.Heard = time.Now()
	case running.Err() == nil && (last == nil || last.Error() != k.Err.Error()):
		l.log.Warn("cannot use a proxy", slog.String("proxy", k.Entry.Owner.String()), slog.Any("error", k.Err))
	}
	l.mu.Lock()
	l.mu.links[key] = k
	delete(l.mu.visiting, key)
	l.mu.Unlock()
	if k.Err == nil && l.onHello != nil {
		l.onHello(k)
	}
}

func (l *links) list() []link {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []link
	for _, k := range l.mu.links {
		all = append(all, k)
	}
	return all
}
