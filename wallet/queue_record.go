package wallet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// The keys of a queue.
//
//	i<id>      entry: every send ever enqueued
//	w<order>   send: those that are not done, with their messages
//	f          flight: the signed message under way, if there is one
//	q          counter: the last query id used (Highload V3)
const (
	keyID      = 'i'
	keyWaiting = 'w'
	keyFlight  = 'f'
	keyQueryID = 'q'
)

func idKey(id string) []byte { return append([]byte{keyID}, id...) }

func waitingKey(order uint64) []byte { return binary.BigEndian.AppendUint64([]byte{keyWaiting}, order) }

// Each value is a version byte, the fields (big-endian), and the CRC-32C of both.
const queueVersion = 1

// maxRecord bounds a record; a batch of messages has at most 64 KiB, and hashes.
const maxRecord = 128 << 10

// Refusals of a record.
var (
	ErrRecordCorrupt = errors.New("the wallet queue is damaged; restore the database from a backup")
	ErrRecordVersion = errors.New("the wallet queue was written by another release; run the one that wrote it")
)

// entry is what is remembered of a send.
type entry struct {
	order   uint64
	done    bool
	lt      uint64 // of the transaction it left in
	hash    [32]byte
	count   uint16 // its messages
	skipped uint16 // of them, those that the wallet did not send
}

func (e entry) encode() []byte {
	w := newRecord()
	w.u64(e.order)
	if !e.done {
		w.b = append(w.b, 0)
		return w.seal()
	}
	w.b = append(w.b, 1)
	w.u64(e.lt)
	w.b = append(w.b, e.hash[:]...)
	w.u16(e.count)
	w.u16(e.skipped)
	return w.seal()
}

func parseEntry(b []byte) (e entry, err error) {
	r, err := openRecord(b)
	if err != nil {
		return entry{}, err
	}
	e.order = r.u64()
	switch r.u8() {
	case 0:
	case 1:
		e.done = true
		e.lt = r.u64()
		copy(e.hash[:], r.take(32))
		e.count, e.skipped = r.u16(), r.u16()
		r.check(e.skipped <= e.count)
	default:
		r.check(false)
	}
	if err := r.end(); err != nil {
		return entry{}, err
	}
	return e, nil
}

// encode also sets s.size.
func (s *send) encode() ([]byte, error) {
	w := newRecord()
	w.u64(s.order)
	w.bytes([]byte(s.id))
	w.u16(uint16(len(s.messages)))
	start := len(w.b)
	for i, m := range s.messages {
		c, err := messageCell(m)
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", i, err)
		}
		boc, err := tlb.EncodeBoC(c)
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", i, err)
		}
		w.bytes(boc)
	}
	if s.size = len(w.b) - start; s.size > maxBatch {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, s.size, maxBatch)
	}
	return w.seal(), nil
}

func parseSend(b []byte) (*send, error) {
	r, err := openRecord(b)
	if err != nil {
		return nil, err
	}
	s := &send{order: r.u64(), id: string(r.bytes())}
	r.check(s.id != "" && len(s.id) <= 256)
	count := r.u16()
	r.check(count > 0)
	start := len(r.rest)
	for i := 0; i < int(count) && !r.bad; i++ {
		c, err := tlb.ParseBoC(r.bytes(), maxBatch)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRecordCorrupt, err)
		}
		m, err := parseMessageCell(c)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRecordCorrupt, err)
		}
		s.messages = append(s.messages, m)
	}
	s.size = start - len(r.rest)
	r.check(s.size <= maxBatch)
	if err := r.end(); err != nil {
		return nil, err
	}
	return s, nil
}

// messageCell is a message as the queue keeps it.
//
//	queued#_ to:MsgAddressInt amount:Coins bounce:Bool body:(Maybe ^Cell) init:(Maybe ^Cell) = Queued;
func messageCell(m contracts.Message) (*cell.Cell, error) {
	b := cell.BeginCell()
	err := tlb.StoreAddress(b, m.To)
	if err == nil {
		err = tlb.StoreNano(b, m.Amount)
	}
	if err == nil {
		err = errors.Join(b.StoreBoolBit(m.Bounce), b.StoreMaybeRef(m.Body), b.StoreMaybeRef(m.Init))
	}
	if err != nil {
		return nil, err
	}
	return b.EndCell(), nil
}

func parseMessageCell(c *cell.Cell) (m contracts.Message, err error) {
	s, err := c.BeginParse()
	if err != nil {
		return m, err
	}
	if m.To, err = tlb.LoadAddress(s); err != nil {
		return contracts.Message{}, err
	}
	if m.Amount, err = tlb.LoadNano(s); err != nil {
		return contracts.Message{}, err
	}
	if m.Bounce, err = s.LoadBoolBit(); err != nil {
		return contracts.Message{}, err
	}
	for _, ref := range []**cell.Cell{&m.Body, &m.Init} {
		has, err := s.LoadBoolBit()
		if err == nil && has {
			*ref, err = s.LoadRefCell()
		}
		if err != nil {
			return contracts.Message{}, err
		}
	}
	if s.BitsLeft() != 0 || s.RefsNum() != 0 {
		return contracts.Message{}, tlb.ErrTrailing
	}
	return m, nil
}

