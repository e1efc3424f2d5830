package explore_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tonkeeper/tongo/abi-tolk/abiGenerated/cocoon"
	"github.com/tonkeeper/tongo/boc"
	"github.com/tonkeeper/tongo/tlb"
	"github.com/tonkeeper/tongo/tolk/parser"
	"github.com/tonkeeper/tongo/tolk/runtime"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"pgregory.net/rapid"

	"github.com/tussah-network/tussah/sandbox/abi"
	"github.com/tussah-network/tussah/sandbox/explore"
)

// shipped are the ABIs that come with tongo, by file name.
func shipped(t testing.TB) map[string][]byte {
	t.Helper()
	skip := func(format string, args ...any) {
		if os.Getenv("TUSSAH_CI") == "1" {
			t.Fatalf(format, args...)
		}
		t.Skipf("SKIPPED: "+format, args...)
	}
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tonkeeper/tongo").Output()
	if err != nil {
		skip("the source of tongo is not there: %v", err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "abi-tolk", "schemas", "*", "*.json"))
	if err != nil || len(files) < 20 {
		skip("%d ABIs with tongo, expected 24 (%v)", len(files), err)
	}
	out := map[string][]byte{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file)] = data
	}
	return out
}

// typed is a type of an ABI with its number there.
type typed struct {
	of     abi.Type
	number int
}

// bodies are all types of an ABI that have bytes: of messages and storage.
func bodies(c abi.Contract, theirs parser.ContractABI) (out []typed) {
	for i, m := range theirs.IncomingMessages {
		out = append(out, typed{c.Incoming[i].Body, m.BodyTyIdx})
	}
	for i, m := range theirs.IncomingExternal {
		out = append(out, typed{c.External[i].Body, m.BodyTyIdx})
	}
	for i, m := range theirs.OutgoingMessages {
		out = append(out, typed{c.Outgoing[i].Body, m.BodyTyIdx})
	}
	for i, m := range theirs.EmittedEvents {
		out = append(out, typed{c.Events[i].Body, m.BodyTyIdx})
	}
	if n := theirs.Storage.StorageTyIdx; n != nil {
		out = append(out, typed{c.Storage, *n})
	}
	return out
}

