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
		links map[string]link // by registry entry
	}
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

// run says hello to every proxy at every interval, until ctx ends.
func (l *links) run(ctx context.Context) error {
	ticker := time.NewTicker(helloInterval)
	defer ticker.Stop()
	for {
		l.pass(ctx)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *links) pass(ctx context.Context) {
	view, err := l.view()
	if err != nil {
		l.log.Warn("no current view of the registry", slog.Any("error", err))
		return
	}
	var wg sync.WaitGroup
	fresh := map[string]link{}
	for _, entry := range view.Proxies() {
		key := entry.Owner.StringRaw()
		l.mu.Lock()
		last := l.mu.links[key]
		l.mu.Unlock()
		last.Entry = entry
		fresh[key] = last
		wg.Go(func() { l.visit(ctx, key, last) })
	}
	l.mu.Lock()
	for key := range l.mu.links {
		if _, listed := fresh[key]; !listed {
			delete(l.mu.links, key)
		}
	}
	l.mu.Unlock()
	wg.Wait()
}

// visit connects if need be and exchanges hellos.
func (l *links) visit(ctx context.Context, key string, k link) {
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
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
	case last == nil || last.Error() != k.Err.Error():
		l.log.Warn("cannot use a proxy", slog.String("proxy", k.Entry.Owner.String()), slog.Any("error", k.Err))
	}
	l.mu.Lock()
	if l.mu.links == nil {
		l.mu.links = map[string]link{}
	}
	l.mu.links[key] = k
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
