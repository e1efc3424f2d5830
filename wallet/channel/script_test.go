package channel_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet/channel"
)

// Each script in testdata drives one machine and prints every effect and the
// state after it. Rewrite them with go test -rewrite, and read the difference.

func TestPayerScript(t *testing.T) {
	start := channel.PayerState{
		Terms:      channel.Terms{Channel: channelOf(t, config), Network: network, PayeeKey: public(bobKey), Window: 100, MaxRequests: 3},
		SessionKey: public(aliceKey),
	}
	for _, file := range []string{"testdata/payer.txt", "testdata/payer_asked.txt"} {
		runPayerScript(t, file, start)
	}
}

func runPayerScript(t *testing.T, file string, start channel.PayerState) {
	s := start
	receipts := map[[32]byte]string{}
	datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
		a := args{t, d}
		var e channel.Event
		switch d.Cmd {
		case "restart":
			record, err := s.Record()
			if err != nil {
				t.Fatal(err)
			}
			if s, err = start.Restore(record); err != nil {
				t.Fatal(err)
			}
			return payerLine(s)
		case "observe":
			e = a.observe(s.Deposit, s.Settled)
		case "gone":
			e = channel.Gone{}
		case "begin":
			e = channel.PayerBegin{Request: a.id(), Need: a.nano("need", 0), Limit: a.nano("limit", 0)}
		case "extend":
			e = channel.PayerExtend{Request: a.id(), Spent: a.nano("spent", 0)}
		case "finish":
			r := receiptFor(t, config, a.id(), a.nano("cost", 0), a.nano("spent", 0))
			hash, err := r.Hash()
			if err != nil {
				t.Fatal(err)
			}
			receipts[hash] = strings.TrimSpace(d.String())
			verified, err := channel.VerifyReceipt(signReceipt(t, r, bobKey), public(bobKey))
			if err != nil {
				t.Fatal(err)
			}
			e = channel.PayerFinish{Request: a.id(), Receipt: verified}
		case "abandon":
			e = channel.PayerAbandon{Request: a.id()}
		case "ask":
			e = channel.PayerAsk{}
		case "reconcile":
			if s.Asked == nil && !d.HasArg("unasked") {
				s, _, _ = s.Step(channel.PayerAsk{}, noon)
			}
			reconcile := channel.PayerReconcile{Spent: a.nano("spent", 0)}
			if d.HasArg("cumulative") {
				verified := a.voucher()
				reconcile.Highest = &verified
			}
			e = reconcile
		default:
			d.Fatalf(t, "no such command")
		}
		next, effects, err := s.Step(e, noon)
		if err != nil {
			return "error: " + err.Error() + "\n"
		}
		s = next
		return describe(effects, receipts) + payerLine(s)
	})
}

func payerLine(s channel.PayerState) string {
	return fmt.Sprintf("%v authorised=%d spent=%d doubtful=%d allotted=%d%s\n", s.Phase,
		uint64(s.Authorised), uint64(s.Spent), uint64(s.Doubtful), uint64(s.Allotted), list(s.Requests, func(a channel.Allotment) string {
			return fmt.Sprintf("%d/%d stated %d", uint64(a.Allotted), uint64(a.Limit), uint64(a.Stated))
		}))
}

func TestPayeeScript(t *testing.T) {
	start := channel.PayeeState{
		Terms: channel.Terms{Channel: channelOf(t, config), Network: network, PayeeKey: public(bobKey), MaxRequests: 3, ClaimMargin: 30},
	}
	for _, file := range []string{"testdata/payee.txt", "testdata/payee_closing.txt", "testdata/payee_rotation.txt"} {
		runPayeeScript(t, file, start)
	}
}

func runPayeeScript(t *testing.T, file string, start channel.PayeeState) {
	s, now := start, noon
	datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
		a := args{t, d}
		var e channel.Event
		switch d.Cmd {
		case "restart":
			record, err := s.Record()
			if err != nil {
				t.Fatal(err)
			}
			if s, err = start.Restore(record); err != nil {
				t.Fatal(err)
			}
			return payeeLine(s)
		case "time":
			now = noon.Add(time.Duration(a.nano("seconds", 0)) * time.Second)
			return fmt.Sprintf("noon + %v\n", now.Sub(noon))
		case "observe":
			e = a.observe(s.Deposit, s.Settled)
		case "gone":
			e = channel.Gone{}
		case "accept":
			e = channel.PayeeAccept{Voucher: a.voucher()}
		case "persisted":
			e = channel.PayeePersisted{Epoch: uint32(a.nano("epoch", epoch)), Cumulative: a.nano("cumulative", 0)}
		case "begin":
			e = channel.PayeeBegin{Request: a.id(), Need: a.nano("need", 0)}
		case "charge":
			e = channel.PayeeCharge{Request: a.id(), Total: a.nano("total", 0)}
		case "finish":
			e = channel.PayeeFinish{Request: a.id(), Cost: a.nano("cost", 0)}
		case "consent":
			e = channel.PayeeConsent{}
		default:
			d.Fatalf(t, "no such command")
		}
		next, effects, err := s.Step(e, now)
		if err != nil {
			return "error: " + err.Error() + "\n"
		}
		s = next
		return describe(effects, nil) + payeeLine(s)
	})
}

func payeeLine(s channel.PayeeState) string {
	return fmt.Sprintf("%v held=%d authorised=%d spent=%d reserved=%d charged=%d%s\n", s.Phase, uint64(s.Held.Voucher.Cumulative),
		uint64(s.Authorised), uint64(s.Spent), uint64(s.Reserved), uint64(s.Charged), list(s.Requests, func(r channel.Running) string {
			return fmt.Sprintf("%d/%d", uint64(r.Charged), uint64(r.Reserved))
		}))
}

// list prints the requests a script began, by the one-letter names it uses.
func list[T any](requests map[channel.Request]T, show func(T) string) string {
	var b strings.Builder
	for c := 'a'; c <= 'z'; c++ {
		if v, ok := requests[id(string(c))]; ok {
			fmt.Fprintf(&b, " %c(%s)", c, show(v))
		}
	}
	return b.String()
}

// args reads a command's arguments.
type args struct {
	t *testing.T
	d *datadriven.TestData
}

func (a args) nano(name string, otherwise tlb.Nano) tlb.Nano {
	v := uint64(otherwise)
	a.d.MaybeScanArgs(a.t, name, &v)
	return tlb.Nano(v)
}

func (a args) id() channel.Request {
	var name string
	a.d.ScanArgs(a.t, "req", &name)
	return id(name)
}

func (a args) observe(deposit, settled tlb.Nano) channel.Observe {
	return channel.Observe{
		Deposit: a.nano("deposit", deposit), Settled: a.nano("settled", settled),
		Epoch: uint32(a.nano("epoch", epoch)), SessionKey: public(aliceKey), CloseAt: uint32(a.nano("close", 0)),
	}
}

func (a args) voucher() channel.VerifiedVoucher {
	v := tlb.Voucher{
		Network: int32(a.nano("network", 0)) + network, Channel: channelOf(a.t, config), Epoch: uint32(a.nano("epoch", epoch)),
		Seq: uint64(a.nano("seq", 1)), Cumulative: a.nano("cumulative", 0),
	}
	verified, err := channel.VerifyVoucher(signVoucher(a.t, v, aliceKey), public(aliceKey))
	if err != nil {
		a.t.Fatal(err)
	}
	return verified
}
