package ratls

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"sync"
	"time"
)

// The toll is paid before TLS: who makes us verify signatures must have worked
// for it once strangers come faster than we like. The acceptor says 17 bytes, a
// difficulty and a salt; the dialer answers 8, a number for which
//
//	SHA-256("tussah/toll/v1" ‖ salt ‖ number)
//
// begins with as many zero bits. At difficulty 0, which is usual, any number will do.

const (
	tollSize     = 17
	tollNumber   = 8
	freePerSec   = 32 // inbound handshakes a second without work
	firstBits    = 14 // about 2 ms of one core
	maxTollBits  = 22 // the most we ask, about half a second
	maxPayBits   = 24 // the most we pay
	tollPerLevel = 2  // bits more for each doubling of the rate
)

// toll knows how fast handshakes come.
type toll struct {
	mu struct {
		sync.Mutex
		second int64
		count  int
	}
}

// difficulty counts a handshake and says what it costs.
func (t *toll) difficulty(now time.Time) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if second := now.Unix(); second != t.mu.second {
		t.mu.second, t.mu.count = second, 0
	}
	t.mu.count++
	if t.mu.count <= freePerSec {
		return 0
	}
	doublings := bits.Len(uint(t.mu.count / freePerSec))
	return min(firstBits+tollPerLevel*(doublings-1), maxTollBits)
}

// collect asks a dialer for the toll.
func (t *toll) collect(rw io.ReadWriter, now time.Time) error {
	ask := [tollSize]byte{byte(t.difficulty(now))}
	if _, err := rand.Read(ask[1:]); err != nil {
		return fmt.Errorf("toll: salt: %w", err)
	}
	if _, err := rw.Write(ask[:]); err != nil {
		return fmt.Errorf("toll: %w", err)
	}
	var number [tollNumber]byte
	if _, err := io.ReadFull(rw, number[:]); err != nil {
		return fmt.Errorf("toll: %w", err)
	}
	if zeros := work(ask[1:], number[:]); zeros < int(ask[0]) {
		return fmt.Errorf("%w: %d of %d bits", ErrToll, zeros, ask[0])
	}
	return nil
}

// pay pays what an acceptor asks. done ends a search that came too late.
func pay(rw io.ReadWriter, done <-chan struct{}) error {
	var ask [tollSize]byte
	if _, err := io.ReadFull(rw, ask[:]); err != nil {
		return fmt.Errorf("toll: %w", err)
	}
	if ask[0] > maxPayBits {
		return fmt.Errorf("%w: the acceptor asks for %d bits, at most %d are paid", ErrToll, ask[0], maxPayBits)
	}
	var number [tollNumber]byte
	for n := uint64(0); work(ask[1:], number[:]) < int(ask[0]); n++ {
		if n%4096 == 0 {
			select {
			case <-done:
				return fmt.Errorf("%w: not paid in time", ErrToll)
			default:
			}
		}
		binary.BigEndian.PutUint64(number[:], n)
	}
	if _, err := rw.Write(number[:]); err != nil {
		return fmt.Errorf("toll: %w", err)
	}
	return nil
}

// work counts the leading zero bits. It allocates nothing: payers do little else.
func work(salt, number []byte) int {
	var buffer [64]byte
	sum := sha256.Sum256(append(append(append(buffer[:0], "tussah/toll/v1"...), salt...), number...))
	for i, b := range sum {
		if b != 0 {
			return 8*i + bits.LeadingZeros8(b)
		}
	}
	return 8 * len(sum)
}
