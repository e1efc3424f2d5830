package eventlog

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Bounds of a log. Firmware reserves 64 KiB for one; a boot with many UEFI
// drivers and a long kernel command line has a few hundred events.
const (
	MaxLog        = 1 << 20
	MaxEvents     = 4096
	maxAlgorithms = 8
)

// Log is a parsed log.
type Log struct {
	Header     Header
	Algorithms []Algorithm // of each event's digests, in the header's order
	Events     []Event     // without the header, oldest first
}

// Header is what a log says about its writer.
type Header struct {
	Index  uint32 // 1 for a confidential VM, 0 for a machine with a TPM
	Class  uint32 // 0 client, 1 server
	Errata uint8  // of the specification
	Word   uint8  // size of a word: 1 for 32 bits, 2 for 64
}

// Event is something that was measured, or a remark (type [NoAction]).
type Event struct {
	// Index is the measurement register as the log numbers it, see [Register].
	Index   uint32
	Type    Type
	Digests []Digest
	Data    []byte // what the event says about itself, see [Event.Details]
}

// Digest is a value that a register was extended with.
type Digest struct {
	Algorithm Algorithm
	Value     []byte
}

// Digest returns the event's digest of one algorithm.
func (e Event) Digest(a Algorithm) ([]byte, bool) {
	for _, d := range e.Digests {
		if d.Algorithm == a {
			return d.Value, true
		}
	}
	return nil, false
}

// The header is an event of the older format, with one SHA-1 digest, all zero.
//
//	u32 index ‖ u32 type = EV_NO_ACTION ‖ 20 × 0 ‖ u32 size ‖ body
//	body: "Spec ID Event03\0" ‖ u32 platform class ‖ u8 minor = 0 ‖ u8 major = 2 ‖ u8 errata
//	      ‖ u8 size of UINTN ‖ u32 n ‖ n × (u16 algorithm ‖ u16 size) ‖ u8 n ‖ n × vendor byte
const (
	headerSize    = 32
	headerBody    = 28 // before the vendor's information, without algorithms
	specSignature = "Spec ID Event03\x00"
)

// Parse reads a whole log. Behind the last event it takes nothing but filling:
// bytes that are all 0xff or all zero, as the firmware's buffer has them.
func Parse(b []byte) (*Log, error) {
	if len(b) == 0 || len(b) > MaxLog {
		return nil, fmt.Errorf("%w: %d bytes", ErrSize, len(b))
	}
	r := reader{rest: bytes.Clone(b)}
	log, err := parseHeader(&r)
	if err != nil {
		return nil, err
	}
	for !filling(r.rest) {
		if len(log.Events) == MaxEvents {
			return nil, fmt.Errorf("%w: more than %d", ErrTooMany, MaxEvents)
		}
		event, err := parseEvent(&r, log.Algorithms)
		if err != nil {
			return nil, fmt.Errorf("event %d: %w", len(log.Events), err)
		}
		log.Events = append(log.Events, event)
	}
	return log, nil
}

func parseHeader(r *reader) (*Log, error) {
	head := r.take(headerSize)
	if head == nil {
		return nil, fmt.Errorf("%w: %w", ErrHeader, ErrTruncated)
	}
	log := &Log{Header: Header{Index: binary.LittleEndian.Uint32(head)}}
	if log.Header.Index > 1 {
		return nil, fmt.Errorf("%w: index %d", ErrHeader, log.Header.Index)
	}
	if t := Type(binary.LittleEndian.Uint32(head[4:])); t != NoAction {
		return nil, fmt.Errorf("%w: type %v", ErrHeader, t)
	}
	if !zero(head[8:28]) {
		return nil, fmt.Errorf("%w: its digest is not zero", ErrHeader)
	}
	body := reader{rest: r.take(int(min(binary.LittleEndian.Uint32(head[28:]), MaxLog)))}
	spec := body.take(headerBody)
	if spec == nil || string(spec[:16]) != specSignature || spec[20] != 0 || spec[21] != 2 {
		return nil, fmt.Errorf("%w: not of version 2.0", ErrHeader)
	}
	log.Header.Class = binary.LittleEndian.Uint32(spec[16:])
	log.Header.Errata, log.Header.Word = spec[22], spec[23]
	count := binary.LittleEndian.Uint32(spec[24:])
	if count == 0 || count > maxAlgorithms {
		return nil, fmt.Errorf("%w: %d algorithms", ErrHeader, count)
	}
	for range count {
		entry := body.take(4)
		if entry == nil {
			return nil, fmt.Errorf("%w: algorithms go beyond its end", ErrHeader)
		}
		a := Algorithm(binary.LittleEndian.Uint16(entry))
		if size := int(binary.LittleEndian.Uint16(entry[2:])); a.size() == 0 || size != a.size() {
			return nil, fmt.Errorf("%w: %v of %d bytes", ErrHeader, a, size)
		}
		for _, other := range log.Algorithms {
			if a == other {
				return nil, fmt.Errorf("%w: %v twice", ErrHeader, a)
			}
		}
		log.Algorithms = append(log.Algorithms, a)
	}
	// Only the header's last part is not kept, and thus has to be the empty one.
	if vendor := body.take(1); vendor == nil || vendor[0] != 0 || len(body.rest) != 0 {
		return nil, fmt.Errorf("%w: it has vendor information", ErrHeader)
	}
	return log, nil
}

// parseEvent reads
//
//	u32 index ‖ u32 type ‖ u32 n ‖ n × (u16 algorithm ‖ digest) ‖ u32 size ‖ data
func parseEvent(r *reader, algorithms []Algorithm) (Event, error) {
	if filled(r.rest) {
		return Event{}, ErrTrailing
	}
	head := r.take(12)
	if head == nil {
		return Event{}, ErrTruncated
	}
	e := Event{Index: binary.LittleEndian.Uint32(head), Type: Type(binary.LittleEndian.Uint32(head[4:]))}
	if n := binary.LittleEndian.Uint32(head[8:]); n != uint32(len(algorithms)) {
		return Event{}, fmt.Errorf("%w: %d of %d", ErrDigests, n, len(algorithms))
	}
	for _, a := range algorithms {
		id := r.take(2)
		if id == nil {
			return Event{}, ErrTruncated
		}
		if got := Algorithm(binary.LittleEndian.Uint16(id)); got != a {
			return Event{}, fmt.Errorf("%w: %v in place of %v", ErrDigests, got, a)
		}
		value := r.take(a.size())
		if value == nil {
			return Event{}, ErrTruncated
		}
		e.Digests = append(e.Digests, Digest{a, value})
	}
	size := r.take(4)
	if size == nil {
		return Event{}, ErrTruncated
	}
	if e.Data = r.take(int(min(binary.LittleEndian.Uint32(size), MaxLog))); e.Data == nil {
		return Event{}, ErrTruncated
	}
	return e, nil
}

// filling says whether what is left is the unused end of the firmware's buffer.
func filling(b []byte) bool {
	for _, c := range b {
		if c != b[0] || (c != 0 && c != 0xff) {
			return false
		}
	}
	return true
}

// filled says whether the next event is none: real ones have no such index.
func filled(b []byte) bool {
	return len(b) >= 4 && binary.LittleEndian.Uint32(b) == 0xffff_ffff
}

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// reader hands out parts of the log, each once.
type reader struct{ rest []byte }

// take returns the next n bytes, nil when there are fewer.
func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		return nil
	}
	part := r.rest[:n:n]
	r.rest = r.rest[n:]
	return part
}
