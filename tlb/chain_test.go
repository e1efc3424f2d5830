package tlb_test

import (
	"testing"

	"github.com/tussah-network/tussah/tlb"
)

func TestAccountStatusString(t *testing.T) {
	for s, want := range map[tlb.AccountStatus]string{
		tlb.AccountAbsent: "absent", tlb.AccountUninit: "uninit", tlb.AccountActive: "active",
		tlb.AccountFrozen: "frozen", 9: "AccountStatus(9)",
	} {
		if got := s.String(); got != want {
			t.Errorf("%d is %q, want %q", uint8(s), got, want)
		}
	}
	if (tlb.Account{}).Status != tlb.AccountAbsent {
		t.Error("the zero account exists")
	}
}
