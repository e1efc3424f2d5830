package channel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/tussah-network/tussah/tlb"
	"github.com/xssnick/tonutils-go/address"
)

// Store keeps the journals of any number of channels. Commit is atomic, and when
// it returns the writes are on disk.
type Store interface {
	Get(key []byte) (value []byte, ok bool, err error)
	Commit(write func(set func(key, value []byte), del func(key []byte))) error
}

// A journal is one record per channel and end, rewritten at every [Persist]. It
// has a fixed size, so a voucher costs the same with one request running as with
// a thousand; what is running is kept as a sum, which is all a restart can use.
//
//	end       1 byte   'p' payer, 'e' payee
//	version   1 byte   recordVersion
//	phase     1 byte   Draining and Closed are kept, all else is Unconfirmed
//	network   4 bytes
//	channel  33 bytes  workchain, account
//	body               payerRecord or payeeRecord
//	crc32c    4 bytes  of all before
//
// Integers are big-endian.
const (
	endPayer      = 'p'
	endPayee      = 'e'
	recordVersion = 1

	headSize        = 1 + 1 + 1 + 4 + 33
	signedSize      = 4 + 8 + 8 + 32
	payerRecordSize = headSize + 4*8 + 32 + signedSize + 4
	payeeRecordSize = headSize + 2*8 + signedSize + 64 + 4
)

