package tlb_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"
)

// TestTagsDiffer reads tags.go itself, so that a tag added later cannot be forgotten here.
func TestTagsDiffer(t *testing.T) {
	// Numbers that other signers and senders on TON put where our tags stand. A wallet key that
	// signs for us must never sign what one of these would read, nor the other way round.
	byValue := map[uint64]string{
		0:          "text comment",
		0xffffffff: "bounced message",
		0x75569022: "TON Connect sign-data, cell payload",
		0x2167da4b: "encrypted comment",
		0x746f6e2d: "ton-: start of TON Connect's proof and sign-data texts",
		0x7369676e: "sign: wallet V5, external request",
		0x73696e74: "sint: wallet V5, internal request",
		0x6578746e: "extn: wallet V5, request by an extension",
		0x5fcc3d14: "NFT transfer",
		0x0f8a7ea5: "jetton transfer",
	}
	file, err := parser.ParseFile(token.NewFileSet(), "tags.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range spec.Names {
			literal, ok := spec.Values[i].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s: write the number out, so that it can be compared with the contracts' sources", name)
				continue
			}
			v, err := strconv.ParseUint(literal.Value, 0, 32)
			if err != nil {
				t.Errorf("%s = %s: %v", name, literal.Value, err)
			}
			if other, taken := byValue[v]; taken {
				t.Errorf("%s = %#x is also %s", name, v, other)
			}
			// Whatever TON Connect hashes or signs as text starts with 0xffff.
			if v>>16 == 0xffff {
				t.Errorf("%s = %#x starts like TON Connect's signed texts", name, v)
			}
			byValue[v] = name.Name
			count++
		}
		return true
	})
	if count < 20 {
		t.Fatalf("only %d tags found in tags.go", count)
	}
}
