package tlb

import (
	"fmt"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// ChannelClaim pays the voucher's cumulative amount, less what is settled already, to the payout
// address. Anyone may send it.
//
//	claim#74756363 query_id:uint64 signature:bits512 voucher:^Voucher = ChannelMsg;
type ChannelClaim struct {
	Query   uint64
	Voucher SignedVoucher
}

// ToCell encodes the message.
func (m ChannelClaim) ToCell() (*cell.Cell, error) {
	voucher, err := m.Voucher.Voucher.ToCell()
	if err != nil {
		return nil, err
	}
	return signedBody("channel claim", OpChannelClaim, m.Query, m.Voucher.Signature, voucher)
}

// ParseChannelClaim decodes what [ChannelClaim.ToCell] writes, and nothing else. It does not verify
// the signature.
func ParseChannelClaim(c *cell.Cell) (ChannelClaim, error) {
	query, sig, value, err := parseSignedBody("channel claim", c, OpChannelClaim)
	if err != nil {
		return ChannelClaim{}, err
	}
	v, err := ParseVoucher(value)
	if err != nil {
		return ChannelClaim{}, fmt.Errorf("channel claim: %w", err)
	}
	return ChannelClaim{Query: query, Voucher: SignedVoucher{Voucher: v, Signature: sig}}, nil
}

// ChannelCoopClose closes at once with the payee's consent. Only the payer may send it.
//
//	coop_close#74756361 query_id:uint64 signature:bits512 consent:^CoopClose = ChannelMsg;
type ChannelCoopClose struct {
	Query   uint64
	Consent SignedCoopClose
}

// ToCell encodes the message.
func (m ChannelCoopClose) ToCell() (*cell.Cell, error) {
	consent, err := m.Consent.CoopClose.ToCell()
	if err != nil {
		return nil, err
	}
	return signedBody("channel coop close", OpChannelCoopClose, m.Query, m.Consent.Signature, consent)
}

// ParseChannelCoopClose decodes what [ChannelCoopClose.ToCell] writes, and nothing else. It does not
// verify the signature.
func ParseChannelCoopClose(c *cell.Cell) (ChannelCoopClose, error) {
	query, sig, value, err := parseSignedBody("channel coop close", c, OpChannelCoopClose)
	if err != nil {
		return ChannelCoopClose{}, err
	}
	k, err := ParseCoopClose(value)
	if err != nil {
		return ChannelCoopClose{}, fmt.Errorf("channel coop close: %w", err)
	}
	return ChannelCoopClose{Query: query, Consent: SignedCoopClose{CoopClose: k, Signature: sig}}, nil
}

// signedBody carries what was signed as a cell of its own, so that the contract takes the hash of the
// cell instead of building it again.
func signedBody(name string, op uint32, query uint64, sig [64]byte, value *cell.Cell) (*cell.Cell, error) {
	w := newBody(op, query)
	w.bytes(sig[:])
	w.ref(value, nil)
	c, err := w.end()
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", name, err)
	}
	return c, nil
}

func parseSignedBody(name string, c *cell.Cell, op uint32) (query uint64, sig [64]byte, value *cell.Cell, err error) {
	r, query := openBody(c, op)
	r.bytes(sig[:])
	value = r.ref()
	if err := r.end(); err != nil {
		return 0, [64]byte{}, nil, fmt.Errorf("%s: %w", name, err)
	}
	return query, sig, value, nil
}
