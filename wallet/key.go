package wallet

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
)

// Key is an Ed25519 key. It prints as "redacted" whatever the verb, as text, as
// JSON and in logs; only [Key.Private] gives it away.
type Key struct {
	seed func() [ed25519.SeedSize]byte // a func, since fmt looks into everything else when a struct around the key is printed
}

// NewKey draws a key at random.
func NewKey() (Key, error) {
	var seed [ed25519.SeedSize]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return Key{}, fmt.Errorf("draw a key: %w", err)
	}
	return KeyFromSeed(seed), nil
}

// KeyFromSeed is the key of a seed.
func KeyFromSeed(seed [ed25519.SeedSize]byte) Key {
	return Key{seed: func() [ed25519.SeedSize]byte { return seed }}
}

// Private is the key itself; nil for the zero Key.
func (k Key) Private() ed25519.PrivateKey {
	if k.seed == nil {
		return nil
	}
	seed := k.seed()
	return ed25519.NewKeyFromSeed(seed[:])
}

// Public is the public key; zero for the zero Key.
func (k Key) Public() (pub [ed25519.PublicKeySize]byte) {
	if k.seed != nil {
		copy(pub[:], k.Private().Public().(ed25519.PublicKey))
	}
	return pub
}

const redacted = "redacted"

// String returns "redacted".
func (k Key) String() string { return redacted }

// Format writes "redacted" for every verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) } // fmt cannot report the error either

// LogValue returns "redacted".
func (k Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "redacted"; JSON uses it too.
func (k Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }
