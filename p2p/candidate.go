package p2p

import (
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

var (
	// ErrPeerID says that something is not the peer id of an Ed25519 key.
	ErrPeerID = errors.New("p2p: not the peer id of an Ed25519 key")
	// ErrAddress says that an address is not of the form /ip4/…/tcp/… or /dns/…/tcp/….
	ErrAddress = errors.New("p2p: not a TCP multiaddr")
	// ErrPeerMismatch says that an address names another peer than its entry.
	ErrPeerMismatch = errors.New("p2p: address is of another peer")
	// ErrNoAddress says that there is no address, or too many.
	ErrNoAddress = errors.New("p2p: peer has no usable number of addresses")
)

const (
	// maxAddresses bounds the addresses of one peer, and so the dials it can cause.
	maxAddresses = 16
	// maxAddress bounds one address; a DNS name has at most 253 bytes.
	maxAddress = 320
)

// Source says where a candidate was found.
type Source string

// The sources. A DHT or gossip would add theirs.
const (
	FromRegistry Source = "registry"
	FromMDNS     Source = "mdns"
	FromConfig   Source = "config"
)

// Candidate is a peer that may be dialled.
type Candidate struct {
	ID     peer.ID
	Addrs  []string // multiaddrs without the peer id
	Source Source
}

// ParseCandidate checks an entry as the registry holds it: a peer id in binary and
// multiaddrs, which may end with the same peer id.
func ParseCandidate(peerID []byte, addrs []string, source Source) (Candidate, error) {
	id, err := parseID(peerID)
	if err != nil {
		return Candidate{}, err
	}
	if len(addrs) == 0 || len(addrs) > maxAddresses {
		return Candidate{}, fmt.Errorf("%w: %d, want 1 to %d", ErrNoAddress, len(addrs), maxAddresses)
	}
	c := Candidate{ID: id, Source: source}
	for _, text := range addrs {
		addr, err := parseAddress(text)
		if err != nil {
			return Candidate{}, err
		}
		addr, named := peer.SplitAddr(addr)
		if named != "" && named != id {
			return Candidate{}, ErrPeerMismatch
		}
		c.Addrs = append(c.Addrs, addr.String())
	}
	return c, nil
}

// ParseCandidateAddr reads one multiaddr that ends with /p2p/ and the peer id, as
// people write them.
func ParseCandidateAddr(text string, source Source) (Candidate, error) {
	addr, err := parseAddress(text)
	if err != nil {
		return Candidate{}, err
	}
	addr, id := peer.SplitAddr(addr)
	if id == "" {
		return Candidate{}, fmt.Errorf("%w: the address ends without /p2p/ and the id", ErrPeerID)
	}
	if _, err := parseID([]byte(id)); err != nil {
		return Candidate{}, err
	}
	return Candidate{ID: id, Addrs: []string{addr.String()}, Source: source}, nil
}

// parseID takes ids that hold an Ed25519 key, as those of this network do. Others are
// hashes of keys, and almost any bytes look like one.
func parseID(b []byte) (peer.ID, error) {
	id, err := peer.IDFromBytes(b)
	if err != nil {
		return "", ErrPeerID
	}
	key, err := id.ExtractPublicKey()
	if err != nil || key.Type() != crypto.Ed25519 || !id.MatchesPublicKey(key) {
		return "", ErrPeerID
	}
	return id, nil
}

// parseAddress reads host and TCP port, and a peer id after them.
func parseAddress(text string) (ma.Multiaddr, error) {
	if len(text) > maxAddress {
		return nil, ErrAddress
	}
	addr, err := ma.NewMultiaddr(text)
	if err != nil {
		return nil, ErrAddress
	}
	if len(addr) < 2 || len(addr) > 3 || addr[1].Protocol().Code != ma.P_TCP {
		return nil, ErrAddress
	}
	switch addr[0].Protocol().Code {
	case ma.P_IP4, ma.P_IP6, ma.P_DNS, ma.P_DNS4, ma.P_DNS6:
	default:
		return nil, ErrAddress
	}
	if len(addr) == 3 && addr[2].Protocol().Code != ma.P_P2P {
		return nil, ErrAddress
	}
	return addr, nil
}

func isIP(addr ma.Multiaddr) bool {
	_, err := manet.ToIP(addr)
	return err == nil
}
