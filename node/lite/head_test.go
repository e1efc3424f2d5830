package lite_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/node/lite"
	"github.com/tussah-network/tussah/sandbox"
)

func keyBlockOf(id ton.BlockIDExt) lite.KeyBlock {
	return lite.KeyBlock{Seqno: id.SeqNo, RootHash: [32]byte(id.RootHash), FileHash: [32]byte(id.FileHash)}
}

// From a trusted key block the client follows every change of validators, over
// answers that hold only a part of the way.
func TestHeadOverKeyBlocks(t *testing.T) {
	chain := newKeyChain(t, 45, false, func(n uint32) bool { return n%2 == 1 })
	chain.head.Store(1)
	s := serve(t, chain)
	var trusted []uint32
	c, err := lite.Open(t.Context(), lite.Options{
		Servers: []lite.Server{at(s)}, Global: sandbox.DefaultGlobalID, Trusted: keyBlockOf(chain.ids[1]),
		OnTrust: func(k lite.KeyBlock) { trusted = append(trusted, k.Seqno) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, head := range []uint32{1, 2, 3, 44, 45, 45} {
		chain.head.Store(head)
		got, err := c.Head(t.Context())
		if err != nil {
			t.Fatalf("head %d: %v", head, err)
		}
		if got.Seqno != head || got.RootHash != [32]byte(chain.ids[head].RootHash) || got.LT != uint64(head) || got.Time.Unix() != 1_700_000_000+int64(head) {
			t.Errorf("head %d: %+v", head, got)
		}
		config, err := c.Config(t.Context(), got)
		if err != nil {
			t.Fatalf("config at %d: %v", head, err)
		}
		key := head - (head+1)%2
		if want := keyChainConfig(t, chain.named[key]); config.HashKey() != want.HashKey() {
			t.Errorf("config at %d is not key block %d's", head, key)
		}
	}
	var want []uint32
	for n := uint32(3); n <= 45; n += 2 {
		want = append(want, n)
	}
	if diff := cmp.Diff(want, trusted); diff != "" {
		t.Errorf("trusted: %s", diff)
	}
}

// A client that trusts nothing yet pins the newest key block.
func TestTrustOnFirstUse(t *testing.T) {
	for _, c := range []struct{ head, want uint32 }{{5, 5}, {7, 5}, {12, 10}} {
		chain := newKeyChain(t, c.head, false, func(n uint32) bool { return n%5 == 0 })
		var got []lite.KeyBlock
		client, err := lite.Open(t.Context(), lite.Options{
			Servers: []lite.Server{at(serve(t, chain))}, Global: sandbox.DefaultGlobalID,
			OnTrust: func(k lite.KeyBlock) { got = append(got, k) },
		})
		if err != nil {
			t.Fatal(err)
		}
		client.Close()
		if diff := cmp.Diff([]lite.KeyBlock{keyBlockOf(chain.ids[c.want])}, got); diff != "" {
			t.Errorf("head %d: %s", c.head, diff)
		}
	}
	chain := newKeyChain(t, 3, false, func(uint32) bool { return false })
	_, err := lite.Open(t.Context(), lite.Options{Servers: []lite.Server{at(serve(t, chain))}, Global: sandbox.DefaultGlobalID})
	if !errors.Is(err, lite.ErrTrust) {
		t.Errorf("no key block: %v", err)
	}
}

// proofCase is a lie about the way to the head.
type proofCase struct {
	name string
	want error
	edit func(p *ton.PartialBlockProof)
}

func TestHeadLies(t *testing.T) {
	chain := newKeyChain(t, 12, true, func(n uint32) bool { return n == 1 || n == 6 })
	chain.head.Store(1)
	l := newLiar(t, serve(t, chain))
	forward := func(p *ton.PartialBlockProof, i int, edit func(f *ton.BlockLinkForward)) {
		f := p.Steps[i].(ton.BlockLinkForward)
		edit(&f)
		p.Steps[i] = f
	}
	for _, c := range []proofCase{
		{"no links", lite.ErrAnswer, func(p *ton.PartialBlockProof) { p.Steps = nil }},
		{"last link missing", lite.ErrAnswer, func(p *ton.PartialBlockProof) { p.Steps = p.Steps[:1] }},
		{"first link missing", lite.ErrAnswer, func(p *ton.PartialBlockProof) { p.Steps = p.Steps[1:] }},
		{"unfinished and going nowhere", lite.ErrProof, func(p *ton.PartialBlockProof) {
			p.Steps, p.To, p.Complete = nil, p.From, false
		}},
		{"from another block", lite.ErrAnswer, func(p *ton.PartialBlockProof) { p.From = &chain.ids[2] }},
		{"to another block", lite.ErrAnswer, func(p *ton.PartialBlockProof) { p.To = &chain.ids[11] }},
		{"of another workchain", lite.ErrAnswer, func(p *ton.PartialBlockProof) {
			p.To = p.To.Copy()
			p.To.Workchain = 0
			forward(p, 1, func(f *ton.BlockLinkForward) { f.To = p.To })
		}},
		{"another height", lite.ErrAnswer, func(p *ton.PartialBlockProof) {
			p.To = p.To.Copy()
			p.To.SeqNo = 1000
			forward(p, 1, func(f *ton.BlockLinkForward) { f.To = p.To })
		}},
		{"another file hash", lite.ErrSignatures, func(p *ton.PartialBlockProof) {
			p.To = p.To.Copy()
			p.To.FileHash[0] ^= 1
			forward(p, 1, func(f *ton.BlockLinkForward) { f.To = p.To })
		}},
		{"another root hash", lite.ErrProof, func(p *ton.PartialBlockProof) {
			p.To = p.To.Copy()
			p.To.RootHash[0] ^= 1
			forward(p, 1, func(f *ton.BlockLinkForward) { f.To = p.To })
		}},
		// The validators are the same, so the signatures would do.
		{"key block left out", lite.ErrProof, func(p *ton.PartialBlockProof) {
			first := p.Steps[0].(ton.BlockLinkForward)
			forward(p, 1, func(f *ton.BlockLinkForward) { f.From, f.ConfigProof = first.From, first.ConfigProof })
			p.Steps = p.Steps[1:]
		}},
		{"unsigned", lite.ErrSignatures, func(p *ton.PartialBlockProof) {
			forward(p, 1, func(f *ton.BlockLinkForward) {
				f.SignatureSet = editSignatures(f, func(s []ton.Signature) []ton.Signature { return nil })
			})
		}},
		{"signature of another block", lite.ErrSignatures, func(p *ton.PartialBlockProof) {
			first := p.Steps[0].(ton.BlockLinkForward)
			forward(p, 1, func(f *ton.BlockLinkForward) { f.SignatureSet = first.SignatureSet })
		}},
		{"signed twice", lite.ErrSignatures, func(p *ton.PartialBlockProof) {
			forward(p, 1, func(f *ton.BlockLinkForward) {
				f.SignatureSet = editSignatures(f, func(s []ton.Signature) []ton.Signature { return append(slices.Clone(s), s...) })
			})
		}},
		{"signed by a stranger", lite.ErrSignatures, func(p *ton.PartialBlockProof) {
			forward(p, 1, func(f *ton.BlockLinkForward) {
				f.SignatureSet = editSignatures(f, func(s []ton.Signature) []ton.Signature {
					s = slices.Clone(s)
					s[0].NodeIDShort = bytes.Repeat([]byte{1}, 32)
					return s
				})
			})
		}},
		{"validators pruned", lite.ErrPruned, func(p *ton.PartialBlockProof) {
			forward(p, 1, func(f *ton.BlockLinkForward) {
				root := parsed(t, f.ConfigProof)[0]
				set := configParam(t, root, 34)
				f.ConfigProof = forge(t, pruningHonestly(t, child(set, 0)), root)
			})
		}},
		{"validators' parameter pruned", lite.ErrPruned, func(p *ton.PartialBlockProof) {
			forward(p, 1, func(f *ton.BlockLinkForward) {
				root := parsed(t, f.ConfigProof)[0]
				f.ConfigProof = forge(t, pruningHonestly(t, configParam(t, root, 34)), root)
			})
		}},
		{"key block's extra pruned", lite.ErrPruned, func(p *ton.PartialBlockProof) {
			forward(p, 1, func(f *ton.BlockLinkForward) {
				root := parsed(t, f.ConfigProof)[0]
				f.ConfigProof = forge(t, pruningHonestly(t, child(root, 0, 3)), root)
			})
		}},
		{"header pruned", lite.ErrPruned, func(p *ton.PartialBlockProof) {
			forward(p, 1, func(f *ton.BlockLinkForward) {
				root := parsed(t, f.DestProof)[0]
				f.DestProof = forge(t, pruningHonestly(t, child(root, 0, 0)), root)
			})
		}},
		{"a link back", lite.ErrAnswer, func(p *ton.PartialBlockProof) {
			f := p.Steps[1].(ton.BlockLinkForward)
			p.Steps[1] = ton.BlockLinkBackward{From: f.From, To: f.To, DestProof: f.DestProof, Proof: f.DestProof, StateProof: f.DestProof}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l.lie.Store(nil)
			chain.head.Store(1)
			client, err := lite.Open(t.Context(), lite.Options{Servers: []lite.Server{l.server}, Global: sandbox.DefaultGlobalID, Trusted: keyBlockOf(chain.ids[1])})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			chain.head.Store(12)
			lie := lie(func(_, answer tl.Serializable) tl.Serializable {
				if p, ok := answer.(ton.PartialBlockProof); ok {
					c.edit(&p)
					return p
				}
				return answer
			})
			l.lie.Store(&lie)
			got, err := client.Head(t.Context())
			if err == nil {
				t.Fatalf("believed block %d", got.Seqno)
			}
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if _, ok := errors.AsType[*lite.DroppedError](err); !ok {
				t.Errorf("not dropped: %v", err)
			}
		})
	}
}

func editSignatures(f *ton.BlockLinkForward, edit func([]ton.Signature) []ton.Signature) any {
	switch s := f.SignatureSet.(type) {
	case ton.SignatureSet:
		s.Signatures = edit(s.Signatures)
		return s
	case ton.SignatureSetOrdinary:
		s.Signatures = edit(s.Signatures)
		return s
	}
	return f.SignatureSet
}

// configParam finds a parameter in the proof of a key block.
func configParam(t testing.TB, proof *cell.Cell, n int64) *cell.Cell {
	t.Helper()
	var found *cell.Cell
	want := map[int64]byte{28: 0xc1, 34: 0x12}[n]
	var visit func(c *cell.Cell)
	visit = func(c *cell.Cell) {
		if s := c.MustBeginParse(); !c.IsSpecial() && s.BitsLeft() >= 8 && byte(s.MustPreloadUInt(8)) == want && (n != 34 || c.RefsNum() == 1) {
			found = c
		}
		for i := range int(c.RefsNum()) {
			visit(child(c, i))
		}
	}
	visit(child(proof, 0, 3))
	if found == nil {
		t.Fatalf("no parameter %d in the proof", n)
	}
	return found
}

// An older block than known is not gone back to, whoever says that it is the newest.
func TestHeadNeverGoesBack(t *testing.T) {
	chain := newKeyChain(t, 12, false, func(n uint32) bool { return n == 1 || n == 6 })
	l := newLiar(t, serve(t, chain))
	c, err := lite.Open(t.Context(), lite.Options{Servers: []lite.Server{l.server}, Global: sandbox.DefaultGlobalID, Trusted: keyBlockOf(chain.ids[1])})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	chain.head.Store(9)
	if got, err := c.Head(t.Context()); err != nil || got.Seqno != 12 {
		t.Errorf("after the server went back: block %d, %v", got.Seqno, err)
	}
	// A server that has forgotten the key block, too.
	chain.head.Store(3)
	if got, err := c.Head(t.Context()); err == nil && got.Seqno != 12 {
		t.Errorf("after the server forgot: block %d", got.Seqno)
	}
	// A fresher server beside it is preferred.
	fresh := newKeyChain(t, 12, false, func(n uint32) bool { return n == 1 || n == 6 })
	both, err := lite.Open(t.Context(), lite.Options{Servers: []lite.Server{at(serve(t, fresh)), l.server},
		Global: sandbox.DefaultGlobalID, Trusted: keyBlockOf(chain.ids[1])})
	if err != nil {
		t.Fatal(err)
	}
	defer both.Close()
	if got, err := both.Head(t.Context()); err != nil || got.Seqno != 12 {
		t.Errorf("two servers: block %d, %v", got.Seqno, err)
	}
}

// Two blocks of one height with good signatures: validators broke their promise, or
// their keys were stolen. The client stays with what it saw first.
func TestFork(t *testing.T) {
	// The same up to the key block; from there on, the time tells them apart.
	key := func(n uint32) bool { return n == 1 }
	one, other := newKeyChain(t, 3, true, key), newKeyChainAt(t, 3, true, key, 1_700_000_500)
	if !one.ids[1].Equals(&other.ids[1]) || one.ids[3].Equals(&other.ids[3]) {
		t.Fatal("not a fork")
	}
	l, honest := newLiar(t, serve(t, one)), newLiar(t, serve(t, other))
	c, err := lite.Open(t.Context(), lite.Options{Servers: []lite.Server{l.server}, Global: sandbox.DefaultGlobalID, Trusted: keyBlockOf(one.ids[1])})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	lie := lie(func(query, _ tl.Serializable) tl.Serializable {
		answer, err := honest.ask(query)
		if err != nil {
			t.Error(err)
		}
		return answer
	})
	l.lie.Store(&lie)
	if _, err := c.Head(t.Context()); !errors.Is(err, lite.ErrFork) {
		t.Errorf("second block 3: %v", err)
	}
}

// A block of another network is refused, however well signed.
func TestWrongNetwork(t *testing.T) {
	w := newWorld(t, sandbox.Options{GlobalID: -3})
	for name, trusted := range map[string]lite.KeyBlock{"first use": {}, "trusted": keyBlockOf(w.chain.MasterHead())} {
		w.faucet(t, w.nobody, 1)
		_, err := lite.Open(t.Context(), lite.Options{Servers: []lite.Server{at(w.server)}, Global: -239, Trusted: trusted})
		if !errors.Is(err, lite.ErrNetwork) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A trusted block that the server does not have.
func TestUnknownTrustedBlock(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	_, err := lite.Open(t.Context(), lite.Options{Servers: []lite.Server{at(w.server)}, Global: sandbox.DefaultGlobalID,
		Trusted: lite.KeyBlock{Seqno: 1, RootHash: [32]byte{1}}})
	if _, ok := errors.AsType[*lite.RefusalError](err); !ok {
		t.Errorf("%v, want a refusal", err)
	}
}

func TestWait(t *testing.T) {
	w := newWorld(t, sandbox.Options{Mode: sandbox.Manual})
	c := w.open(t, lite.Options{})
	head, err := c.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	waited := make(chan error, 1)
	go func() { waited <- c.Wait(t.Context(), head.Seqno+2) }()
	for range 2 {
		select {
		case err := <-waited:
			t.Fatalf("did not wait: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
		if _, err := w.chain.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-waited; err != nil {
		t.Fatal(err)
	}
	short, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if err := c.Wait(short, head.Seqno+3); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a block that does not come: %v", err)
	}
}
