package tlb_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tonkeeper/tongo/boc"
	"github.com/tussah-network/tussah/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"pgregory.net/rapid"
)

func testWork() tlb.Work {
	return tlb.Work{
		Request:    array32(1),
		Model:      tlb.ModelHash("Qwen/Qwen3-32B"),
		Image:      array32(2),
		Evidence:   array32(3),
		Usage:      tlb.Usage{Prompt: 1_200, Cached: 1_000, Completion: 350, Reasoning: 50},
		Transcript: array32(4),
	}
}

// testReceipt is one that passes every check.
func testReceipt() tlb.Receipt {
	work := testWork()
	return tlb.Receipt{
		Work:      work,
		WorkerKey: [32]byte(public(carolKey)),
		WorkerSig: must(work.Sign(carolKey)),
		Network:   -239,
		Channel:   channelAddr,
		Price:     tlb.Price{Prompt: 200_000_000, Cached: 20_000_000, Completion: 800_000_000, Reasoning: 800_000_000},
		Cost:      340_000,
		Spent:     5_000_000,
		Image:     array32(5),
		Evidence:  array32(6),
	}
}

func anyReceipt() *rapid.Generator[tlb.Receipt] {
	return rapid.Custom(func(t *rapid.T) tlb.Receipt {
		return tlb.Receipt{
			Work: tlb.Work{
				Request:    anyArray32().Draw(t, "request"),
				Model:      anyArray32().Draw(t, "model"),
				Image:      anyArray32().Draw(t, "work image"),
				Evidence:   anyArray32().Draw(t, "work evidence"),
				Usage:      anyUsage().Draw(t, "usage"),
				Transcript: anyArray32().Draw(t, "transcript"),
			},
			WorkerKey: anyArray32().Draw(t, "worker key"),
			WorkerSig: [64]byte(rapid.SliceOfN(rapid.Byte(), 64, 64).Draw(t, "worker sig")),
			Network:   rapid.Int32().Draw(t, "network"),
			Channel:   anyAddress().Draw(t, "channel"),
			Price:     anyPrice().Draw(t, "price"),
			Cost:      anyNano().Draw(t, "cost"),
			Spent:     anyNano().Draw(t, "spent"),
			Image:     anyArray32().Draw(t, "image"),
			Evidence:  anyArray32().Draw(t, "evidence"),
		}
	})
}

func TestReceiptPinned(t *testing.T) {
	const wantWork, want = "b4f45cf276d2eca8bec053a0d5162da81e661037564f29131c08f9396c66735e", "06c48d56b9b74f127f75c0d4b87d7d468fefeebbd6569666a60d343405585033"
	if got := must(testWork().Hash()); hex.EncodeToString(got[:]) != wantWork {
		t.Errorf("work hash = %x, want %s", got, wantWork)
	}
	if got := must(testReceipt().Hash()); hex.EncodeToString(got[:]) != want {
		t.Errorf("receipt hash = %x, want %s", got, want)
	}
}

func TestReceiptRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyReceipt().Draw(t, "receipt")
		signed := must(tlb.SignReceipt(r, bobKey))
		b := must(signed.MarshalBinary())
		again, err := tlb.ParseSignedReceipt(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(signed, again, sameAddress); diff != "" {
			t.Fatal(diff)
		}
		// Another implementation of cells must find the same hash, or a contract or a tool in
		// another language would see another receipt.
		roots, err := boc.DeserializeBoc(b)
		if err != nil {
			t.Fatal(err)
		}
		want := must(roots[0].Refs()[0].Hash256())
		if got := must(r.Hash()); got != want {
			t.Fatalf("hash = %x, tongo says %x", got, want)
		}
	})
}

// TestReceiptFits tries the receipt with every field at its widest.
func TestReceiptFits(t *testing.T) {
	widest := testReceipt()
	widest.Work.Usage = tlb.Usage{Prompt: math.MaxUint64, Cached: math.MaxUint64, Completion: math.MaxUint64, Reasoning: math.MaxUint64}
	widest.Price = tlb.Price{Prompt: tlb.MaxNano, Cached: tlb.MaxNano, Completion: tlb.MaxNano, Reasoning: tlb.MaxNano}
	widest.Cost, widest.Spent = tlb.MaxNano, tlb.MaxNano
	b, err := must(tlb.SignReceipt(widest, bobKey)).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tlb.ParseSignedReceipt(b); err != nil {
		t.Fatalf("%d bytes: %v", len(b), err)
	}
}

