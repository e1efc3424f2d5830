package ratls

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multistream"

	"github.com/tussah-network/tussah/p2p/attest"
)

// KeepProtocol repeats gate B on a connection that stands.
const KeepProtocol protocol.ID = "/tussah/attest/1"

// connErrors is where the numbers of refusals begin among the error codes of
// connections that are closed for them.
const connErrors network.ConnErrorCode = 0x5400

// Keeper takes a host's connections through gate B again: when an appraisal gets
// old, and when the policy changed. A peer that does not pass is disconnected,
// with the number of the refusal as the connection's error code. So is one that
// passed gate A alone, which cannot be asked, with that of [ErrExpired].
type Keeper struct {
	host    host.Host
	options Options
	log     *slog.Logger
	tick    time.Duration // keepTick
	least   time.Duration // keepLeast
	patient time.Duration // keepPatience

	mu struct {
		sync.Mutex
		running map[exchangeOn]bool
	}
}

// exchangeOn is gate B being repeated. Both ends may ask at once, and neither may
// then turn the other away, or they would do so at every tick.
type exchangeOn struct {
	conn  network.Conn
	asked bool // by the peer
}

// NewKeeper makes a keeper for a host that was made with these Options.
func NewKeeper(h host.Host, o Options) *Keeper {
	k := &Keeper{host: h, options: o, log: o.log(), tick: keepTick, least: keepLeast, patient: keepPatience}
	k.mu.running = map[exchangeOn]bool{}
	return k
}

// Run keeps the host's connections until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	k.host.SetStreamHandler(KeepProtocol, func(st network.Stream) { k.answer(ctx, st) })
	defer k.host.RemoveStreamHandler(KeepProtocol)
	ticker := time.NewTicker(k.tick)
	defer ticker.Stop()
	var asked sync.WaitGroup
	defer asked.Wait()
	for {
		for _, c := range k.host.Network().Conns() {
			m, ok := muxedOf(c)
			if !ok || !k.due(m.peer.Load()) {
				continue
			}
			if m.peer.Load().Gated.IsZero() {
				k.failed(c, m, ErrExpired)
				continue
			}
			// When both ends are due at once, as after a change of the policy, the one
			// that dialled asks: two exchanges at a time would end in no order.
			if since := m.dueSince(k.options.now()); !m.peer.Load().dialed && since < keepTurn*k.tick {
				continue
			}
			if x := (exchangeOn{conn: c}); k.begin(x) {
				asked.Go(func() {
					defer k.end(x)
					k.ask(ctx, c, m)
				})
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// due tells whether an appraisal is to be renewed. A peer without evidence has none.
func (k *Keeper) due(p *Peer) bool {
	if p.Appraisal == nil {
		return false
	}
	now := k.options.now()
	return p.epoch != k.options.epoch() || !now.Before(p.Appraisal.Expiry) ||
		!p.Gated.IsZero() && now.Sub(p.Gated) >= k.options.every()
}

// begin makes sure that each end of a connection asks once at a time.
func (k *Keeper) begin(x exchangeOn) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.mu.running[x] || len(k.mu.running) >= maxKeeping {
		return false // the next tick comes to it
	}
	k.mu.running[x] = true
	return true
}

func (k *Keeper) end(x exchangeOn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.mu.running, x)
}

// ask takes a connection through gate B.
func (k *Keeper) ask(ctx context.Context, c network.Conn, m *muxed) {
	ctx, stop := context.WithTimeout(ctx, handshakeTimeout)
	defer stop()
	// On this very connection: the host would choose one.
	st, err := c.NewStream(ctx)
	if err == nil {
		defer context.AfterFunc(ctx, func() { st.Reset() })()
		err = errors.Join(st.SetProtocol(KeepProtocol), multistream.SelectProtoOrFail(KeepProtocol, st))
	}
	if err != nil {
		k.failed(c, m, fmt.Errorf("open stream: %w", err))
		return
	}
	k.pass(ctx, st, m)
}

// answer is asked by the peer. What it asks for costs us a quote, so it may not
// ask for it all the time.
func (k *Keeper) answer(ctx context.Context, st network.Stream) {
	c := st.Conn()
	m, ok := muxedOf(c)
	x := exchangeOn{conn: c, asked: true}
	now := k.options.now()
	if !ok || now.Sub(m.peer.Load().Gated) < k.least || !m.mayAsk(now, k.least) || !k.begin(x) {
		st.Reset()
		return
	}
	defer k.end(x)
	ctx, stop := context.WithTimeout(ctx, handshakeTimeout)
	defer stop()
	defer context.AfterFunc(ctx, func() { st.Reset() })()
	k.pass(ctx, st, m)
}

func (k *Keeper) pass(ctx context.Context, st network.Stream, m *muxed) {
	fresh, err := gate{k.options}.pass(ctx, st, m.peer.Load())
	if err != nil {
		st.Reset()
		k.failed(st.Conn(), m, err)
		return
	}
	st.Close()
	m.peer.Store(fresh)
	m.due.Store(0)
	k.log.Debug("peer attested again", slog.String("peer", fresh.ID.String()))
}

// failed disconnects a peer that was refused or refused us. What merely broke is
// tried again: for a while if it is the peer that does not answer, and for as long
// as the last appraisal holds if it is us who cannot judge.
func (k *Keeper) failed(c network.Conn, m *muxed, err error) {
	refusal, refused := attest.RefusalIn(err)
	appraisal := m.peer.Load().Appraisal
	now := k.options.now()
	silent := !errors.Is(err, ErrCannotJudge) && !errors.Is(err, ErrNoOwnEvidence) && m.dueSince(now) > k.patient
	if !refused && appraisal != nil && (silent || !now.Before(appraisal.Expiry)) {
		refusal, refused = ErrExpired, true
	}
	switch {
	case errors.Is(err, ErrRefused):
		k.log.Warn("peer refused us at gate B", slog.String("peer", c.RemotePeer().String()), slog.Any("error", err))
		c.Close()
	case refused:
		k.log.Warn("peer dropped: it does not pass gate B any more", slog.String("peer", c.RemotePeer().String()), slog.Any("error", err))
		c.CloseWithError(connErrors + network.ConnErrorCode(refusal.Code()))
	default:
		k.log.Info("gate B not repeated yet", slog.String("peer", c.RemotePeer().String()), slog.Any("error", err))
	}
}
