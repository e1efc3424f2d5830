package liteserver

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"time"
)

// hosts shares the server out between the machines that clients connect from.
// Whatever one of them sends, and over however many connections, it is computed
// for on all processors but one, so that another's query finds one free; of
// several connections of one host each gets its turn.
type hosts struct {
	workers chan struct{} // a place for each computation there may be at once
	perHost int           // how many of them one host can take
	turns   int           // and one connection
	limit   int           // connections of one host
	each    time.Duration // at the greatest rate, from one message of a host to its next

	mu sync.Mutex
	by map[netip.Addr]*host
}

// host is one machine that clients connect from.
type host struct {
	all   *hosts
	addr  netip.Addr
	conns int // guarded by hosts.mu

	workers chan struct{}
	large   chan struct{} // a place for each large answer that is not sent yet

	mu struct {
		sync.Mutex
		paid time.Time // until when the messages received would have taken at the greatest rate
	}
}

func newHosts(workers, limit int) *hosts {
	return &hosts{
		workers: make(chan struct{}, workers),
		perHost: max(1, min(workers, runtime.GOMAXPROCS(0))-1),
		turns:   max(1, workers/4),
		limit:   limit,
		each:    time.Second / time.Duration(maxRate*runtime.GOMAXPROCS(0)),
		by:      make(map[netip.Addr]*host),
	}
}

// enter counts a connection to its host; false if it has too many.
func (hs *hosts) enter(conn net.Conn) (*host, bool) {
	// What has no such address, as in tests, is all one host.
	at, _ := netip.ParseAddrPort(conn.RemoteAddr().String())
	addr := at.Addr().Unmap()
	hs.mu.Lock()
	defer hs.mu.Unlock()
	h := hs.by[addr]
	if h == nil {
		h = &host{all: hs, addr: addr, workers: make(chan struct{}, hs.perHost), large: make(chan struct{}, maxLargeAnswers)}
		hs.by[addr] = h
	}
	if h.conns >= hs.limit {
		return nil, false
	}
	h.conns++
	return h, true
}

func (h *host) leave() {
	h.all.mu.Lock()
	defer h.all.mu.Unlock()
	if h.conns--; h.conns == 0 {
		delete(h.all.by, h.addr)
	}
}

// pace holds a connection up whose host sends faster than any host may.
func (h *host) pace(ctx context.Context) error {
	h.mu.Lock()
	now := time.Now()
	if h.mu.paid.Before(now) {
		h.mu.paid = now
	}
	h.mu.paid = h.mu.paid.Add(h.all.each)
	ahead := h.mu.paid.Sub(now)
	h.mu.Unlock()
	if ahead < rateBurst {
		return nil
	}
	select {
	case <-time.After(ahead):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// work runs what takes the processor and nothing else, in a place of the host's
// and after taking those in before. Places are given in the order of asking, so
// each of before and the host's are a queue in which everyone gets a turn.
func (h *host) work(ctx context.Context, do func(), before ...chan struct{}) error {
	for _, places := range append(before, h.workers, h.all.workers) {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	do()
	return nil
}
