package get_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/tlb/get"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"github.com/xssnick/tonutils-go/tvm/tuple"
)

var (
	self = address.MustParseRawAddr("0:5e1f5e1f5e1f5e1f5e1f5e1f5e1f5e1f5e1f5e1f5e1f5e1f5e1f5e1f5e1f5e1f")
	now  = time.Unix(1_800_000_000, 0)
)

// code assembles a code cell from the instructions' hexadecimal form. A method starts with its own
// id on top of its arguments; most tests DROP (30) it.
func code(t testing.TB, instructions string) *cell.Cell {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(instructions, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return cell.BeginCell().MustStoreSlice(b, uint(len(b))*8).EndCell()
}

func state(t testing.TB, instructions string) get.State {
	t.Helper()
	return get.State{Address: self, Code: code(t, instructions), Now: now, Balance: 1_500_000_000, LT: 77}
}

func run(t testing.TB, s get.State, args ...any) get.Result {
	t.Helper()
	r, err := get.Run(s, "method", args...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// configWith is a config dictionary with the version of the TVM and more params.
func configWith(t testing.TB, version uint64, params map[uint64]*cell.Cell) *cell.Cell {
	t.Helper()
	dict := cell.NewDict(32)
	set := func(id uint64, param *cell.Cell) {
		key := cell.BeginCell().MustStoreUInt(id, 32).EndCell()
		if err := dict.Set(key, cell.BeginCell().MustStoreRef(param).EndCell()); err != nil {
			t.Fatal(err)
		}
	}
	set(8, cell.BeginCell().MustStoreUInt(0xc4, 8).MustStoreUInt(version, 32).MustStoreUInt(0, 64).EndCell())
	for id, param := range params {
		set(id, param)
	}
	return dict.AsCell()
}

func TestExit(t *testing.T) {
	for _, c := range []struct {
		name string
		code string
		want get.Exit
	}{
		{"falls off the end", "30", get.ExitOK},
		{"returns through c1", "30 ED41 D8", get.ExitOKAlt}, // PUSH c1; EXECUTE
		{"throws a code of its own", "F22A", 42},
		{"throws 13, which is not out of gas", "F20D", 13},
		{"out of gas in an endless loop", "90 EA", get.ExitOutOfGas}, // PUSHCONT {}; AGAIN
		{"stack underflow", "30 A0", get.ExitStackUnderflow},         // ADD with no arguments
		{"no such instruction", "FEFFFF", get.ExitInvalidOpcode},
		{"wrong type", "30 6D A4", get.ExitTypeCheck},                     // NULL; INC
		{"integer overflow", "30 83FF A4", get.ExitIntOverflow},           // PUSHNAN; INC
		{"reads past the data", "30 ED44 D0 D31F", get.ExitCellUnderflow}, // c4; CTOS; 32 LDU
	} {
		r := run(t, state(t, c.code))
		if r.Exit != c.want {
			t.Errorf("%s: %v, want %v", c.name, r.Exit, c.want)
		}
		if r.Exit.OK() != (c.want == 0 || c.want == 1) {
			t.Errorf("%s: OK = %t", c.name, r.Exit.OK())
		}
		if r.Gas == 0 || r.Gas > get.GasLimit+1000 {
			t.Errorf("%s: used %d gas", c.name, r.Gas)
		}
		if !r.Exit.OK() {
			if _, err := r.Int(0); !errors.Is(err, get.ErrExit) || r.Len() != 0 {
				t.Errorf("%s: value after a failure: %v", c.name, err)
			}
		}
	}
}

func TestExitString(t *testing.T) {
	for e, want := range map[get.Exit]string{0: "exit 0 (ok)", -14: "exit -14 (out of gas)", 401: "exit 401",
		65535: "exit 65535 (unknown message, by convention)", 63: "exit 63 (wrong prefix, by Tolk's convention)", 13: "exit 13 (out of gas, caught)"} {
		if got := e.String(); got != want {
			t.Errorf("%d is %q, want %q", int(e), got, want)
		}
	}
}

func TestMethodID(t *testing.T) {
	s := state(t, "") // leaves the stack as it was
	r, err := get.Run(s, "seqno")
	if err != nil {
		t.Fatal(err)
	}
	if id, err := r.Uint64(0); err != nil || id != 85143 { // TON's well-known id of seqno
		t.Errorf("id of seqno = %d, %v", id, err)
	}
	r, err = get.RunID(s, 12345, 1)
	if err != nil {
		t.Fatal(err)
	}
	if id, err := r.Uint64(1); err != nil || id != 12345 || r.Len() != 2 {
		t.Errorf("id = %d, %v, %d values", id, err, r.Len())
	}
}

func TestArguments(t *testing.T) {
	someCell := cell.BeginCell().MustStoreUInt(0xabcd, 16).EndCell()
	lowest := new(big.Int).Neg(new(big.Int).Lsh(big.NewInt(1), 256))
	highest := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
	slice := someCell.MustBeginParse()
	slice.MustLoadUInt(4)

	r := run(t, state(t, "30"), 1, int64(-2), uint64(math.MaxUint64), lowest, highest, someCell, slice, self, nil, (*cell.Cell)(nil))
	for i, want := range []*big.Int{big.NewInt(1), big.NewInt(-2), new(big.Int).SetUint64(math.MaxUint64), lowest, highest} {
		if got, err := r.Int(i); err != nil || got.Cmp(want) != 0 {
			t.Errorf("value %d = %v, %v; want %v", i, got, err, want)
		}
	}
	if got, err := r.Cell(5); err != nil || got.HashKey() != someCell.HashKey() {
		t.Errorf("cell: %v", err)
	}
	if got, err := r.Slice(6); err != nil || got.BitsLeft() != 12 || got.MustLoadUInt(12) != 0xbcd {
		t.Errorf("slice: %v", err)
	}
	if slice.BitsLeft() != 12 {
		t.Error("the caller's slice was read")
	}
	if got, err := r.Address(7); err != nil || !got.Equals(self) {
		t.Errorf("address: %v, %v", got, err)
	}
	for i := 8; i < 10; i++ {
		if got, err := r.Value(i); err != nil || got != nil {
			t.Errorf("null: %v, %v", got, err)
		}
	}

	nested := any(1)
	for range 100 {
		nested = []any{nested}
	}
	r = run(t, state(t, "30"), []any{1, []any{someCell, nil}}, tuple.NewTupleValue(big.NewInt(7)))
	if outer, err := r.Tuple(0); err != nil || outer.Len() != 2 {
		t.Errorf("tuple: %v, %v", outer, err)
	} else if inner, err := outer.Tuple(1); err != nil || inner.Len() != 2 {
		t.Errorf("tuple in a tuple: %v, %v", inner, err)
	}
	if plain, err := r.Tuple(1); err != nil || plain.Len() != 1 {
		t.Errorf("the library's tuple: %v, %v", plain, err)
	}

	for _, bad := range []any{
		[]any{"text"}, make([]any, 256), nested,
		"text", 1.5, []byte{1}, address.NewAddressNone(), (*address.Address)(nil),
		new(big.Int).Add(highest, big.NewInt(1)), new(big.Int).Sub(lowest, big.NewInt(1)),
	} {
		if _, err := get.Run(state(t, "30"), "method", bad); !errors.Is(err, get.ErrArgument) {
			t.Errorf("argument %v (%T): %v", bad, bad, err)
		}
	}
}

func TestAccessorsRefuse(t *testing.T) {
	exact := cell.BeginCell().MustStoreAddr(self)
	longer := exact.Copy().MustStoreUInt(0, 1)
	none := cell.BeginCell().MustStoreUInt(0, 2)
	r := run(t, state(t, "30"), -1, new(big.Int).Lsh(big.NewInt(1), 64), exact.EndCell(), longer.ToSlice(), none.ToSlice())
	for _, c := range []struct {
		name string
		err  error
		want error
	}{
		{"index below", second(r.Int(-1)), get.ErrIndex},
		{"index above", second(r.Int(5)), get.ErrIndex},
		{"negative as uint64", second(r.Uint64(0)), get.ErrType},
		{"too big for uint64", second(r.Uint64(1)), get.ErrType},
		{"cell as uint64", second(r.Uint64(2)), get.ErrType},
		{"int as cell", second(r.Cell(0)), get.ErrType},
		{"cell as slice", second(r.Slice(2)), get.ErrType},
		{"cell as address", second(r.Address(2)), get.ErrType},
		{"int as tuple", second(r.Tuple(0)), get.ErrType},
		{"address and more", second(r.Address(3)), tlb.ErrTrailing},
		{"addr_none", second(r.Address(4)), tlb.ErrAddress},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.err, c.want)
		}
	}
	if r := run(t, state(t, "3083FF90")); r.Len() != 2 { // NaN, and an empty continuation
		t.Errorf("%d values", r.Len())
	} else {
		for i := range 2 {
			if _, err := r.Value(i); !errors.Is(err, get.ErrType) {
				t.Errorf("value %d: %v", i, err)
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestContext(t *testing.T) {
	// NOW, BLOCKLT, LTIME, RANDSEED, BALANCE, MYADDR, CONFIGROOT, MYCODE, c4
	s := state(t, "30 F823 F824 F825 F826 F827 F828 F829 F82A ED44")
	s.Data = cell.BeginCell().MustStoreUInt(5, 32).EndCell()
	s.Config = configWith(t, 13, nil)
	r := run(t, s)
	if r.Exit != get.ExitOK || r.Len() != 9 {
		t.Fatalf("%v, %d values", r.Exit, r.Len())
	}
	for i, want := range []uint64{1_800_000_000, 77, 77, 0} {
		if got, err := r.Uint64(i); err != nil || got != want {
			t.Errorf("value %d = %d, %v; want %d", i, got, err, want)
		}
	}
	balance, err := r.Tuple(4)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := balance.Uint64(0); err != nil || got != 1_500_000_000 || balance.Len() != 2 {
		t.Errorf("balance = %d, %v", got, err)
	}
	if extra, err := balance.Value(1); err != nil || extra != nil {
		t.Errorf("extra currencies = %v, %v", extra, err)
	}
	if got, err := r.Address(5); err != nil || !got.Equals(self) {
		t.Errorf("own address = %v, %v", got, err)
	}
	for i, want := range map[int]*cell.Cell{6: s.Config, 7: s.Code, 8: s.Data} {
		if got, err := r.Cell(i); err != nil || got.HashKey() != want.HashKey() {
			t.Errorf("cell %d: %v", i, err)
		}
	}
}

func TestNoDataIsEmptyCell(t *testing.T) {
	r := run(t, state(t, "30 ED44 D0 D1")) // c4; CTOS; ENDS
	if r.Exit != get.ExitOK {
		t.Error(r.Exit)
	}
}

// TestContextByVersion looks at the length of the info tuple, which contracts may do too.
func TestContextByVersion(t *testing.T) {
	length := "30 ED47 6F10 6F88" // PUSH c7; 0 INDEX; TLEN
	for version, want := range map[uint64]uint64{3: 10, 4: 14, 6: 17, 11: 18, 13: 18, 99: 18} {
		s := state(t, length)
		s.Config = configWith(t, version, nil)
		if got, err := run(t, s).Uint64(0); err != nil || got != want {
			t.Errorf("version %d: %d items, %v; want %d", version, got, err, want)
		}
	}
}

func TestConfigParams(t *testing.T) {
	s := state(t, "30 F835") // GLOBALID, from the unpacked config
	s.Config = configWith(t, 13, map[uint64]*cell.Cell{19: cell.BeginCell().MustStoreInt(-239, 32).EndCell()})
	if got, err := run(t, s).Int(0); err != nil || got.Int64() != -239 {
		t.Errorf("global id = %v, %v", got, err)
	}
}

func TestConfigRefused(t *testing.T) {
	library, err := cell.BeginCell().MustStoreUInt(2, 8).MustStoreSlice(make([]byte, 32), 256).EndCellSpecial(true)
	if err != nil {
		t.Fatal(err)
	}
	for name, config := range map[string]*cell.Cell{
		"special":         library,
		"no dictionary":   cell.BeginCell().MustStoreUInt(0xffff, 16).EndCell(),
		"malformed param": configWith(t, 13, map[uint64]*cell.Cell{18: cell.BeginCell().MustStoreUInt(1, 3).EndCell()}),
	} {
		s := state(t, "30")
		s.Config = config
		if _, err := get.Run(s, "method"); !errors.Is(err, get.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestManyConfigs runs through more configs than are cached, at once and twice.
func TestManyConfigs(t *testing.T) {
	var wg sync.WaitGroup
	for round := range 2 {
		for id := range 20 {
			s := state(t, "30 F835")
			s.Config = configWith(t, 13, map[uint64]*cell.Cell{19: cell.BeginCell().MustStoreInt(int64(id), 32).EndCell()})
			wg.Go(func() {
				r, err := get.Run(s, "method")
				if err != nil {
					t.Errorf("round %d: %v", round, err)
					return
				}
				if got, err := r.Int(0); err != nil || got.Int64() != int64(id) {
					t.Errorf("round %d: global id = %v, %v; want %d", round, got, err, id)
				}
			})
		}
	}
	wg.Wait()
}

func TestStateRefused(t *testing.T) {
	for name, change := range map[string]func(s *get.State){
		"no address": func(s *get.State) { s.Address = nil },
		"addr_none":  func(s *get.State) { s.Address = address.NewAddressNone() },
		"no code":    func(s *get.State) { s.Code = nil },
		"no time":    func(s *get.State) { s.Now = time.Time{} },
		"late time":  func(s *get.State) { s.Now = time.Unix(1<<32, 0) },
	} {
		s := state(t, "30")
		change(&s)
		if _, err := get.Run(s, "method"); !errors.Is(err, get.ErrState) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestVMFault gives the VM a cell that it cannot load, which is no matter of exit codes.
func TestVMFault(t *testing.T) {
	missing := cell.LazyRef{Hashes: make([]byte, 32), Depths: []uint16{0}}
	broken, err := cell.CreateWithLazyRefsUnsafe(0x0100, nil, make([]byte, 32), []uint16{1}, []cell.LazyRef{missing}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := state(t, "30 ED44 D0 D74C D0") // c4; CTOS; PLDREF; CTOS
	s.Data = broken
	r, err := get.Run(s, "method")
	if !errors.Is(err, get.ErrVM) {
		t.Errorf("%v, %v", r.Exit, err)
	}
}

// TestTupleBomb returns a tuple that would have 2^3000 leaves if it were unpacked.
func TestTupleBomb(t *testing.T) {
	r := run(t, state(t, "30 6D 810BB8 93 20 6F02 E4")) // NULL; 3000 INT; PUSHCONT { DUP; PAIR }; REPEAT
	if r.Exit != get.ExitOK || r.Len() != 1 {
		t.Fatalf("%v, %d values", r.Exit, r.Len())
	}
	level := r.Stack
	for range 3000 {
		inner, err := level.Tuple(0)
		if err != nil || inner.Len() != 2 {
			t.Fatalf("%d values, %v", inner.Len(), err)
		}
		level = inner
	}
	if v, err := level.Value(1); err != nil || v != nil {
		t.Errorf("leaf = %v, %v", v, err)
	}
}

// TestValuesOutliveRun reads a returned cell after the run: no gas is left to pay for that.
func TestValuesOutliveRun(t *testing.T) {
	deep := cell.BeginCell().MustStoreUInt(9, 8).EndCell()
	for range 50 {
		deep = cell.BeginCell().MustStoreRef(deep).EndCell()
	}
	s := state(t, "30 ED44 ED44 D0") // c4, and c4 as a slice
	s.Data = deep
	r := run(t, s)
	c, err := r.Cell(0)
	if err != nil {
		t.Fatal(err)
	}
	slice, err := r.Slice(1)
	if err != nil {
		t.Fatal(err)
	}
	for range 49 {
		c = c.MustPeekRef(0)
		slice = slice.MustLoadRef()
	}
	if got := c.MustPeekRef(0).MustBeginParse().MustLoadUInt(8); got != 9 {
		t.Errorf("got %d", got)
	}
	if got := slice.MustLoadRef().MustLoadUInt(8); got != 9 {
		t.Errorf("got %d", got)
	}
	if c.Trace() != nil {
		t.Error("the cell still counts gas")
	}
}

// FuzzRun runs code that its author chose freely: the VM may fail, never the process.
func FuzzRun(f *testing.F) {
	for _, s := range []string{"30", "F22A", "90EA", "30F823F827", "30ED44D0D31F", "306D810BB893206F02E4"} {
		b, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, []byte{1, 2, 3})
	}
	f.Fuzz(func(t *testing.T, instructions, data []byte) {
		if len(instructions) > 127 || len(data) > 127 {
			return
		}
		s := get.State{
			Address: self, Now: now,
			Code: cell.BeginCell().MustStoreSlice(instructions, uint(len(instructions))*8).EndCell(),
			Data: cell.BeginCell().MustStoreSlice(data, uint(len(data))*8).EndCell(),
		}
		r, err := get.Run(s, "method", 1, s.Data)
		if err != nil {
			if !errors.Is(err, get.ErrVM) {
				t.Fatal(err)
			}
			return
		}
		again, err := get.Run(s, "method", 1, s.Data)
		if err != nil || again.Exit != r.Exit || again.Gas != r.Gas || again.Len() != r.Len() {
			t.Fatalf("first %v, %d gas; then %v, %d gas, %v", r.Exit, r.Gas, again.Exit, again.Gas, err)
		}
		for i := range r.Len() {
			if _, err := r.Value(i); err != nil && !errors.Is(err, get.ErrType) {
				t.Fatal(err)
			}
		}
	})
}

func ExampleRun() {
	// A contract with one method: DROP the method id, ADD the two arguments.
	code := cell.BeginCell().MustStoreUInt(0x30A0, 16).EndCell()
	result, err := get.Run(get.State{Address: self, Code: code, Now: now}, "sum", 20, 22)
	if err != nil {
		fmt.Println(err)
		return
	}
	sum, err := result.Uint64(0)
	fmt.Println(result.Exit, sum, err)
	// Output: exit 0 (ok) 42 <nil>
}