func TestReceiptVerify(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(r *tlb.Receipt) // before it is signed
		want   error
	}{
		{"good", func(r *tlb.Receipt) {}, nil},
		{"cheaper than the price", func(r *tlb.Receipt) { r.Cost-- }, nil},
		{"one nano above the price", func(r *tlb.Receipt) { r.Cost++ }, tlb.ErrOvercharged},
		{"spent less than this costs", func(r *tlb.Receipt) { r.Spent = r.Cost - 1 }, tlb.ErrSpent},
		{"worker signed other usage", func(r *tlb.Receipt) { r.Work.Usage.Completion++ }, tlb.ErrWorkerSignature},
		{"worker signed another answer", func(r *tlb.Receipt) { r.Work.Transcript = array32(9) }, tlb.ErrWorkerSignature},
		{"another worker", func(r *tlb.Receipt) { r.WorkerKey = [32]byte(public(aliceKey)) }, tlb.ErrWorkerSignature},
		{"worker without a key", func(r *tlb.Receipt) { r.WorkerKey = [32]byte{} }, tlb.ErrWeakKey},
		{"cost out of range", func(r *tlb.Receipt) {
			r.Price = tlb.Price{Completion: tlb.MaxNano}
			r.Work.Usage = tlb.Usage{Completion: math.MaxUint64}
			r.WorkerSig = must(r.Work.Sign(carolKey))
		}, tlb.ErrOverflow},
	} {
		r := testReceipt()
		c.change(&r)
		s, err := tlb.SignReceipt(r, bobKey)
		if err != nil {
			t.Errorf("%s: sign: %v", c.name, err)
			continue
		}
		if err := s.Verify(public(bobKey)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}

	good := must(tlb.SignReceipt(testReceipt(), bobKey))
	for name, change := range map[string]func(s *tlb.SignedReceipt){
		"network":   func(s *tlb.SignedReceipt) { s.Receipt.Network++ },
		"cost":      func(s *tlb.SignedReceipt) { s.Receipt.Cost-- },
		"spent":     func(s *tlb.SignedReceipt) { s.Receipt.Spent++ },
		"price":     func(s *tlb.SignedReceipt) { s.Receipt.Price.Reasoning++ },
		"image":     func(s *tlb.SignedReceipt) { s.Receipt.Image[0]++ },
		"evidence":  func(s *tlb.SignedReceipt) { s.Receipt.Evidence[0]++ },
		"work":      func(s *tlb.SignedReceipt) { s.Receipt.Work.Request[0]++ },
		"workerkey": func(s *tlb.SignedReceipt) { s.Receipt.WorkerKey[0]++ },
		"workersig": func(s *tlb.SignedReceipt) { s.Receipt.WorkerSig[0]++ },
		"signature": func(s *tlb.SignedReceipt) { s.Signature[0]++ },
	} {
		s := good
		change(&s)
		if err := s.Verify(public(bobKey)); !errors.Is(err, tlb.ErrBadSignature) {
			t.Errorf("changed %s: %v", name, err)
		}
	}
	if err := good.Verify(make([]byte, 32)); !errors.Is(err, tlb.ErrWeakKey) {
		t.Errorf("issuer's key of small order: %v", err)
	}
	if _, err := tlb.SignReceipt(testReceipt(), nil); !errors.Is(err, tlb.ErrPrivateKey) {
		t.Errorf("sign without a key: %v", err)
	}
	if _, err := testWork().Sign(nil); !errors.Is(err, tlb.ErrPrivateKey) {
		t.Errorf("sign work without a key: %v", err)
	}
}

