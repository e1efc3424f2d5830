package tlb_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"math/big"
	"slices"
	"testing"

	"github.com/tussah-network/tussah/tlb"
)

// The curve −x² + y² = 1 + d·x²·y² over the integers modulo p, slow and plain: an independent check
// of the list in key.go.
var (
	curveP = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	curveD = fieldMul(big.NewInt(-121665), new(big.Int).ModInverse(big.NewInt(121666), curveP))
)

func fieldMul(a, b *big.Int) *big.Int {
	c := new(big.Int).Mul(a, b)
	return c.Mod(c, curveP)
}

type point struct{ x, y *big.Int }

// decompress returns false if y is on no point of the curve.
func decompress(y *big.Int, sign uint) (point, bool) {
	one := big.NewInt(1)
	y = new(big.Int).Mod(y, curveP)
	yy := fieldMul(y, y)
	num := new(big.Int).Sub(yy, one)
	den := new(big.Int).Add(fieldMul(curveD, yy), one)
	xx := fieldMul(num, new(big.Int).ModInverse(den, curveP))
	x := new(big.Int).ModSqrt(xx, curveP)
	if x == nil {
		return point{}, false
	}
	if x.Bit(0) != sign {
		x.Mod(x.Neg(x), curveP)
	}
	return point{x, y}, true
}

func (a point) add(b point) point {
	one := big.NewInt(1)
	dxy := fieldMul(curveD, fieldMul(fieldMul(a.x, b.x), fieldMul(a.y, b.y)))
	inverse := func(v *big.Int) *big.Int { return new(big.Int).ModInverse(v.Mod(v, curveP), curveP) }
	x := fieldMul(new(big.Int).Add(fieldMul(a.x, b.y), fieldMul(b.x, a.y)), inverse(new(big.Int).Add(one, dxy)))
	y := fieldMul(new(big.Int).Add(fieldMul(a.y, b.y), fieldMul(a.x, b.x)), inverse(new(big.Int).Sub(one, dxy)))
	return point{x, y}
}

func (a point) smallOrder() bool {
	for range 3 {
		a = a.add(a)
	}
	return a.x.Sign() == 0 && a.y.Cmp(big.NewInt(1)) == 0
}

func encodeY(y *big.Int, sign uint) []byte {
	b := y.FillBytes(make([]byte, 32))
	slices.Reverse(b)
	b[31] |= byte(sign << 7)
	return b
}

func TestWeakKeySmallOrder(t *testing.T) {
	// Multiples of one point of order eight are the eight points of small order.
	generator, _ := hex.DecodeString("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
	slices.Reverse(generator)
	g, ok := decompress(new(big.Int).SetBytes(generator), 0)
	if !ok || !g.smallOrder() {
		t.Fatal("the generator has another order")
	}
	found := map[string]bool{}
	for p, i := g, 0; i < 8; p, i = p.add(g), i+1 {
		// Both signs: for x = 0 the second is the encoding that a lax decoder lets through.
		for sign := range uint(2) {
			if key := encodeY(p.y, sign); !tlb.WeakKey(key) {
				t.Errorf("%x has small order", key)
			}
		}
		found[p.x.String()+","+p.y.String()] = true
	}
	if len(found) != 8 {
		t.Errorf("found %d points of small order, want 8", len(found))
	}
}

func TestWeakKeyNotReduced(t *testing.T) {
	for i := range int64(19) { // p … 2^255 − 1
		y := new(big.Int).Add(curveP, big.NewInt(i))
		for sign := range uint(2) {
			if key := encodeY(y, sign); !tlb.WeakKey(key) {
				t.Errorf("%x is not reduced", key)
			}
		}
	}
}

func TestWeakKeyAccepts(t *testing.T) {
	for seed := range 100 {
		key := public(testKey(byte(seed)))
		if tlb.WeakKey(key) {
			t.Errorf("%x was refused", key)
		}
		reversed := slices.Clone([]byte(key))
		slices.Reverse(reversed)
		y := new(big.Int).SetBytes(reversed)
		if p, ok := decompress(y.SetBit(y, 255, 0), uint(reversed[0]>>7)); !ok || p.smallOrder() {
			t.Errorf("%x: the test's own arithmetic is wrong", key)
		}
	}
	// The numbers next to the refused ones are not refused.
	for _, y := range []*big.Int{big.NewInt(2), new(big.Int).Sub(curveP, big.NewInt(2))} {
		if key := encodeY(y, 0); tlb.WeakKey(key) {
			t.Errorf("%x was refused", key)
		}
	}
}

func TestWeakKeyLength(t *testing.T) {
	for _, n := range []int{0, 31, 33, 64} {
		if !tlb.WeakKey(make([]byte, n)) {
			t.Errorf("%d bytes were accepted", n)
		}
	}
}

// TestWeakKeyMatters shows the attack: under the identity as public key, one signature fits every
// message.
func TestWeakKeyMatters(t *testing.T) {
	identity := encodeY(big.NewInt(1), 0)
	signature := append(slices.Clone(identity), make([]byte, 32)...) // R = identity, S = 0
	if !ed25519.Verify(identity, []byte("pay everything"), signature) {
		t.Skip("crypto/ed25519 now refuses the identity itself")
	}
	forged := tlb.SignedVoucher{Voucher: testVoucher(), Signature: [64]byte(signature)}
	if err := forged.Verify(identity); err == nil {
		t.Error("a forged voucher was accepted")
	}
}
