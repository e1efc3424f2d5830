package tlb_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tussah-network/tussah/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// message is one message type under test: a value of it and its parser.
type message struct {
	name  string
	value interface{ ToCell() (*cell.Cell, error) }
	parse func(*cell.Cell) (any, error)
}

func messageOf[T interface{ ToCell() (*cell.Cell, error) }](name string, v T, parse func(*cell.Cell) (T, error)) message {
	return message{name, v, func(c *cell.Cell) (any, error) { return parse(c) }}
}

// allMessages has one of every message of the contracts, with the query id 0x51.
func allMessages() []message {
	claim := tlb.ChannelClaim{Query: 0x51, Voucher: must(tlb.SignVoucher(testVoucher(), aliceKey))}
	coop := tlb.ChannelCoopClose{Query: 0x51, Consent: must(tlb.SignCoopClose(testCoopClose(), bobKey))}
	return []message{
		messageOf("open", tlb.ChannelOpen{Query: 0x51, Deposit: tlb.TON}, tlb.ParseChannelOpen),
		messageOf("top up", tlb.ChannelTopUp{Query: 0x51, Amount: tlb.TON}, tlb.ParseChannelTopUp),
		messageOf("claim", claim, tlb.ParseChannelClaim),
		messageOf("rotate", tlb.ChannelRotate{Query: 0x51, SessionKey: array32(3)}, tlb.ParseChannelRotate),
		messageOf("request close", tlb.ChannelRequestClose{Query: 0x51}, tlb.ParseChannelRequestClose),
		messageOf("finish", tlb.ChannelFinish{Query: 0x51}, tlb.ParseChannelFinish),
		messageOf("coop close", coop, tlb.ParseChannelCoopClose),
		messageOf("close notice", tlb.ChannelCloseNotice{Query: 0x51, CloseAt: 5}, tlb.ParseChannelCloseNotice),
		messageOf("payout", tlb.ChannelPayout{Query: 0x51, Settled: tlb.TON}, tlb.ParseChannelPayout),
		messageOf("excesses", tlb.Excesses{Query: 0x51}, tlb.ParseExcesses),
		messageOf("announce", tlb.RegistryAnnounce{Query: 0x51, Change: tlb.AllowModel{Name: "m"}}, tlb.ParseRegistryAnnounce),
		messageOf("execute", tlb.RegistryExecute{Query: 0x51, ID: 7}, tlb.ParseRegistryExecute),
		messageOf("cancel", tlb.RegistryCancel{Query: 0x51, ID: 7}, tlb.ParseRegistryCancel),
		messageOf("revoke", tlb.RegistryRevoke{Query: 0x51, Kind: tlb.RevokeImage, Key: array32(4)}, tlb.ParseRegistryRevoke),
		messageOf("transfer owner", tlb.RegistryTransferOwner{Query: 0x51, To: payerAddr}, tlb.ParseRegistryTransferOwner),
		messageOf("transfer owner to nobody", tlb.RegistryTransferOwner{Query: 0x51}, tlb.ParseRegistryTransferOwner),
		messageOf("accept owner", tlb.RegistryAcceptOwner{Query: 0x51}, tlb.ParseRegistryAcceptOwner),
		messageOf("register proxy", tlb.RegistryRegisterProxy{Query: 0x51, Stake: tlb.TON, Payout: payoutAddr, PeerID: []byte{1, 2}, Addrs: []string{"/a", "/b"}}, tlb.ParseRegistryRegisterProxy),
		messageOf("unregister proxy", tlb.RegistryUnregisterProxy{Query: 0x51}, tlb.ParseRegistryUnregisterProxy),
		messageOf("withdraw stake", tlb.RegistryWithdrawStake{Query: 0x51}, tlb.ParseRegistryWithdrawStake),
	}
}