func TestReceiptCannotBeEncoded(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(r *tlb.Receipt)
		want   error
	}{
		{"no channel", func(r *tlb.Receipt) { r.Channel = nil }, tlb.ErrAddress},
		{"cost", func(r *tlb.Receipt) { r.Cost = tlb.MaxNano + 1 }, tlb.ErrOverflow},
		{"price", func(r *tlb.Receipt) { r.Price.Cached = tlb.MaxNano + 1 }, tlb.ErrOverflow},
		{"usage", func(r *tlb.Receipt) { r.Work.Usage.Cached = r.Work.Usage.Prompt + 1 }, tlb.ErrUsage},
	} {
		r := testReceipt()
		c.change(&r)
		if _, err := tlb.SignReceipt(r, bobKey); !errors.Is(err, c.want) {
			t.Errorf("%s: SignReceipt: %v, want %v", c.name, err, c.want)
		}
		s := tlb.SignedReceipt{Receipt: r}
		if err := s.Verify(public(bobKey)); !errors.Is(err, c.want) {
			t.Errorf("%s: Verify: %v, want %v", c.name, err, c.want)
		}
		if _, err := s.MarshalBinary(); !errors.Is(err, c.want) {
			t.Errorf("%s: MarshalBinary: %v, want %v", c.name, err, c.want)
		}
	}
	impossible := tlb.Work{Usage: tlb.Usage{Reasoning: 1}}
	if _, err := impossible.Sign(carolKey); !errors.Is(err, tlb.ErrUsage) {
		t.Errorf("sign impossible work: %v", err)
	}
	if err := impossible.Verify(public(carolKey), [64]byte{}); !errors.Is(err, tlb.ErrUsage) {
		t.Errorf("verify impossible work: %v", err)
	}
}

// receiptCells are the cells of a receipt: the root, the work and its evidence, the worker's
// signature, the terms.
type receiptCells struct{ root, work, proof, sig, terms *cell.Cell }

func takeApart(r tlb.Receipt) receiptCells {
	root := must(r.ToCell())
	work := root.MustPeekRef(0)
	return receiptCells{root, work, work.MustPeekRef(0), root.MustPeekRef(1), root.MustPeekRef(2)}
}

func (p receiptCells) assemble() *cell.Cell {
	bare := func(c *cell.Cell) *cell.Builder {
		return cell.BeginCell().MustStoreSlice(c.MustBeginParse().MustLoadSlice(c.BitsSize()), c.BitsSize())
	}
	return bare(p.root).MustStoreRef(bare(p.work).MustStoreRef(p.proof).EndCell()).MustStoreRef(p.sig).MustStoreRef(p.terms).EndCell()
}

