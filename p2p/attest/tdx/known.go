package tdx

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"sync"
)

// maxKnown bounds how many platforms a verifier remembers: about 12 KB each.
const maxKnown = 128

// platforms are those whose certification data has passed all steps that look at
// nothing else: three certificates, the quoting enclave's report and the key it
// vouches for. A platform makes many quotes with the same certification data, so
// a further quote of it costs one signature check instead of four.
//
// Everything that depends on time, collateral or policy is asked each time:
// forgetting a platform, or remembering it forever, alters no answer.
type platforms struct {
	mu struct {
		sync.Mutex
		clock   uint64
		entries map[[32]byte]*knownPlatform
	}
}

type knownPlatform struct {
	used          uint64
	pck, ca, root *x509.Certificate
	platform      Platform
}

// certificationKey identifies what the remembered steps looked at: the
// certification data and the roots.
func (v *Verifier) certificationKey(q quote) [32]byte {
	h := sha256.New()
	part := func(b []byte) {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b))))
		h.Write(b)
	}
	for _, b := range [][]byte{q.key, q.qe, q.qeSig, q.auth, q.chain[0], q.chain[1], q.chain[2]} {
		part(b)
	}
	for _, r := range v.Roots {
		if r != nil {
			part(r.Raw)
		}
	}
	return [32]byte(h.Sum(nil))
}

// recall fills in what is known about the candidate's platform.
func (p *platforms) recall(key [32]byte, c *candidate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.mu.entries[key]
	if k == nil {
		return
	}
	p.mu.clock++
	k.used = p.mu.clock
	c.known, c.pck, c.ca, c.root, c.platform = true, k.pck, k.ca, k.root, k.platform
}

// remember is called when everything about the candidate is signed. In place of
// the platform that was not met for the longest time, if there are too many.
func (p *platforms) remember(key [32]byte, c *candidate) {
	if c.known {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.entries == nil {
		p.mu.entries = map[[32]byte]*knownPlatform{}
	}
	if len(p.mu.entries) >= maxKnown {
		var oldest [32]byte
		least := ^uint64(0)
		for k, e := range p.mu.entries {
			if e.used < least {
				oldest, least = k, e.used
			}
		}
		delete(p.mu.entries, oldest)
	}
	p.mu.clock++
	p.mu.entries[key] = &knownPlatform{p.mu.clock, c.pck, c.ca, c.root, c.platform}
}
