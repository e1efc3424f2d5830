package contracts_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/tlb"
)

// The sources repeat numbers that Go has too: exit codes, op codes, amounts and bounds. Nothing but this
// test keeps them equal.
func TestSourcesAgreeWithGo(t *testing.T) {
	var source strings.Builder
	for _, name := range []string{"common.tolk", "channel.tolk", "registry.tolk"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(b)
	}
	tolk := source.String()

	// ERR_NOT_OPEN here is ExitNotOpen there, and the other way round.
	refusals := map[string]string{}
	for _, m := range regexp.MustCompile(`const ERR_(\w+) = (\w+)`).FindAllStringSubmatch(tolk, -1) {
		name := "Exit"
		for _, word := range strings.Split(m[1], "_") {
			name += word[:1] + strings.ToLower(word[1:])
		}
		refusals[name] = m[2]
	}
	file, err := parser.ParseFile(token.NewFileSet(), "exit.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Exit") {
			return true
		}
		name := spec.Names[0].Name
		if code, ok := spec.Values[0].(*ast.BasicLit); !ok || code.Value != refusals[name] {
			t.Errorf("%s differs from the sources, which say %q", name, refusals[name])
		}
		delete(refusals, name)
		return true
	})
	for name := range refusals {
		t.Errorf("exit.go has no %s", name)
	}

	// Each struct with a 32-bit prefix is a message or a signed cell of tlb, and the other way round.
	known := map[uint64]bool{tlb.TagVoucher: true, tlb.TagCoopClose: true}
	for op := uint64(0x74756300); op < 0x74756400; op++ {
		known[op] = known[op] || decodable(op)
	}
	for op := uint64(0x74757200); op < 0x74757300; op++ {
		known[op] = known[op] || decodable(op)
	}
	known[tlb.OpExcesses] = true
	for _, m := range regexp.MustCompile(`struct \((0x[0-9a-f]{8})\) (\w+)`).FindAllStringSubmatch(tolk, -1) {
		op, err := strconv.ParseUint(m[1], 0, 32)
		if err != nil || !known[op] {
			t.Errorf("%s has the prefix %s, which tlb does not know", m[2], m[1])
		}
		delete(known, op)
	}
	for op, is := range known {
		if is {
			t.Errorf("the sources have no struct with the prefix %#x", op)
		}
	}

	for _, line := range []string{
		constant("STORAGE_RESERVE", `ton("0.05")`), constant("MIN_DEPOSIT", `ton("0.1")`), constant("NOTICE_VALUE", `ton("0.01")`),
		constant("MAINNET", tlb.Mainnet), constant("MIN_CLOSE_DELAY", tlb.MinCloseDelay), constant("MIN_PROXY_STAKE", `ton("0.5")`),
		constant("MIN_CLOSE_DELAY_MAINNET", "6 * 3600"), constant("MAX_CLOSE_DELAY", "72 * 3600"),
		constant("MAX_TIMELOCK", "30 * 86400"), constant("MAX_UNBONDING", "90 * 86400"),
		constant("ALL_ROLES", int(tlb.RoleProxy|tlb.RoleWorker)), constant("MAX_PEER_ID_BITS", fmt.Sprintf("%d * 8", tlb.MaxPeerID)),
		constant("TEXT_CELL_BITS", fmt.Sprintf("%d * 8", tlb.MaxModelName)), constant("MAX_ADDRS_CELLS", tlb.MaxAddrs/tlb.MaxModelName),
		constant("REVOKE_IMAGE", int(tlb.RevokeImage)), constant("REVOKE_MODEL", int(tlb.RevokeModel)), constant("REVOKE_PLATFORM", int(tlb.RevokePlatform)),
	} {
		if !strings.Contains(tolk, line) {
			t.Errorf("the sources lack %q", line)
		}
	}
}

func constant(name string, value any) string { return fmt.Sprintf("const %s = %v\n", name, value) }

// decodable tells whether an op belongs to a message: a body of it is refused for another reason.
func decodable(op uint64) bool {
	_, err := contracts.DecodeMessage(cell.BeginCell().MustStoreUInt(op, 32).EndCell())
	return !errors.Is(err, contracts.ErrNotMessage)
}
