package tlb_test

import (
	"crypto/ed25519"
	"testing"

	"github.com/tussah-network/tussah/tlb"
	"github.com/xssnick/tonutils-go/address"
)

func TestSmoke(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	v := tlb.Voucher{Network: -239, Channel: address.NewAddress(0, 0, make([]byte, 32)), Epoch: 1, Seq: 2, Cumulative: 3 * tlb.TON}
	s, err := tlb.SignVoucher(v, key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	got, err := tlb.ParseSignedVoucher(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Verify(key.Public().(ed25519.PublicKey)); err != nil {
		t.Fatal(err)
	}
	w := tlb.Work{Usage: tlb.Usage{Prompt: 1 << 60, Completion: 5}}
	sig, err := w.Sign(key)
	if err != nil {
		t.Fatal(err)
	}
	r := tlb.Receipt{Work: w, WorkerKey: [32]byte(key.Public().(ed25519.PublicKey)), WorkerSig: sig, Channel: v.Channel, Price: tlb.Price{tlb.MaxNano, tlb.MaxNano, tlb.MaxNano, tlb.MaxNano}}
	r.Work.Usage = tlb.Usage{}
	rs, err := tlb.SignReceipt(r, key)
	if err != nil {
		t.Fatal(err)
	}
	rb, err := rs.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	t.Log(len(b), len(rb))
	if _, err := tlb.ParseSignedReceipt(rb); err != nil {
		t.Fatal(err)
	}
}
