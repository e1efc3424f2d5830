package node

import "testing"

func TestNewestReceipts(t *testing.T) {
	m := newMetrics(Client)
	if got := m.receipts(); got == nil || len(got) != 0 {
		t.Errorf("no receipts are %#v, want an empty list", got)
	}
	for n := uint64(1); n <= 3*keptReceipts+1; n++ {
		m.keep(Receipt{VoucherSeq: n})
		got := m.receipts()
		if want := min(n, keptReceipts); uint64(len(got)) != want {
			t.Fatalf("after %d receipts %d are shown, want %d", n, len(got), want)
		}
		if first, last := got[0].VoucherSeq, got[len(got)-1].VoucherSeq; last != n || first != n-uint64(len(got))+1 {
			t.Fatalf("after %d receipts %d to %d are shown", n, first, last)
		}
	}
}
