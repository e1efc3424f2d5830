package collateral

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// document is what a service answered, as it is kept.
type document struct {
	name    Name
	body    []byte
	chain   []byte    // issuer's certificates in PEM, where the service sends them beside
	source  string    // host that answered, or a bundle
	fetched time.Time // whole seconds

	part tdx.Part // of a verified set; not kept
}

// documentMagic starts every file, its last byte is the version of what follows:
//
//	lp(name) lp(source) seconds(8) lp(chain) lp(body) SHA-256 of all before
//
// with lp(x) = length in three bytes, then x. The digest is against damage, not
// against an adversary: what is loaded is verified again, all of it.
const documentMagic = "tussah/collateral\x01"

// encode is the document's file.
func (d *document) encode() ([]byte, error) {
	var b cryptobyte.Builder
	field := func(x []byte) { b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(x) }) }
	b.AddBytes([]byte(documentMagic))
	field([]byte(d.name.String()))
	field([]byte(d.source))
	b.AddUint64(uint64(d.fetched.Unix()))
	field(d.chain)
	field(d.body)
	file, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", d.name, err)
	}
	digest := sha256.Sum256(file)
	return append(file, digest[:]...), nil
}

// parseDocument reads a file. It accepts exactly what encode writes.
func parseDocument(file []byte) (*document, error) {
	damaged := func(what string) (*document, error) { return nil, fmt.Errorf("%w: %s", ErrDamaged, what) }
	if len(file) > maxDocument {
		return damaged("too long")
	}
	content, sum := file, []byte(nil)
	if cut := len(file) - sha256.Size; cut > 0 {
		content, sum = file[:cut], file[cut:]
	}
	if digest := sha256.Sum256(content); !bytes.Equal(digest[:], sum) {
		return damaged("its digest differs")
	}
	s := cryptobyte.String(content)
	var magic []byte
	if !s.ReadBytes(&magic, len(documentMagic)) || string(magic) != documentMagic {
		return damaged("not of a version known here")
	}
	var name, source, chain, body cryptobyte.String
	var seconds uint64
	if !s.ReadUint24LengthPrefixed(&name) || !s.ReadUint24LengthPrefixed(&source) || !s.ReadUint64(&seconds) ||
		!s.ReadUint24LengthPrefixed(&chain) || !s.ReadUint24LengthPrefixed(&body) || !s.Empty() {
		return damaged("its fields do not fill it")
	}
	if len(source) > maxSource || len(chain) > maxChain || len(body) == 0 || len(body) > maxBody || seconds > 1<<40 {
		return damaged("a field is out of bounds")
	}
	n, err := parseName(string(name))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return &document{name: n, body: body, chain: chain, source: string(source), fetched: time.Unix(int64(seconds), 0)}, nil
}

// same tells whether two documents say the same, whoever sent them and when.
func (d *document) same(other *document) bool {
	return other != nil && bytes.Equal(d.body, other.body) && bytes.Equal(d.chain, other.chain)
}
