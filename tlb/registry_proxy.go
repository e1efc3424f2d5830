package tlb

import (
	"fmt"
	"strings"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// ProxyEntry is a proxy that registered itself, at most one per owner. Its owner locked Stake and can
// have it back after Unbonding, less the storage fee of the entry.
//
//	proxy_entry#_ stake:uint64 registered_at:uint32 unbonding_at:uint32 payout:MsgAddressInt
//	    contact:^ProxyContact = ProxyEntry;
//	proxy_contact#_ {n:#} {1 <= n} {n <= 64} peer_id:(n * uint8) addrs:^Text = ProxyContact;
//
// The owner's account id is the entry's key. Addrs are joined with newlines.
type ProxyEntry struct {
	Owner        *address.Address // registers, unregisters, gets the stake back
	Payout       *address.Address // payee of channels to this proxy
	PeerID       []byte           // libp2p peer id, binary
	Addrs        []string         // multiaddrs
	Stake        Nano
	RegisteredAt uint32 // unix time; storage is paid for from here on
	UnbondingAt  uint32 // unix time from which the stake may be withdrawn; zero while registered
}

// Active tells whether the proxy offers its service, that is, has not unregistered.
func (p ProxyEntry) Active() bool { return p.UnbondingAt == 0 }

// contact encodes what only peers read. The contract checks its form and bounds, not what it says:
// an address may be empty or no multiaddr at all, and readers skip those.
func (p ProxyEntry) contact() (*cell.Cell, error) {
	for _, a := range p.Addrs {
		if strings.Contains(a, "\n") {
			return nil, fmt.Errorf("proxy address %q: %w", a, ErrField)
		}
	}
	if len(p.PeerID) == 0 || len(p.PeerID) > MaxPeerID {
		return nil, fmt.Errorf("peer id of %d bytes, 1 to %d: %w", len(p.PeerID), MaxPeerID, ErrField)
	}
	w := newWriter()
	w.bytes(p.PeerID)
	w.ref(textCells("proxy addresses", []byte(strings.Join(p.Addrs, "\n")), MaxAddrs))
	return w.end()
}

func (p *ProxyEntry) parseContact(c *cell.Cell) error {
	r := newReader(c)
	if r.err != nil {
		return fmt.Errorf("proxy contact: %w", r.err)
	}
	p.PeerID = make([]byte, r.s.BitsLeft()/8)
	r.bytes(p.PeerID)
	addrs := r.ref()
	if err := r.end(); err != nil {
		return fmt.Errorf("proxy contact: %w", err)
	}
	if len(p.PeerID) == 0 || len(p.PeerID) > MaxPeerID {
		return fmt.Errorf("peer id of %d bytes, 1 to %d: %w", len(p.PeerID), MaxPeerID, ErrField)
	}
	joined, err := text("proxy addresses", addrs, MaxAddrs)
	if err != nil {
		return err
	}
	p.Addrs = strings.Split(string(joined), "\n")
	return nil
}

// ToCell encodes the entry as the registry stores it under its owner.
func (p ProxyEntry) ToCell() (*cell.Cell, error) {
	w := newWriter()
	w.amount(p.Stake)
	w.uint32(p.RegisteredAt)
	w.uint32(p.UnbondingAt)
	w.account(p.Payout)
	w.ref(p.contact())
	c, err := w.end()
	if err != nil {
		return nil, fmt.Errorf("encode proxy entry: %w", err)
	}
	return c, nil
}

// ParseProxyEntry decodes what [ProxyEntry.ToCell] writes, and nothing else, for the given owner.
func ParseProxyEntry(owner *address.Address, c *cell.Cell) (ProxyEntry, error) {
	p := ProxyEntry{Owner: owner}
	r := newReader(c)
	p.Stake = r.amount()
	p.RegisteredAt = r.uint32()
	p.UnbondingAt = r.uint32()
	p.Payout = r.account()
	contact := r.ref()
	if err := r.end(); err != nil {
		return ProxyEntry{}, fmt.Errorf("proxy entry: %w", err)
	}
	if err := p.parseContact(contact); err != nil {
		return ProxyEntry{}, err
	}
	return p, nil
}
