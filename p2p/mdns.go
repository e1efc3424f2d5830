package p2p

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/discovery/mdns"
)

// ErrMDNSPrivate says that mDNS was asked for on a host that would dial none of the
// peers it finds: all of them are in the local network.
var ErrMDNSPrivate = errors.New("p2p: mDNS needs private addresses to be allowed")

// RunMDNS announces the host in the local network and adds to the book what others
// announce there, until the context ends. Nodes find those of their own TON network
// only.
func RunMDNS(ctx context.Context, h *Host, network int32, book *Book, log *slog.Logger) error {
	if !h.gater.allowPrivate {
		return ErrMDNSPrivate
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	service := mdns.NewMdnsService(h, serviceTag(network), mdnsFinder{book: book, log: log})
	if err := service.Start(); err != nil {
		return fmt.Errorf("p2p: mDNS: %w", err)
	}
	<-ctx.Done()
	service.Close()
	return nil
}

// serviceTag names the DNS-SD service. A minus sign is no place to start a label's
// number with, so testnets are written with an m.
func serviceTag(network int32) string {
	if network < 0 {
		return fmt.Sprintf("_tussah-m%d._udp", -int64(network))
	}
	return fmt.Sprintf("_tussah-%d._udp", network)
}

type mdnsFinder struct {
	book *Book
	log  *slog.Logger
}

// HandlePeerFound is called with what anybody in the local network sends. Addresses
// that we cannot use are left out: peers announce all their transports.
func (f mdnsFinder) HandlePeerFound(info peer.AddrInfo) {
	var usable []string
	for _, addr := range info.Addrs {
		if text := addr.String(); len(usable) < maxAddresses {
			if _, err := parseAddress(text); err == nil {
				usable = append(usable, text)
			}
		}
	}
	c, err := ParseCandidate([]byte(info.ID), usable, FromMDNS)
	if err != nil {
		f.log.Debug("mdns announcement ignored", slog.String("peer", info.ID.String()), slog.Any("error", err))
		return
	}
	f.book.Add(c)
}