// Refusals of a record.
var (
	ErrRecordCorrupt = errors.New("the channel's journal record is damaged; restore the database from a backup and reconnect to the peer")
	ErrRecordVersion = errors.New("the channel's journal record was written by another release; run the one that wrote it")
	ErrRecordChannel = errors.New("the channel's journal record belongs to another channel")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// recordKey is where the record of one end of a channel is kept.
func recordKey(end byte, channel *address.Address) []byte {
	return append([]byte{end, byte(channel.Workchain())}, channel.Data()...)
}

// head is what both records begin with.
type head struct {
	phase   Phase
	network int32
	channel [33]byte
}

func headOf(t Terms, p Phase) head {
	if p != Closed && p != Draining {
		p = Unconfirmed
	}
	return head{phase: p, network: t.Network, channel: [33]byte(recordKey(0, t.Channel)[1:])}
}

// matches refuses a record that was filed under the wrong channel.
func (h head) matches(t Terms) error {
	if want := headOf(t, h.phase); h != want {
		return ErrRecordChannel
	}
	return nil
}

// payerRecord is the durable part of a PayerState; Doubtful includes what was
// allotted when it was written.
type payerRecord struct {
	head
	authorised, spent, stated, doubtful tlb.Nano
	receipt                             [32]byte
	last                                Signed
}

// payeeRecord is the durable part of a PayeeState.
type payeeRecord struct {
	head
	spent, charged tlb.Nano
	held           Signed // Seq 0: none
	signature      [64]byte
}

func (s PayerState) record() ([]byte, error) {
	doubtful, err := sum(s.Doubtful, s.Allotted)
	if err != nil {
		return nil, err
	}
	return payerRecord{
		head:       headOf(s.Terms, s.Phase),
		authorised: s.Authorised, spent: s.Spent, stated: s.Stated, doubtful: doubtful,
		receipt: s.Receipt, last: s.Last,
	}.encode(), nil
}

// restore is s as it was when the record was written, with its requests abandoned.
func (s PayerState) restore(b []byte) (PayerState, error) {
	r, err := parsePayerRecord(b)
	if err == nil {
		err = r.matches(s.Terms)
	}
	if err != nil {
		return PayerState{}, err
	}
	s.Phase, s.Authorised, s.Spent, s.Stated, s.Doubtful = r.phase, r.authorised, r.spent, r.stated, r.doubtful
	s.Receipt, s.Last = r.receipt, r.last
	return s, nil
}

func (s PayeeState) record() ([]byte, error) {
	v := s.Held.Voucher
	return payeeRecord{
		head:  headOf(s.Terms, s.Phase),
		spent: s.Spent, charged: s.Charged,
		held: Signed{Epoch: v.Epoch, Seq: v.Seq, Cumulative: v.Cumulative, Receipt: v.Receipt}, signature: s.Held.Signature,
	}.encode(), nil
}

// restore is s as it was when the record was written, with what was charged counted as spent.
func (s PayeeState) restore(b []byte) (PayeeState, error) {
	r, err := parsePayeeRecord(b)
	if err == nil {
		err = r.matches(s.Terms)
	}
	if err != nil {
		return PayeeState{}, err
	}
	s.Phase, s.Spent = r.phase, r.spent+r.charged
	if r.held.Seq != 0 {
		s.Held = tlb.SignedVoucher{Signature: r.signature, Voucher: tlb.Voucher{
			Network: s.Terms.Network, Channel: s.Terms.Channel,
			Epoch: r.held.Epoch, Seq: r.held.Seq, Cumulative: r.held.Cumulative, Receipt: r.held.Receipt,
		}}
		s.Authorised = r.held.Cumulative
	}
	return s, nil
}

func (r payerRecord) encode() []byte {
	b := r.head.append(make([]byte, 0, payerRecordSize), endPayer)
	for _, n := range []tlb.Nano{r.authorised, r.spent, r.stated, r.doubtful} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	b = append(b, r.receipt[:]...)
	b = r.last.append(b)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func parsePayerRecord(b []byte) (payerRecord, error) {
	d, err := openRecord(b, endPayer, payerRecordSize)
	if err != nil {
		return payerRecord{}, err
	}
	r := payerRecord{
		head:       d.head(),
		authorised: d.nano(), spent: d.nano(), stated: d.nano(), doubtful: d.nano(),
		receipt: d.bytes32(),
		last:    d.signed(),
	}
	if r.phase == Draining || r.spent > r.authorised || r.stated > r.spent || r.last.Cumulative > r.authorised {
		d.bad = true
	}
	if d.bad {
		return payerRecord{}, ErrRecordCorrupt
	}
	return r, nil
}

func (r payeeRecord) encode() []byte {
	b := r.head.append(make([]byte, 0, payeeRecordSize), endPayee)
	b = binary.BigEndian.AppendUint64(b, uint64(r.spent))
	b = binary.BigEndian.AppendUint64(b, uint64(r.charged))
	b = r.held.append(b)
	b = append(b, r.signature[:]...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func parsePayeeRecord(b []byte) (payeeRecord, error) {
	d, err := openRecord(b, endPayee, payeeRecordSize)
	if err != nil {
		return payeeRecord{}, err
	}
	r := payeeRecord{head: d.head(), spent: d.nano(), charged: d.nano(), held: d.signed()}
	copy(r.signature[:], d.take(64))
	if _, err := r.spent.Add(r.charged); err != nil || (r.held.Seq == 0 && r.signature != [64]byte{}) {
		d.bad = true
	}
	if d.bad {
		return payeeRecord{}, ErrRecordCorrupt
	}
	return r, nil
}

func (h head) append(b []byte, end byte) []byte {
	b = append(b, end, recordVersion, byte(h.phase))
	b = binary.BigEndian.AppendUint32(b, uint32(h.network))
	return append(b, h.channel[:]...)
}

func (v Signed) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, v.Epoch)
	b = binary.BigEndian.AppendUint64(b, v.Seq)
	b = binary.BigEndian.AppendUint64(b, uint64(v.Cumulative))
	return append(b, v.Receipt[:]...)
}

// recordReader takes the fields of a record whose size and checksum are right;
// bad is set by a value that no state has.
type recordReader struct {
	rest []byte
	bad  bool
}

func openRecord(b []byte, end byte, size int) (*recordReader, error) {
	if len(b) >= 2 && b[0] == end && b[1] != recordVersion {
		return nil, fmt.Errorf("%w: version %d, this release knows %d", ErrRecordVersion, b[1], recordVersion)
	}
	if len(b) != size || b[0] != end || crc32.Checksum(b[:size-4], castagnoli) != binary.BigEndian.Uint32(b[size-4:]) {
		return nil, ErrRecordCorrupt
	}
	return &recordReader{rest: b[2 : size-4]}, nil
}

func (d *recordReader) take(n int) []byte {
	b := d.rest[:n] // sizes are constants and their sum was checked
	d.rest = d.rest[n:]
	return b
}

func (d *recordReader) head() (h head) {
	h.phase = Phase(d.take(1)[0])
	if h.phase != Unconfirmed && h.phase != Draining && h.phase != Closed {
		d.bad = true
	}
	h.network = int32(binary.BigEndian.Uint32(d.take(4)))
	copy(h.channel[:], d.take(33))
	return h
}

func (d *recordReader) nano() tlb.Nano {
	n := tlb.Nano(binary.BigEndian.Uint64(d.take(8)))
	if n > tlb.MaxNano {
		d.bad = true
	}
	return n
}

func (d *recordReader) bytes32() [32]byte { return [32]byte(d.take(32)) }

func (d *recordReader) signed() (v Signed) {
	v.Epoch = binary.BigEndian.Uint32(d.take(4))
	v.Seq = binary.BigEndian.Uint64(d.take(8))
	v.Cumulative = d.nano()
	v.Receipt = d.bytes32()
	if v.Seq == 0 && v != (Signed{}) {
		d.bad = true
	}
	return v
}
