package ratls

import (
	"encoding/binary"
	"fmt"

	"github.com/tussah-network/tussah/p2p/attest"
)

// verdict is what the acceptor ends the handshake with: the number of a refusal,
// or one of these. Zero is never sent.
type verdict uint16

const (
	accepted verdict = 0xffff
	// refusedOther stands for a reason without a number of its own.
	refusedOther verdict = 0xfffe

	verdictSize = 2
)

func verdictOf(err error) verdict {
	if err == nil {
		return accepted
	}
	if r, ok := attest.RefusalIn(err); ok {
		return verdict(r.Code())
	}
	return refusedOther
}

func (v verdict) encode() []byte { return binary.BigEndian.AppendUint16(nil, uint16(v)) }

func decodeVerdict(b [verdictSize]byte) verdict { return verdict(binary.BigEndian.Uint16(b[:])) }

// err is what the dialer makes of a verdict.
func (v verdict) err() error {
	if v == accepted {
		return nil
	}
	if reason, ok := attest.RefusalOf(uint16(v)); ok {
		return fmt.Errorf("%w: %w", ErrRefused, reason)
	}
	return fmt.Errorf("%w: reason %d", ErrRefused, v)
}