// Each parser reads what its type writes, and refuses all others and every disfigured form.
func TestMessages(t *testing.T) {
	all := allMessages()
	for _, m := range all {
		good := must(m.value.ToCell())
		got, err := m.parse(good)
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		if diff := cmp.Diff(any(m.value), got, sameAddress); diff != "" {
			t.Errorf("%s:\n%s", m.name, diff)
		}
		// op:uint32 query_id:uint64 stand first in all of them.
		if s := good.MustBeginParse(); s.MustLoadUInt(32) == 0 || s.MustLoadUInt(64) != 0x51 {
			t.Errorf("%s: no query id after the op", m.name)
		}
		empty := reflect.Zero(reflect.TypeOf(m.value)).Interface()
		for _, other := range all {
			c := must(other.value.ToCell())
			if c.MustBeginParse().MustLoadUInt(32) == good.MustBeginParse().MustLoadUInt(32) {
				continue
			}
			if got, err := m.parse(c); !errors.Is(err, tlb.ErrTag) {
				t.Errorf("%s reads %s as %+v, %v", m.name, other.name, got, err)
			}
		}
		for name, test := range map[string]struct {
			cell *cell.Cell
			want error
		}{
			"nil":          {nil, tlb.ErrNoCell},
			"empty":        {cell.BeginCell().EndCell(), tlb.ErrShort},
			"short":        {cell.BeginCell().MustStoreSlice(good.MustBeginParse().MustLoadSlice(32), 32).EndCell(), tlb.ErrShort},
			"special":      {libraryCell(t), tlb.ErrSpecialCell},
			"trailing bit": {good.ToBuilder().MustStoreUInt(0, 1).EndCell(), tlb.ErrTrailing},
			"trailing ref": {good.ToBuilder().MustStoreRef(good).EndCell(), tlb.ErrTrailing},
		} {
			got, err := m.parse(test.cell)
			if !errors.Is(err, test.want) {
				t.Errorf("%s, %s: %v, want %v", m.name, name, err, test.want)
			}
			if diff := cmp.Diff(empty, got, sameAddress); diff != "" {
				t.Errorf("%s, %s: a value with an error:\n%s", m.name, name, diff)
			}
		}
		if refs := int(good.RefsNum()); refs > 0 {
			if _, err := m.parse(replaceRef(good, 0, libraryCell(t))); !errors.Is(err, tlb.ErrSpecialCell) {
				t.Errorf("%s with a special cell inside: %v", m.name, err)
			}
			if _, err := m.parse(replaceRef(good, 0, cell.BeginCell().EndCell())); !errors.Is(err, tlb.ErrShort) && !errors.Is(err, tlb.ErrField) {
				t.Errorf("%s with an empty cell inside: %v", m.name, err)
			}
		}
	}
}

func TestMessagesNotWritten(t *testing.T) {
	for name, test := range map[string]struct {
		value interface{ ToCell() (*cell.Cell, error) }
		want  error
	}{
		"open":           {tlb.ChannelOpen{Deposit: tlb.MaxNano + 1}, tlb.ErrOverflow},
		"top up":         {tlb.ChannelTopUp{Amount: tlb.MaxNano + 1}, tlb.ErrOverflow},
		"claim":          {tlb.ChannelClaim{}, tlb.ErrAddress},
		"coop close":     {tlb.ChannelCoopClose{}, tlb.ErrAddress},
		"announce":       {tlb.RegistryAnnounce{}, tlb.ErrField},
		"announce model": {tlb.RegistryAnnounce{Change: tlb.AllowModel{}}, tlb.ErrField},
		"revoke":         {tlb.RegistryRevoke{}, tlb.ErrField},
		"transfer owner": {tlb.RegistryTransferOwner{To: masterAddr}, tlb.ErrWorkchain},
		"no payout":      {tlb.RegistryRegisterProxy{PeerID: []byte{1}, Addrs: []string{"/a"}}, tlb.ErrAddress},
		"no peer id":     {tlb.RegistryRegisterProxy{Payout: payoutAddr, Addrs: []string{"/a"}}, tlb.ErrField},
		"no addresses":   {tlb.RegistryRegisterProxy{Payout: payoutAddr, PeerID: []byte{1}}, tlb.ErrField},
		"newline":        {tlb.RegistryRegisterProxy{Payout: payoutAddr, PeerID: []byte{1}, Addrs: []string{"/a\n/b"}}, tlb.ErrField},
	} {
		if c, err := test.value.ToCell(); !errors.Is(err, test.want) || c != nil {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

// FuzzMessages tries every parser on every tree.
func FuzzMessages(f *testing.F) {
	all := allMessages()
	for _, m := range all {
		f.Add(must(m.value.ToCell()).ToBOC())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := tlb.ParseBoC(fixChecksum(b), 1<<16)
		if err != nil {
			return
		}
		for _, m := range all {
			v, err := m.parse(c)
			if err != nil {
				continue
			}
			if again, err := v.(interface{ ToCell() (*cell.Cell, error) }).ToCell(); err != nil || again.HashKey() != c.HashKey() {
				t.Fatalf("%s: %+v is written as %v, %v; read from %x", m.name, v, again, err, b)
			}
		}
	})
}