func TestParseReceiptRefuses(t *testing.T) {
	longer := func(c *cell.Cell) *cell.Cell { return c.ToBuilder().MustStoreUInt(0, 1).EndCell() }
	shorter := func(c *cell.Cell) *cell.Cell {
		return cell.BeginCell().MustStoreSlice(c.MustBeginParse().MustLoadSlice(c.BitsSize()-1), c.BitsSize()-1).EndCell()
	}
	for _, c := range []struct {
		name  string
		spoil func(p *receiptCells)
		want  error
	}{
		{"nothing wrong", func(p *receiptCells) {}, nil},
		{"root longer", func(p *receiptCells) { p.root = longer(p.root) }, tlb.ErrTrailing},
		{"root shorter", func(p *receiptCells) { p.root = shorter(p.root) }, tlb.ErrShort},
		{"root tagged as work", func(p *receiptCells) { p.root = p.work }, tlb.ErrTag},
		{"work longer", func(p *receiptCells) { p.work = longer(p.work) }, tlb.ErrTrailing},
		{"work shorter", func(p *receiptCells) { p.work = shorter(p.work) }, tlb.ErrShort},
		{"work tagged as receipt", func(p *receiptCells) { p.work = p.root }, tlb.ErrTag},
		{"proof longer", func(p *receiptCells) { p.proof = longer(p.proof) }, tlb.ErrTrailing},
		{"proof shorter", func(p *receiptCells) { p.proof = shorter(p.proof) }, tlb.ErrShort},
		{"proof special", func(p *receiptCells) { p.proof = libraryCell(t) }, tlb.ErrSpecialCell},
		{"signature longer", func(p *receiptCells) { p.sig = longer(p.sig) }, tlb.ErrTrailing},
		{"signature shorter", func(p *receiptCells) { p.sig = shorter(p.sig) }, tlb.ErrShort},
		{"terms longer", func(p *receiptCells) { p.terms = longer(p.terms) }, tlb.ErrTrailing},
		{"terms shorter", func(p *receiptCells) { p.terms = shorter(p.terms) }, tlb.ErrShort},
		{"impossible usage", func(p *receiptCells) {
			p.work = cell.BeginCell().MustStoreUInt(tlb.TagWork, 32).MustStoreSlice(make([]byte, 64), 512).
				MustStoreUInt(1, 64).MustStoreUInt(2, 64).MustStoreUInt(0, 128).EndCell()
		}, tlb.ErrUsage},
	} {
		p := takeApart(testReceipt())
		c.spoil(&p)
		got, err := tlb.ParseReceipt(p.assemble())
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if c.want != nil && got != (tlb.Receipt{}) {
			t.Errorf("%s: returned %+v with an error", c.name, got)
		}
	}
	for _, c := range []struct {
		name string
		b    []byte
		want error
	}{
		{"nothing", nil, tlb.ErrBoC},
		{"no envelope", takeApart(testReceipt()).root.ToBOC(), tlb.ErrTrailing},
		{"signed voucher", must(must(tlb.SignVoucher(testVoucher(), bobKey)).MarshalBinary()), tlb.ErrTag},
	} {
		if got, err := tlb.ParseSignedReceipt(c.b); !errors.Is(err, c.want) || got != (tlb.SignedReceipt{}) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func FuzzParseReceipt(f *testing.F) {
	p := takeApart(testReceipt())
	f.Add(fuzzSeed(p.root), fuzzSeed(p.work), fuzzSeed(p.proof), fuzzSeed(p.sig), fuzzSeed(p.terms))
	f.Fuzz(func(t *testing.T, root, work, proof, sig, terms []byte) {
		c := fuzzCell(root, fuzzCell(work, fuzzCell(proof)), fuzzCell(sig), fuzzCell(terms))
		if c == nil {
			return
		}
		r, err := tlb.ParseReceipt(c)
		if err != nil {
			return
		}
		if got, err := r.Hash(); err != nil || got != c.HashKey() {
			t.Fatalf("%+v is written as %x, %v; read from %x", r, got, err, c.Hash())
		}
	})
}

func FuzzParseWork(f *testing.F) {
	p := takeApart(testReceipt())
	f.Add(fuzzSeed(p.work), fuzzSeed(p.proof))
	f.Fuzz(func(t *testing.T, work, proof []byte) {
		c := fuzzCell(work, fuzzCell(proof))
		if c == nil {
			return
		}
		w, err := tlb.ParseWork(c)
		if err != nil {
			return
		}
		if got, err := w.Hash(); err != nil || got != c.HashKey() {
			t.Fatalf("%+v is written as %x, %v; read from %x", w, got, err, c.Hash())
		}
	})
}

func FuzzParseSignedReceipt(f *testing.F) {
	f.Add(must(must(tlb.SignReceipt(testReceipt(), bobKey)).MarshalBinary()))
	f.Fuzz(func(t *testing.T, b []byte) {
		b = fixChecksum(b)
		s, err := tlb.ParseSignedReceipt(b)
		if err != nil {
			return
		}
		if again, err := s.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("read from %x, written as %x, %v", b, again, err)
		}
	})
}

func ExampleSignReceipt() {
	// The worker signs what it did.
	work := tlb.Work{Model: tlb.ModelHash("demo"), Usage: tlb.Usage{Prompt: 100, Completion: 20}}
	workerSig, err := work.Sign(carolKey)
	if err != nil {
		fmt.Println(err)
		return
	}

	// The payee prices it.
	price := tlb.Price{Prompt: 1 * tlb.TON, Completion: 5 * tlb.TON}
	cost, err := price.Cost(work.Usage)
	if err != nil {
		fmt.Println(err)
		return
	}
	receipt, err := tlb.SignReceipt(tlb.Receipt{
		Work:      work,
		WorkerKey: [32]byte(public(carolKey)),
		WorkerSig: workerSig,
		Network:   -239,
		Channel:   channelAddr,
		Price:     price,
		Cost:      cost,
		Spent:     cost,
	}, bobKey)
	if err != nil {
		fmt.Println(err)
		return
	}

	// The payer checks both signatures and the arithmetic at once.
	fmt.Println(receipt.Receipt.Cost, receipt.Verify(public(bobKey)))
	// Output: 0.0002 TON <nil>
}
