//go:build reference && cgo

package reference_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox/reference"
)

var update = flag.Bool("update", false, "write testdata/known.txt")

// TestKnownDifferences pins what the executors are known to differ in: each
// case, written by hand, goes through all versions, and testdata/known.txt has
// those that come out differently. A line less is a fault that was mended, a
// line more is a new one.
func TestKnownDifferences(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	for _, k := range knownCases() {
		var lines []string // one for each outcome, with its versions
		versions := make(map[string][]uint32)
		for version := uint32(oldestVersion); version <= newestVersion; version++ {
			in := k.make(version)
			theirs, theirErr := cpp()(in)
			ours, ourErr := goVM(in)
			r := result{Version: version}
			compareCase(&r, in, ours, theirs, ourErr, theirErr)
			if r.Different == "" {
				continue
			}
			line := r.Theirs + " | " + r.Ours
			if r.Ours == r.Theirs {
				line = r.Theirs + " | other " + strings.ReplaceAll(strings.Join(first(r.fields(), 2), ", "), "description.", "")
			}
			if versions[line] == nil {
				lines = append(lines, line)
			}
			versions[line] = append(versions[line], version)
		}
		for _, line := range lines {
			fmt.Fprintf(&out, "%s | %s | %s\n", k.name, ranges(versions[line]), line)
		}
	}
	const file = "testdata/known.txt"
	if *update {
		if err := os.WriteFile(file, []byte(knownHead+out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	have := make(map[string]bool)
	for line := range strings.Lines(string(want)) {
		have[line] = true
	}
	for line := range strings.Lines(knownHead + out.String()) {
		if !have[line] {
			t.Errorf("new difference: %s", line)
		}
		delete(have, line)
	}
	for line := range have {
		t.Errorf("no difference any more: %s", line)
	}
}

const knownHead = `# Where the Go executor is known to differ from the node's own: the case, the
# global versions, what the node does, what ours does. Written by
# go test -tags reference ./sandbox/reference -run TestKnownDifferences -update
`

func first(s []string, n int) []string { return s[:min(n, len(s))] }

// ranges writes 4, 5, 6, 9 as "4-6 9".
func ranges(versions []uint32) string {
	var out []string
	for i := 0; i < len(versions); {
		j := i
		for j+1 < len(versions) && versions[j+1] == versions[j]+1 {
			j++
		}
		if i == j {
			out = append(out, fmt.Sprint(versions[i]))
		} else {
			out = append(out, fmt.Sprintf("%d-%d", versions[i], versions[j]))
		}
		i = j + 1
	}
	return strings.Join(out, " ")
}

// A knownCase is one execution, in any version.
type knownCase struct {
	name string
	make func(version uint32) reference.Execution
}

func knownCases() (out []knownCase) {
	add := func(name string, make func(version uint32) reference.Execution) {
		out = append(out, knownCase{name, make})
	}
	code := func(name string, write func(*coder)) {
		add(name, func(version uint32) reference.Execution { return scene{version: version}.run(write) })
	}
	for _, m := range messages() {
		for _, mode := range []int64{0, 2, 16, 64, 128} {
			code(fmt.Sprintf("send, mode %d: %s", mode, m.name), func(c *coder) {
				c.op("88", m.cell)
				c.integer(big.NewInt(mode))
				c.op("fb00")
			})
		}
		code("SENDMSG: "+m.name, func(c *coder) {
			c.op("88", m.cell)
			c.op("70 fb08 30")
		})
	}
	all := actions()
	for _, a := range all {
		code("action: "+a.name, func(c *coder) { c.leave(a.cell) })
		for _, before := range all {
			if !before.first {
				continue
			}
			code("action: "+before.name+", then "+a.name, func(c *coder) { c.leave(before.cell, a.cell) })
		}
	}
	machineCases(code)
	accountCases(add)
	return out
}

// leave leaves actions for the action phase.
func (c *coder) leave(actions ...*cell.Cell) {
	list := cell.BeginCell().EndCell()
	for _, a := range actions {
		list = cell.BeginCell().MustStoreRef(list).MustStoreBuilder(a.ToBuilder()).EndCell()
	}
	c.op("88", list)
	c.op("ed55")
}

// A scene is an account with 10 TON that receives one.
type scene struct {
	version   uint32
	variant   int // of the world
	workchain int8
	self      byte
	state     *cell.Builder // AccountState, instead of an active one
	init      *cell.Cell    // in the message
	external  bool
	extra     *cell.Dictionary
}

func (s scene) run(write func(*coder)) reference.Execution {
	c := &coder{source: &source{Rand: rand.New(rand.NewPCG(1, 1))}}
	c.op("f800") // ACCEPT
	write(c)
	return s.execution(c.cell())
}

const (
	sceneNow = 1_750_000_000
	sceneLT  = 40_000_000_000_000
)

func (s scene) execution(code *cell.Cell) reference.Execution {
	w := worlds()[int(s.version-oldestVersion)*worldVariants+s.variant]
	self := bytes.Repeat([]byte{s.self}, 32)
	if s.self == 0 {
		self = bytes.Repeat([]byte{7}, 32)
	}
	by := &source{Rand: rand.New(rand.NewPCG(1, 1)), self: [32]byte(self), workchain: s.workchain}
	state := s.state
	if state == nil {
		state = cell.BeginCell().MustStoreBoolBit(true).MustStoreUInt(0, 2).
			MustStoreMaybeRef(code).MustStoreMaybeRef(cell.BeginCell().EndCell()).MustStoreBoolBit(false)
	}
	storage := cell.BeginCell().MustStoreUInt(sceneLT-1000, 64).MustStoreBigCoins(big.NewInt(1e10)).MustStoreDict(s.extra).MustStoreBuilder(state).EndCell()
	cells, bits := size(storage)
	a := cell.BeginCell().MustStoreBoolBit(true)
	by.own(a)
	paid := uint64(sceneNow)
	if s.workchain == -1 {
		paid = 0
	}
	a.MustStoreVarUInt(cells, 7).MustStoreVarUInt(bits, 7).MustStoreUInt(0, 3).MustStoreUInt(paid, 32).MustStoreBoolBit(false).MustStoreBuilder(storage.ToBuilder())
	before := cell.BeginCell().MustStoreRef(a.EndCell()).MustStoreSlice(make([]byte, 32), 256).MustStoreUInt(sceneLT-1001, 64).EndCell()

	m := cell.BeginCell()
	if s.external {
		m.MustStoreUInt(0b1000, 4)
		by.own(m)
		m.MustStoreBigCoins(new(big.Int))
	} else {
		m.MustStoreUInt(0b0110, 4)
		standard(0, 5)(m)
		by.own(m)
		m.MustStoreBigCoins(big.NewInt(1e9)).MustStoreBoolBit(false).MustStoreBigCoins(new(big.Int)).MustStoreBigCoins(big.NewInt(1000)).
			MustStoreUInt(sceneLT-10, 64).MustStoreUInt(sceneNow, 32)
	}
	if s.init != nil {
		m.MustStoreUInt(3, 2).MustStoreRef(s.init)
	} else {
		m.MustStoreBoolBit(false)
	}
	m.MustStoreBoolBit(false)
	return reference.Execution{
		Account: address.NewAddress(0, byte(s.workchain), self), Before: before, Message: m.EndCell(), Config: w.config, Libraries: w.libraries,
		Now: sceneNow, BlockLT: sceneLT, LT: sceneLT, Seed: [32]byte{31: 1}, Previous: w.previous,
	}
}

// standard writes an addr_std of one byte, repeated.
func standard(workchain int64, b byte) func(*cell.Builder) {
	return func(to *cell.Builder) {
		to.MustStoreUInt(0b100, 3).MustStoreInt(workchain, 8).MustStoreSlice(bytes.Repeat([]byte{b}, 32), 256)
	}
}

// accountCases are about the account, not about what its code does.
func accountCases(add func(string, func(uint32) reference.Execution)) {
	done := func(*coder) {}
	init := func(head uint64, bits uint, code *cell.Cell) *cell.Cell {
		return cell.BeginCell().MustStoreUInt(head, bits).MustStoreMaybeRef(code).MustStoreMaybeRef(cell.BeginCell().EndCell()).MustStoreBoolBit(false).EndCell()
	}
	empty := cell.BeginCell().EndCell()
	frozen := func(init *cell.Cell) *cell.Builder {
		return cell.BeginCell().MustStoreUInt(1, 2).MustStoreSlice(init.Hash(), 256)
	}
	prefixed, ticking := init(1<<6|3<<1, 7, empty), init(0b0100, 4, empty)
	add("account: unfrozen, fixed prefix", func(v uint32) reference.Execution {
		return scene{version: v, state: frozen(prefixed), init: prefixed}.run(done)
	})
	add("account: unfrozen, special flags 00", func(v uint32) reference.Execution {
		return scene{version: v, state: frozen(ticking), init: ticking}.run(done)
	})
	add("account: exempt from fees, external message", func(v uint32) reference.Execution {
		return scene{version: v, workchain: -1, self: 0x33, external: true}.run(done)
	})
	add("account: exempt from fees, not initialised", func(v uint32) reference.Execution {
		return scene{version: v, workchain: -1, self: 0x33, state: cell.BeginCell().MustStoreUInt(0, 2)}.run(done)
	})
	add("account: precompiled, without implementation", func(v uint32) reference.Execution {
		c := &coder{source: &source{}}
		c.op("f800")
		in := scene{version: v}.execution(c.cell())
		in.Config = precompile(in.Config, c.cell())
		return in
	})
	one := cell.NewDict(32)
	if err := one.SetBuilder(cell.BeginCell().MustStoreUInt(1, 32).EndCell(), cell.BeginCell().MustStoreBigVarUInt(big.NewInt(5), 32)); err != nil {
		panic(err)
	}
	for _, mode := range []int64{0, 64, 128} {
		add(fmt.Sprintf("account: extra currencies, mode %d", mode), func(v uint32) reference.Execution {
			return scene{version: v, extra: one}.run(func(c *coder) {
				c.op("88", message{extra: one}.cell())
				c.integer(big.NewInt(mode))
				c.op("fb00")
			})
		})
	}
	add("send: more cells than a message may have", func(v uint32) reference.Execution {
		return scene{version: v}.run(func(c *coder) {
			body := cell.BeginCell().EndCell()
			for i := range uint64(30) { // branches, as cells cannot be too deep
				branch := cell.BeginCell().EndCell()
				for j := range uint64(300) {
					branch = cell.BeginCell().MustStoreUInt(i<<16|j, 32).MustStoreRef(branch).EndCell()
				}
				body = cell.BeginCell().MustStoreRef(body).MustStoreRef(branch).EndCell()
			}
			c.leave(sends(64, message{rest: func(b *cell.Builder) {
				b.MustStoreUInt(0, 64+32).MustStoreUInt(1, 2).MustStoreRef(body) // lt, at, no StateInit, body in a reference
			}}.cell()))
		})
	})
	add("account: over its limits after a message", func(v uint32) reference.Execution {
		return scene{version: v, variant: 2}.run(func(c *coder) {
			large := cell.BeginCell().EndCell()
			for i := range uint64(100) {
				large = cell.BeginCell().MustStoreUInt(i, 8).MustStoreRef(large).EndCell()
			}
			c.op("88", large)
			c.op("ed54") // POP c4
			c.leave(sends(0, message{}.cell()))
		})
	})
}

func precompile(config, code *cell.Cell) *cell.Cell {
	list := cell.NewDict(256)
	key := cell.BeginCell().MustStoreSlice(code.Hash(), 256).EndCell()
	err := list.SetBuilder(key, cell.BeginCell().MustStoreUInt(0xb0, 8).MustStoreUInt(1234, 64))
	params := config.AsDict(32)
	if err == nil {
		param := cell.BeginCell().MustStoreUInt(0xc0, 8).MustStoreDict(list).EndCell()
		err = params.SetIntKey(big.NewInt(45), cell.BeginCell().MustStoreRef(param).EndCell())
	}
	if err != nil {
		panic(err)
	}
	return params.AsCell()
}

// machineCases are about single instructions.
func machineCases(code func(string, func(*coder))) {
	code("ENDXC of a pruned branch deeper than a cell can be", func(c *coder) {
		c.op("c8 89", cell.BeginCell().MustStoreUInt(0x0101, 16).MustStoreSlice(make([]byte, 32), 256).MustStoreUInt(2000, 16).EndCell())
		c.op("01ce 7f cf23 30")
	})
	inner := func(hexadecimal string) *cell.Cell {
		c := &coder{source: &source{}}
		c.op(hexadecimal)
		return c.cell()
	}
	code("RUNVM with c4, which is then read", func(c *coder) {
		c.op("70 89", inner("ed44 d0 30")) // 0; PUSH c4, CTOS, DROP
		c.op("88", cell.BeginCell().MustStoreUInt(1, 8).EndCell())
		c.op("db4004 30 30 30")
	})
	code("RUNVM whose c3 is called", func(c *coder) {
		c.op("70 89", inner("f005")) // CALLDICT 5
		c.op("db4000")
	})
	code("RUNVM isolated, after signatures", func(c *coder) {
		for range 12 {
			c.op("70 89", cell.BeginCell().MustStoreSlice(make([]byte, 64), 512).EndCell())
			c.op("71 f910 30")
		}
		c.op("70 89", inner("00"))
		c.op("db4080")
	})
	code("RUNVM without gas for an exception", func(c *coder) {
		c.op("70 89", inner("f22a"))
		c.op("8050 db4008") // gas limit 80
	})
	code("instruction cut short", func(c *coder) { c.op("80") })
	code("BLS_PAIRING of nothing", func(c *coder) { c.op("70 f93030 f205") }) // THROWIF 5 (short)
	code("stack of 75000", func(c *coder) {
		c.op("71 811388 92 5ff0 e4") // 1; 5000 times BLKPUSH 15,0
	})
	for _, limit := range []int{60, 100, 200, 300, 400, 500, 600} {
		for _, op := range []struct{ name, code string }{{"HASHSU", "f901"}, {"CTOS", "d0"}, {"THROW", "f22a"}, {"LDREFRTOS", "d5"}} {
			code(fmt.Sprintf("%s with %d gas", op.name, limit), func(c *coder) {
				c.op("89", cell.BeginCell().MustStoreUInt(7, 80).EndCell())
				c.integer(big.NewInt(int64(limit + 150)))
				c.op("f801") // SETGASLIMIT
				c.op(op.code)
			})
		}
		code(fmt.Sprintf("SENDMSG with %d gas", limit), func(c *coder) {
			c.op("88", message{}.cell())
			c.op("70")
			c.integer(big.NewInt(int64(limit + 150)))
			c.op("f801 fb08")
		})
	}
	// Dictionaries of 32 bits, taken for those of another length.
	s := &source{Rand: rand.New(rand.NewPCG(5, 5))}
	dict := s.dict(32).AsCell()
	for _, op := range []struct{ name, code string }{
		{"DICTIGET", "f40c"}, {"DICTUMIN", "f486"}, {"DICTIMAX", "f48c"}, {"DICTIREMMIN", "f494"},
		{"DICTUDEL", "f45b"}, {"DICTIADDB", "f452"}, {"DICTIGETNEXT", "f478"}, {"SUBDICTIGET", "f4b2"},
	} {
		for _, n := range []int64{4, 8, 64, 256} {
			code(fmt.Sprintf("%s of %d bits, of a dictionary of 32", op.name, n), func(c *coder) {
				c.op("c8 73") // a value, a key
				if strings.HasPrefix(op.name, "SUBDICT") {
					c.op("72")
				}
				c.op("88", dict)
				c.integer(big.NewInt(n))
				c.op(op.code)
			})
		}
	}
	code("cell too deep: ENDC", func(c *coder) {
		c.op("c8c9 81044c 93c8ccc9 e4") // NEWC ENDC, 1100 times into another: NEWC STREF ENDC
	})
	code("cell too deep: ENDCST", func(c *coder) {
		c.op("c8 81044c 93c801cd e4") // NEWC, 1100 times into another: NEWC SWAP ENDCST
	})
	code("cell too deep: SENDRAWMSG", func(c *coder) {
		c.op("88", message{}.cell())
		c.op("81044c 942070fb00 e4") // 1100 times DUP 0 SENDRAWMSG
	})
}