func (f *flight) encode() ([]byte, error) {
	boc, err := tlb.EncodeBoC(f.message)
	if err != nil {
		return nil, err
	}
	w := newRecord()
	w.u64(uint64(f.once.ID))
	w.u64(uint64(f.once.Signed.Unix()))
	w.u64(uint64(f.once.Until.Unix()))
	w.u64(f.sinceLT)
	w.u16(uint16(len(f.bodies)))
	for _, h := range f.bodies {
		w.b = append(w.b, h[:]...)
	}
	w.u16(uint16(len(f.orders)))
	for _, o := range f.orders {
		w.u64(o)
	}
	w.bytes(boc)
	return w.seal(), nil
}

func parseFlight(b []byte) (*flight, error) {
	r, err := openRecord(b)
	if err != nil {
		return nil, err
	}
	f := &flight{}
	id := r.u64()
	r.check(id <= 1<<32-1)
	f.once.ID = uint32(id)
	f.once.Signed, f.once.Until = r.time(), r.time()
	f.sinceLT = r.u64()
	bodies := r.u16()
	r.check(0 < bodies && bodies <= maxBodies)
	for i := 0; i < int(bodies) && !r.bad; i++ {
		f.bodies = append(f.bodies, [32]byte(r.take(32)))
	}
	orders := r.u16()
	r.check(0 < orders)
	for i := 0; i < int(orders) && !r.bad; i++ {
		f.orders = append(f.orders, r.u64())
	}
	boc := r.bytes()
	if err := r.end(); err != nil {
		return nil, err
	}
	if f.message, err = tlb.ParseBoC(boc, maxRecord); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRecordCorrupt, err)
	}
	body, err := bodyOf(f.message)
	if err != nil || body != f.bodies[len(f.bodies)-1] {
		return nil, ErrRecordCorrupt
	}
	return f, nil
}

// counter is the last query id used.
type counter uint32

func (c counter) encode() []byte {
	w := newRecord()
	w.u64(uint64(c))
	return w.seal()
}

func parseCounter(b []byte) (counter, error) {
	r, err := openRecord(b)
	if err != nil {
		return 0, err
	}
	n := r.u64()
	r.check(n < 1<<23 && n&1023 != 1023)
	return counter(n), r.end()
}

// recordWriter and recordReader are the two directions of a record. The first
// fault sticks, and end reports it.
type recordWriter struct{ b []byte }

func newRecord() *recordWriter { return &recordWriter{[]byte{queueVersion}} }

func (w *recordWriter) u16(v uint16) { w.b = binary.BigEndian.AppendUint16(w.b, v) }
func (w *recordWriter) u64(v uint64) { w.b = binary.BigEndian.AppendUint64(w.b, v) }
func (w *recordWriter) bytes(v []byte) {
	w.b = binary.BigEndian.AppendUint32(w.b, uint32(len(v)))
	w.b = append(w.b, v...)
}

func (w *recordWriter) seal() []byte {
	return binary.BigEndian.AppendUint32(w.b, crc32.Checksum(w.b, castagnoli))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type recordReader struct {
	rest []byte
	bad  bool
}

func openRecord(b []byte) (*recordReader, error) {
	if len(b) > 0 && b[0] != queueVersion {
		return nil, fmt.Errorf("%w: version %d, this release knows %d", ErrRecordVersion, b[0], queueVersion)
	}
	n := len(b) - 4
	if n < 1 || len(b) > maxRecord || crc32.Checksum(b[:n], castagnoli) != binary.BigEndian.Uint32(b[n:]) {
		return nil, ErrRecordCorrupt
	}
	return &recordReader{rest: b[1:n]}, nil
}

func (r *recordReader) check(ok bool) { r.bad = r.bad || !ok }

// take returns the next n bytes; zeros after a fault.
func (r *recordReader) take(n int) []byte {
	if r.bad || n > len(r.rest) {
		r.bad = true
		return make([]byte, min(n, 32))
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *recordReader) u8() byte    { return r.take(1)[0] }
func (r *recordReader) u16() uint16 { return binary.BigEndian.Uint16(r.take(2)) }
func (r *recordReader) u64() uint64 { return binary.BigEndian.Uint64(r.take(8)) }

func (r *recordReader) bytes() []byte {
	n := binary.BigEndian.Uint32(r.take(4))
	if uint64(n) > uint64(len(r.rest)) {
		r.bad = true
		return nil
	}
	return r.take(int(n))
}

func (r *recordReader) time() time.Time {
	t := r.u64()
	r.check(t <= 1<<32-1)
	return time.Unix(int64(t), 0)
}

func (r *recordReader) end() error {
	if r.bad || len(r.rest) != 0 {
		return ErrRecordCorrupt
	}
	return nil
}
