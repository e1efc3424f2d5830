package session

import (
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// limiter counts what each peer has in progress and how often it calls. Beyond the
// limits a peer is told that we are overloaded.
type limiter struct {
	perPeer, total int

	mu struct {
		sync.Mutex
		peers    map[peer.ID]*peerLoad
		requests int
	}
}

type peerLoad struct {
	requests, calls int
	tokens          float64 // control calls left in the bucket
	last            time.Time
}

func newLimiter(perPeer, total int) *limiter {
	l := &limiter{perPeer: perPeer, total: total}
	l.mu.peers = make(map[peer.ID]*peerLoad)
	return l
}

// request admits one more request stream of a peer, until done is called.
func (l *limiter) request(id peer.ID) (done func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.load(id)
	if p == nil || p.requests >= l.perPeer {
		return nil, false
	}
	p.requests++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		p.requests--
	}, true
}

// serve admits one more request in all, until done is called. It is asked once a
// request's header is there: peers that open streams and say nothing must not use up
// what is everybody's.
func (l *limiter) serve() (done func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.requests >= l.total {
		return nil, false
	}
	l.mu.requests++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.mu.requests--
	}, true
}

// call admits one more control call of a peer, until done is called.
func (l *limiter) call(id peer.ID) (done func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.load(id)
	if p == nil || p.calls >= controlConcurrent || p.tokens < 1 {
		return nil, false
	}
	p.tokens--
	p.calls++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		p.calls--
	}, true
}

// load returns the peer's counters with its bucket refilled, or nil if the table is
// full of peers that are busy.
func (l *limiter) load(id peer.ID) *peerLoad {
	now := time.Now()
	p := l.mu.peers[id]
	if p == nil {
		if len(l.mu.peers) >= trackedPeers && !l.forgetIdle(now) {
			return nil
		}
		p = &peerLoad{tokens: controlBurst, last: now}
		l.mu.peers[id] = p
	}
	p.tokens = min(controlBurst, p.tokens+now.Sub(p.last).Seconds()*controlPerSecond)
	p.last = now
	return p
}

// forgetIdle drops peers whose bucket is full again: they are as good as new.
func (l *limiter) forgetIdle(now time.Time) bool {
	const full = controlBurst * time.Second / controlPerSecond
	for id, p := range l.mu.peers {
		if p.requests == 0 && p.calls == 0 && now.Sub(p.last) > full {
			delete(l.mu.peers, id)
		}
	}
	return len(l.mu.peers) < trackedPeers
}
