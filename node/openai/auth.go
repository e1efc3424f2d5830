package openai

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// isLoopback is about names as well as addresses, but of names trusts only localhost.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}

// HashKey is how an accepted API key is configured and stored: keys are random, so their SHA-256 gives nothing away.
func HashKey(key string) [32]byte { return sha256.Sum256([]byte(key)) }

// keyring holds the hash of each accepted key. Hashes have one length, so that comparing them takes the same time
// whatever is wrong with a key.
type keyring [][32]byte

// accepts compares with every key, always.
func (k keyring) accepts(key string) bool {
	sum, found := HashKey(key), 0
	for i := range k {
		found |= subtle.ConstantTimeCompare(k[i][:], sum[:])
	}
	return found == 1
}

var (
	errNoKey = refusal(http.StatusUnauthorized, "invalid_api_key",
		"no API key was sent; send one as header 'Authorization: Bearer KEY'")
	errBadKey = refusal(http.StatusUnauthorized, "invalid_api_key",
		"the API key is not one of those this node accepts")
	errForeignPage = refusal(http.StatusForbidden, "cross_origin",
		"without API keys this node serves only programs on its own machine, not web pages; configure a key to serve others")
)

// authorise tells whether the request may spend money.
func (h *Handler) authorise(r *http.Request) error {
	if len(h.keys) == 0 && !h.requireKey {
		return h.checkLocal(r)
	}
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	key = strings.TrimSpace(key)
	switch {
	case !strings.EqualFold(scheme, "Bearer") || key == "":
		return errNoKey
	case !h.keys.accepts(key):
		return errBadKey
	}
	return nil
}

// checkLocal guards a node without keys. Its socket is on loopback, yet any web page in a browser on this machine can send
// it requests: directly, or after its own name was made to resolve to 127.0.0.1. The first shows in Origin and
// Sec-Fetch-Site, the second in Host.
func (h *Handler) checkLocal(r *http.Request) error {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	if !isLoopback(host) || h.crossOrigin.Check(r) != nil {
		return errForeignPage
	}
	return nil
}