// theirsOf makes a cell of tongo's.
func theirsOf(t interface{ Fatal(...any) }, c *cell.Cell) *boc.Cell {
	out, err := boc.DeserializeBoc(c.ToBOC())
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

func hashOf(t interface{ Fatal(...any) }, c *boc.Cell) [32]byte {
	h, err := c.Hash256()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestEveryShippedType generates values of all types in the ABIs that tongo
// ships. What is packed is unpacked as it was, and tongo reads and writes the
// same bytes.
func TestEveryShippedType(t *testing.T) {
	types, compared, opaque := 0, 0, 0
	for file, data := range shipped(t) {
		c, err := abi.Parse(data)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		var theirs parser.ContractABI
		if err := json.Unmarshal(data, &theirs); err != nil {
			t.Fatal(err)
		}
		for _, body := range bodies(c, theirs) {
			types++
			agreed, closed := false, false
			example := explore.Value(body.of)
			for seed := range 25 {
				v := example.Example(seed)
				packed, err := abi.Pack(body.of, v)
				if errors.Is(err, abi.ErrValue) {
					continue // more than fits into a cell
				}
				if err != nil {
					t.Fatalf("%s: %s: %v", file, body.of, err)
				}
				again, err := abi.Unpack(body.of, packed)
				if err != nil {
					// Fields after one that only the contract can read.
					if closed = closed || isOpaque(body.of, 0); closed {
						continue
					}
					t.Fatalf("%s: %s does not come back: %v", file, abi.Text(v), err)
				}
				if !abi.Equal(v, again) {
					t.Fatalf("%s: %s came back as %s", file, abi.Text(v), abi.Text(again))
				}
				if runtimeReads(body.of, v) {
					agreed = tongoAgrees(t, file, theirs, body, packed) || agreed
				}
			}
			if agreed {
				compared++
			}
			if closed {
				opaque++
			}
		}
	}
	t.Logf("%d types, %d compared with tongo, %d with fields after opaque ones", types, compared, opaque)
	if types < 100 || compared < types*6/10 {
		t.Errorf("%d of %d types compared", compared, types)
	}
}

// isOpaque tells whether something in a type is for the contract alone.
func isOpaque(t abi.Type, depth int) bool {
	switch t := t.(type) {
	case abi.Opaque:
		return true
	case abi.Ref:
		return isOpaque(t.Of, depth)
	case abi.Optional:
		return isOpaque(t.Of, depth)
	case *abi.Struct:
		for _, f := range t.Fields {
			if depth < 10 && isOpaque(f.Type, depth+1) {
				return true
			}
		}
	}
	return false
}

// runtimeReads tells whether tongo's runtime (v1.22.47) reads a value as it is.
// It takes unsigned variable integers for signed ones, and loses the bits of
// cells it has read.
func runtimeReads(t abi.Type, v any) bool {
	switch t := t.(type) {
	case abi.Simple:
		n, isNumber := v.(*big.Int)
		return t != abi.Cell && t != abi.Remaining && (!isNumber || n.BitLen()%8 != 0 || n.Sign() == 0)
	case abi.Optional:
		return v == nil || runtimeReads(t.Of, v)
	case abi.Ref:
		return runtimeReads(t.Of, v)
	case *abi.Struct:
		for i, f := range t.Fields {
			if !runtimeReads(f.Type, v.(abi.Record).Fields[i].Value) {
				return false
			}
		}
		return true
	case abi.Map, abi.Opaque, abi.VarUint, *abi.Union:
		return false
	}
	return true
}

// tongoAgrees lets tongo read a cell and write it again; false if it cannot.
func tongoAgrees(t *testing.T, file string, theirs parser.ContractABI, body typed, packed *cell.Cell) bool {
	v, err := runtime.NewDecoder(theirs).UnmarshalTyIdx(theirsOf(t, packed), body.number)
	if err != nil {
		return false
	}
	again, err := runtime.NewEncoder(theirs).MarshalTyIdx(v, body.number)
	if err != nil {
		return false
	}
	if hashOf(t, again) != packed.HashKey() {
		t.Errorf("%s: tongo makes another cell of %s", file, body.of)
	}
	return true
}

// cocoonTypes are the types tongo generated for the messages of the Cocoon
// contracts.
var cocoonTypes = map[string]any{
	"ExtClientChargeSigned": abiCocoon.ExtClientChargeSigned{}, "ExtClientGrantRefundSigned": abiCocoon.ExtClientGrantRefundSigned{},
	"ExtClientTopUp": abiCocoon.ExtClientTopUp{}, "OwnerClientChangeSecretHashAndTopUp": abiCocoon.OwnerClientChangeSecretHashAndTopUp{},
	"OwnerClientRegister": abiCocoon.OwnerClientRegister{}, "OwnerClientChangeSecretHash": abiCocoon.OwnerClientChangeSecretHash{},
	"OwnerClientIncreaseStake": abiCocoon.OwnerClientIncreaseStake{}, "OwnerClientWithdraw": abiCocoon.OwnerClientWithdraw{},
	"OwnerClientRequestRefund": abiCocoon.OwnerClientRequestRefund{}, "ReturnExcessesBack": abiCocoon.ReturnExcessesBack{},
	"ClientProxyRequest": abiCocoon.ClientProxyRequest{}, "TextCmd": abiCocoon.TextCmd{},
	"ExtProxyCloseRequestSigned":         abiCocoon.ExtProxyCloseRequestSigned{},
	"ExtProxyCloseCompleteRequestSigned": abiCocoon.ExtProxyCloseCompleteRequestSigned{},
	"ExtProxyPayoutRequest":              abiCocoon.ExtProxyPayoutRequest{}, "ExtProxyIncreaseStake": abiCocoon.ExtProxyIncreaseStake{},
	"OwnerProxyClose": abiCocoon.OwnerProxyClose{}, "WorkerProxyRequest": abiCocoon.WorkerProxyRequest{}, "Payout": abiCocoon.Payout{},
	"AddWorkerType": abiCocoon.AddWorkerType{}, "DelWorkerType": abiCocoon.DelWorkerType{}, "AddModelType": abiCocoon.AddModelType{},
	"DelModelType": abiCocoon.DelModelType{}, "AddProxyType": abiCocoon.AddProxyType{}, "DelProxyType": abiCocoon.DelProxyType{},
	"RegisterProxy": abiCocoon.RegisterProxy{}, "UnregisterProxy": abiCocoon.UnregisterProxy{}, "UpdateProxy": abiCocoon.UpdateProxy{},
	"ChangeFees": abiCocoon.ChangeFees{}, "ChangeParams": abiCocoon.ChangeParams{}, "UpgradeContracts": abiCocoon.UpgradeContracts{},
	"UpgradeCode": abiCocoon.UpgradeCode{}, "ResetRoot": abiCocoon.ResetRoot{}, "UpgradeFull": abiCocoon.UpgradeFull{},
	"ChangeOwner": abiCocoon.ChangeOwner{}, "OwnerWalletSendMessage": abiCocoon.OwnerWalletSendMessage{},
	"TextCommand": abiCocoon.TextCommand{}, "ClientStorage": abiCocoon.ClientStorage{}, "ProxyStorage": abiCocoon.ProxyStorage{},
	"WalletStorage": abiCocoon.WalletStorage{}, "ClientConstData": abiCocoon.ClientConstData{},
}

// inlined tells whether a type has a cell that may be there, or all that
// remains. What tongo generates (v1.22.47) writes the content of the one instead
// of a reference, and a reference to the other instead of its content.
func inlined(t abi.Type) bool {
	switch t := t.(type) {
	case abi.Simple:
		return t == abi.Remaining
	case abi.Optional:
		return t.Of == abi.Cell
	case abi.Ref:
		return inlined(t.Of)
	case *abi.Struct:
		return slices.ContainsFunc(t.Fields, func(f abi.Field) bool { return inlined(f.Type) })
	}
	return false
}

// TestCocoonBytes: the Go types that tongo generated for the Cocoon contracts
// read and write the bytes that are made here by name.
func TestCocoonBytes(t *testing.T) {
	seen := map[string]bool{}
	for file, data := range shipped(t) {
		if !strings.HasPrefix(file, "cocoon/") {
			continue
		}
		c, err := abi.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		var theirs parser.ContractABI
		if err := json.Unmarshal(data, &theirs); err != nil {
			t.Fatal(err)
		}
		for _, body := range bodies(c, theirs) {
			generated, ok := cocoonTypes[body.of.String()]
			if !ok {
				continue
			}
			if inlined(body.of) {
				continue
			}
			seen[body.of.String()] = true
			for seed := range 50 {
				v := explore.Value(body.of).Example(seed)
				packed, err := abi.Pack(body.of, v)
				if err != nil {
					t.Fatalf("%s: %v", body.of, err)
				}
				into := reflect.New(reflect.TypeOf(generated))
				err = tlb.Unmarshal(theirsOf(t, packed), into.Interface())
				if err != nil && strings.Contains(err.Error(), "grams overflow") {
					continue // they hold 64 bits there
				}
				if err != nil {
					t.Errorf("%s: tongo cannot read %s: %v", file, abi.Text(v), err)
					continue
				}
				again := boc.NewCell()
				if err := tlb.Marshal(again, into.Elem().Interface()); err != nil {
					t.Errorf("%s: tongo cannot write %s: %v", file, abi.Text(v), err)
					continue
				}
				if hashOf(t, again) != packed.HashKey() {
					t.Errorf("%s: tongo makes another cell of %s", file, abi.Text(v))
				}
			}
		}
	}
	t.Logf("%d types", len(seen))
	if len(seen) < 30 {
		t.Errorf("only %d types were compared", len(seen))
	}
}

// TestCallsDecode: a generated message is decoded by its name.
func TestCallsDecode(t *testing.T) {
	calls := explore.Calls(walletABI.Incoming, named("alice"), named("bob"))
	rapid.Check(t, func(rt *rapid.T) {
		call := calls.Draw(rt, "call")
		got, err := walletABI.Decode(call.Body)
		if err != nil || !abi.Equal(got, call.Values) || call.Name != "Pay" {
			rt.Errorf("%s came back as %s (%v)", call.Values, got, err)
		}
	})
}
