package wallet

import "context"

// Step does what Run does at one look.
func (q *Queue) Step(ctx context.Context) error { return q.step(ctx) }

// CheapKDF makes the tests' encrypted files quick to open.
func CheapKDF() (restore func()) {
	old := newKDF
	newKDF = kdf{time: 1, memory: 8 << 10, threads: 1}
	return func() { newKDF = old }
}

// Reencode parses a record of the kind its key begins with, and writes it again.
func Reencode(kind byte, b []byte) ([]byte, error) {
	switch kind {
	case keyID:
		e, err := parseEntry(b)
		return e.encode(), err
	case keyWaiting:
		s, err := parseSend(b)
		if err != nil {
			return nil, err
		}
		return s.encode()
	case keyFlight:
		f, err := parseFlight(b)
		if err != nil {
			return nil, err
		}
		return f.encode()
	default:
		c, err := parseCounter(b)
		return c.encode(), err
	}
}

// WithChecksum is b with its last four bytes set to the checksum of the others.
func WithChecksum(b []byte) []byte {
	if len(b) < 4 {
		return b
	}
	w := recordWriter{b[: len(b)-4 : len(b)-4]}
	return w.seal()
}

// ParseKeyFile is LoadKey of a file's content.
func ParseKeyFile(text, passphrase []byte) (Key, error) { return parseKeyFile(text, passphrase) }

// WithKeyCheck is a key file with its last line set to the check of the others.
func WithKeyCheck(text []byte) []byte {
	if len(text) < 2*checkSize+1 {
		return text
	}
	return withCheck(text[:len(text)-(2*checkSize+1)])
}
