package contracts_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/tlb"
)

func TestDecodeMessage(t *testing.T) {
	voucher := must(tlb.SignVoucher(tlb.Voucher{Network: -3, Channel: bob, Epoch: 1, Cumulative: 5}, key("session")))
	consent := must(tlb.SignCoopClose(tlb.CoopClose{Network: -3, Channel: bob, Final: 5}, key("payee")))
	for _, want := range []interface{ ToCell() (*cell.Cell, error) }{
		tlb.ChannelOpen{Query: 1, Deposit: 2}, tlb.ChannelTopUp{Query: 1, Amount: 2}, tlb.ChannelClaim{Query: 1, Voucher: voucher},
		tlb.ChannelRotate{Query: 1, SessionKey: [32]byte{1}}, tlb.ChannelRequestClose{Query: 1}, tlb.ChannelFinish{Query: 1},
		tlb.ChannelCoopClose{Query: 1, Consent: consent}, tlb.ChannelCloseNotice{Query: 1, CloseAt: 2}, tlb.ChannelPayout{Query: 1, Settled: 2},
		tlb.RegistryAnnounce{Query: 1, Change: tlb.AllowModel{Name: "m"}}, tlb.RegistryExecute{Query: 1, ID: 2}, tlb.RegistryCancel{Query: 1, ID: 2},
		tlb.RegistryRevoke{Query: 1, Kind: tlb.RevokeModel}, tlb.RegistryTransferOwner{Query: 1, To: bob}, tlb.RegistryAcceptOwner{Query: 1},
		tlb.RegistryRegisterProxy{Query: 1, Stake: 2, Payout: bob, PeerID: []byte{1}, Addrs: []string{"/a", "/b"}},
		tlb.RegistryUnregisterProxy{Query: 1}, tlb.RegistryWithdrawStake{Query: 1}, tlb.Excesses{Query: 1},
	} {
		got, err := contracts.DecodeMessage(must(want.ToCell()))
		if err != nil {
			t.Errorf("%T: %v", want, err)
		}
		if diff := cmp.Diff(any(want), got, cmp.Comparer((*address.Address).Equals)); diff != "" {
			t.Errorf("%T:\n%s", want, diff)
		}
	}
	for name, body := range map[string]*cell.Cell{
		"nothing": nil, "an empty body": cell.BeginCell().EndCell(), "a comment": cell.BeginCell().MustStoreUInt(0, 32).EndCell(),
		"a library": must(cell.FromBOC(libraryCell(t))),
	} {
		if got, err := contracts.DecodeMessage(body); !errors.Is(err, contracts.ErrNotMessage) || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	truncated := cell.BeginCell().MustStoreUInt(tlb.OpChannelOpen, 32).EndCell()
	if got, err := contracts.DecodeMessage(truncated); !errors.Is(err, tlb.ErrShort) || got != nil {
		t.Errorf("truncated: %v, %v", got, err)
	}
}

func TestExit(t *testing.T) {
	for exit, want := range map[contracts.Exit]string{
		contracts.ExitBadSignature: "exit 117 (signature does not verify)", contracts.ExitNotOwner: "exit 201 (sender is not the owner)",
		0: "exit 0 (ok)", 9: "exit 9 (cell underflow)", 4711: "exit 4711",
	} {
		if got := exit.String(); got != want {
			t.Errorf("%d: %q, want %q", int(exit), got, want)
		}
	}
}
