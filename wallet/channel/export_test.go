package channel

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/xssnick/tonutils-go/address"
)

// Transitions is one of the tables, as (from, event, to).
func Transitions(payer bool) map[[3]string]bool {
	table := payeeTransitions
	if payer {
		table = payerTransitions
	}
	all := map[[3]string]bool{}
	for from, events := range table {
		for event, next := range events {
			for _, to := range next {
				all[[3]string{from.String(), event.String(), to.String()}] = true
			}
		}
	}
	return all
}

// RecordKey is where a journal record is kept.
func RecordKey(payer bool, channel *address.Address) []byte {
	if payer {
		return recordKey(endPayer, channel)
	}
	return recordKey(endPayee, channel)
}

// Record encodings, and what parsing and encoding again gives.
func (s PayerState) Record() ([]byte, error) { return s.record() }
func (s PayeeState) Record() ([]byte, error) { return s.record() }

func (s PayerState) Restore(b []byte) (PayerState, error) { return s.restore(b) }
func (s PayeeState) Restore(b []byte) (PayeeState, error) { return s.restore(b) }

func ReencodePayer(b []byte) ([]byte, error) {
	r, err := parsePayerRecord(b)
	return r.encode(), err
}

func ReencodePayee(b []byte) ([]byte, error) {
	r, err := parsePayeeRecord(b)
	return r.encode(), err
}

// WithChecksum is b with its last four bytes set to the checksum of the others.
func WithChecksum(b []byte) []byte {
	if len(b) < 4 {
		return b
	}
	n := len(b) - 4
	return binary.BigEndian.AppendUint32(b[:n:n], crc32.Checksum(b[:n], castagnoli))
}
