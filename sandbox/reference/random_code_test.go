//go:build reference && cgo

package reference_test

import (
	"crypto/ed25519"
	"fmt"
	"math/big"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// An opcode is a line of testdata/opcodes.txt.
type opcode struct {
	first, last uint64
	bits        uint
	in, out     string
	name        string
}

// opcodes are all of them, and by their first byte: a fair choice among bytes
// first gives a program more than arithmetic.
var opcodes = sync.OnceValues(func() (all []opcode, groups [][]opcode) {
	text, err := os.ReadFile("testdata/opcodes.txt")
	if err != nil {
		panic(err)
	}
	byByte := make(map[uint64]int)
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		if len(fields) != 6 {
			panic("testdata/opcodes.txt: " + line)
		}
		number := func(s string, base int) uint64 {
			n, err := strconv.ParseUint(s, base, 32)
			if err != nil {
				panic(err)
			}
			return n
		}
		bits := uint(number(fields[2], 10))
		o := opcode{number(fields[0], 16), number(fields[1], 16), bits, fields[3], fields[4], fields[5]}
		all = append(all, o)
		first := o.first >> (bits - 8)
		at, ok := byByte[first]
		if !ok {
			at = len(groups)
			byByte[first] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], o)
	}
	return all, groups
})

// A coder writes a random program. It keeps track of what types the stack has
// if all goes well, and mostly gives an instruction what it takes; now and then
// it does not.
type coder struct {
	*source
	pieces []*cell.Builder
	stack  []byte // types, as in opcodes.txt
	depth  int    // of nested code
}

// code is a random program of about n instructions.
func (s *source) code(n, depth int, stack string) *cell.Cell {
	c := &coder{source: s, stack: []byte(stack), depth: depth}
	for range n {
		c.instruction()
	}
	return c.cell()
}

// cell packs the program: what does not fit into one cell goes on in its last
// reference, where the TVM goes on by itself.
func (c *coder) cell() *cell.Cell {
	type part struct{ b *cell.Builder }
	parts := []part{{cell.BeginCell()}}
	for _, p := range c.pieces {
		b := parts[len(parts)-1].b
		if b.BitsUsed()+p.BitsUsed() > 1023 || b.RefsUsed()+p.RefsUsed() > 3 {
			b = cell.BeginCell()
			parts = append(parts, part{b})
		}
		b.MustStoreBuilder(p)
	}
	var next *cell.Cell
	for i := len(parts) - 1; i >= 0; i-- {
		if next != nil {
			parts[i].b.MustStoreRef(next)
		}
		next = parts[i].b.EndCell()
	}
	return next
}

func (c *coder) put(b *cell.Builder) { c.pieces = append(c.pieces, b) }

// op writes instructions given in hexadecimal.
func (c *coder) op(hexadecimal string, refs ...*cell.Cell) {
	b := cell.BeginCell()
	for _, digit := range strings.ReplaceAll(hexadecimal, " ", "") {
		n, err := strconv.ParseUint(string(digit), 16, 4)
		if err != nil {
			panic(err)
		}
		b.MustStoreUInt(n, 4)
	}
	for _, r := range refs {
		b.MustStoreRef(r)
	}
	c.put(b)
}

func (c *coder) push(types ...byte) { c.stack = append(c.stack, types...) }

func (c *coder) pop(n int) { c.stack = c.stack[:len(c.stack)-min(n, len(c.stack))] }

func (c *coder) instruction() {
	switch n := c.IntN(100); {
	case n < 70:
		c.plain()
	case n < 75:
		c.control()
	case n < 80:
		c.action()
	case n < 83:
		c.constant("ICSBKTUA"[c.IntN(8)])
	case n < 86:
		c.shuffle()
	case n < 89:
		c.signature()
	case n < 91:
		c.try()
	case n < 93:
		c.runvm()
	case n < 94:
		c.exotic()
	case n < 96:
		c.references()
	case n < 97:
		c.hash()
	default:
		c.registers()
	}
}

// plain is an instruction of the table.
func (c *coder) plain() {
	all, groups := opcodes()
	o := all[c.IntN(len(all))]
	if c.IntN(3) == 0 {
		group := groups[c.IntN(len(groups))]
		o = group[c.IntN(len(group))]
	}
	if !c.one(o) {
		c.plain()
	}
}

func (c *coder) one(o opcode) bool {
	// AGAIN without an end costs a whole gas limit; there are enough of them in control.
	if strings.HasPrefix(o.name, "AGAIN") && c.IntN(10) != 0 {
		return false
	}
	// These leave the code; too early, mostly.
	if continuations.MatchString(o.name) && (c.depth > 0 || c.IntN(3) != 0) {
		return false
	}
	if (strings.HasPrefix(o.name, "THROW") || strings.HasPrefix(o.name, "RET") || strings.HasPrefix(o.name, "JMP")) && c.IntN(8) != 0 {
		return false
	}
	if c.IntN(30) != 0 {
		c.arguments(o)
	}
	operand := o.first + c.Uint64N(o.last-o.first+1)
	if c.IntN(3) == 0 { // few operands are about large numbers
		operand = min(o.last, o.first+c.Uint64N(12))
	}
	c.put(cell.BeginCell().MustStoreUInt(operand, o.bits))
	switch {
	case o.in == "?" || strings.Contains(o.in+o.out, "*"):
		c.stack = nil // unknown from here on
	default:
		c.pop(len(strings.Trim(o.in, "-")))
		c.push([]byte(strings.Trim(o.out, "-"))...)
	}
	return true
}

// continuations are the instructions that join continuations. Ours copies them
// as a whole, and a few doublings are more than any machine can hold: so few of
// them, and none in a loop.
var continuations = regexp.MustCompile(`^(BOOL|COMPOS|ATEXIT|SETEXIT|THENRET|SETCONTCTR|SETRETCTR|SETALTCTR|POPSAVE|SAVE|SAMEALT|CALLCC|INVERT)`)

// arguments leaves on the stack what the instruction takes.
func (c *coder) arguments(o opcode) {
	in := strings.Trim(o.in, "-?")
	if in == "" {
		return
	}
	if c.matches(in) && c.IntN(4) != 0 {
		return
	}
	if strings.HasPrefix(o.name, "DICT") || strings.HasPrefix(o.name, "PFXDICT") || strings.HasPrefix(o.name, "SUBDICT") {
		c.dictionary(in)
		return
	}
	for _, kind := range []byte(in) {
		if kind == '*' {
			for range c.IntN(4) {
				c.constant('A')
			}
			continue
		}
		c.argument(kind)
	}
	if strings.Contains(in, "*") && in[len(in)-1] == 'I' { // the number of values
		c.integer(big.NewInt(int64(c.IntN(4))))
	}
}

func (c *coder) matches(in string) bool {
	if len(c.stack) < len(in) {
		return false
	}
	for i, have := range c.stack[len(c.stack)-len(in):] {
		if want := in[i]; have != want && want != 'A' && !(want == 'U' && have == 'T') && !(want == 'D' && have == 'C' && c.IntN(3) == 0) {
			return false
		}
	}
	return true
}

// argument is a constant, or a value that is on the stack already.
func (c *coder) argument(kind byte) {
	for depth := range min(16, len(c.stack)) {
		if have := c.stack[len(c.stack)-1-depth]; (have == kind || kind == 'A') && c.IntN(2) == 0 {
			c.put(cell.BeginCell().MustStoreUInt(uint64(0x20+depth), 8)) // PUSH s(depth)
			c.push(have)
			return
		}
	}
	c.constant(kind)
}

// dictionary pushes the arguments of a dictionary instruction: the keys, and
// the length of keys on top, fit the dictionary.
func (c *coder) dictionary(in string) {
	n := []uint{1, 5, 8, 16, 32, 64, 256, 257, 267}[c.IntN(9)]
	for i, kind := range []byte(in) {
		switch {
		case i == len(in)-1 && kind == 'I':
			c.integer(big.NewInt(int64(n)))
		case kind == 'D' && i > 0 && c.IntN(8) != 0:
			if c.IntN(4) == 0 {
				c.op("6d") // NULL
			} else {
				c.op("88", c.dict(n).AsCell()) // PUSHREF
			}
			c.push('D')
		case kind == 'I':
			key := new(big.Int).SetUint64(c.key(min(n, 63)))
			if c.IntN(8) == 0 {
				key.Neg(key)
			}
			c.integer(key)
		case kind == 'S':
			b := cell.BeginCell()
			if c.IntN(2) == 0 {
				b.MustStoreBuilder(keyOf(c.key(min(n, 63)), n))
			} else {
				c.fill(b, n)
			}
			if c.IntN(3) == 0 {
				c.fill(b, uint(c.IntN(20)))
			}
			c.op("89", b.EndCell()) // PUSHREFSLICE
			c.push('S')
		default:
			c.argument(kind)
		}
	}
}

func (c *coder) integer(n *big.Int) {
	b := cell.BeginCell()
	switch {
	case n.IsInt64() && n.Int64() >= -5 && n.Int64() <= 10:
		b.MustStoreUInt(uint64(0x70+n.Int64()&15), 8)
	case n.IsInt64() && n.Int64() >= -128 && n.Int64() < 128:
		b.MustStoreUInt(0x80, 8).MustStoreInt(n.Int64(), 8)
	case n.IsInt64() && n.Int64() >= -32768 && n.Int64() < 32768:
		b.MustStoreUInt(0x81, 8).MustStoreInt(n.Int64(), 16)
	default:
		length := uint(max(0, (n.BitLen()+1-19+7)/8)) // PUSHINT of 8l+19 bits
		b.MustStoreUInt(0x82, 8).MustStoreUInt(uint64(length), 5)
		wide := 8*length + 19
		bits := new(big.Int).And(n, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), wide), big.NewInt(1))) // two's complement
		b.MustStoreBigUInt(new(big.Int).Rsh(bits, wide-16), 16)
		b.MustStoreBigUInt(bits.And(bits, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), wide-16), big.NewInt(1))), wide-16)
	}
	c.put(b)
	c.push('I')
}

// constant pushes a value of a type.
func (c *coder) constant(kind byte) {
	switch kind {
	case 'I':
		if c.IntN(60) == 0 {
			c.op("83ff") // PUSHNAN
			c.push('I')
			return
		}
		c.integer(c.number())
	case 'C':
		c.op("88", c.anyCell(2))
		c.push('C')
	case 'D':
		if c.IntN(3) == 0 {
			c.op("6d")
		} else {
			c.op("88", c.dict(32).AsCell())
		}
		c.push('D')
	case 'S':
		c.slice()
	case 'B':
		c.op("c8") // NEWC
		switch c.IntN(4) {
		case 0:
		case 1:
			c.op("88", c.anyCell(1))
			c.op("01cc") // SWAP STREF
		default:
			c.op("89", c.anyCell(1))
			c.op("01ce") // SWAP STSLICE
		}
		c.push('B')
	case 'K':
		c.continuation()
	case 'T', 'U':
		if kind == 'U' && c.IntN(4) == 0 {
			c.op("6d")
			c.push('U')
			return
		}
		n := c.IntN(5)
		for range n {
			c.constant("IICSN"[c.IntN(5)])
		}
		c.op(fmt.Sprintf("6f0%x", n)) // TUPLE
		c.pop(n)
		c.push('T')
	case 'N':
		c.op("6d")
		c.push('N')
	default:
		c.constant("IICSBTN"[c.IntN(7)])
	}
}

func (c *coder) slice() {
	switch c.IntN(4) {
	case 0: // PUSHSLICE, short: 8x+4 bits with their end marked
		n := uint(c.IntN(16))
		b := cell.BeginCell().MustStoreUInt(0x8b, 8).MustStoreUInt(uint64(n), 4)
		c.fill(b, 8*n+4)
		c.put(b)
	case 1:
		b := cell.BeginCell()
		c.address(b)
		c.fill(b, uint(c.IntN(40)))
		c.op("89", b.EndCell())
	default:
		c.op("89", c.anyCell(2))
	}
	c.push('S')
}

// continuation pushes code; inside, the stack is assumed to be unknown.
func (c *coder) continuation() {
	code := c.nested(1 + c.IntN(5))
	bits, refs := code.BitsSize(), code.RefsNum()
	body := cell.BeginCell().MustStoreBuilder(code.ToBuilder())
	switch {
	case bits%8 == 0 && bits <= 120 && refs == 0 && c.IntN(2) == 0:
		c.put(cell.BeginCell().MustStoreUInt(0x9, 4).MustStoreUInt(uint64(bits/8), 4).MustStoreBuilder(body))
	case bits%8 == 0 && bits <= 900 && refs < 3 && c.IntN(3) != 0:
		c.put(cell.BeginCell().MustStoreUInt(0x8e>>1, 7).MustStoreUInt(uint64(refs), 2).MustStoreUInt(uint64(bits/8), 7).MustStoreBuilder(body))
	default:
		c.op("8a", code) // PUSHREFCONT
	}
	c.push('K')
}

// nested is code within this code.
func (c *coder) nested(n int) *cell.Cell {
	if c.depth >= 3 {
		n = 1
		return (&coder{source: c.source, depth: c.depth + 1}).simple()
	}
	return c.code(n, c.depth+1, "")
}

// simple is one harmless instruction.
func (c *coder) simple() *cell.Cell {
	c.op([]string{"00", "a4", "30", "6d", "71", "c8", "f823", "b9", "20"}[c.IntN(9)])
	return c.cell()
}

// control is a loop or a branch with arguments that keep it short.
func (c *coder) control() {
	switch c.IntN(9) {
	case 0: // REPEAT, mostly a few times
		n := int64(c.IntN(5))
		if c.IntN(20) == 0 {
			n = int64(c.IntN(2000))
		}
		c.integer(big.NewInt(n))
		c.continuation()
		c.op([]string{"e4", "e314"}[c.IntN(2)])
	case 1: // UNTIL, with the flag in the end
		code := c.nested(2)
		c.op("8a", cell.BeginCell().MustStoreBuilder(code.ToBuilder()).EndCell())
		c.op([]string{"e6", "e316"}[c.IntN(2)])
	case 2: // WHILE NOT: the condition reads chance
		c.op("8a", cell.BeginCell().MustStoreUInt(0xf81072, 24).MustStoreUInt(0xa908b9, 24).EndCell()) // RANDU256 2 PUSHINT MOD LESS
		c.continuation()
		c.op([]string{"e8", "e318"}[c.IntN(2)])
	case 3:
		c.argument('I')
		c.continuation()
		c.op([]string{"de", "df", "e0", "e1"}[c.IntN(4)])
	case 4:
		c.argument('I')
		c.continuation()
		c.continuation()
		c.op("e2")
	case 5:
		c.continuation()
		c.op([]string{"d8", "d9", "db34", "db35", "edf3", "edf4", "edf5"}[c.IntN(7)])
	case 6: // compositions
		if c.depth > 0 {
			return
		}
		c.continuation()
		c.continuation()
		c.op([]string{"edf0", "edf1", "edf2"}[c.IntN(3)])
		c.op([]string{"d8", "edf9", "30"}[c.IntN(3)])
	case 7: // arguments and numbers of arguments
		c.argument('A')
		c.argument('A')
		c.continuation()
		c.op(fmt.Sprintf("%s%x%x", []string{"da", "ec", "db36"}[c.IntN(3)], c.IntN(4), c.IntN(16)))
	default:
		c.argument('I')
		c.op([]string{"e300", "e301", "e30d", "db3c", "e30f"}[c.IntN(5)], c.nested(2), c.nested(2))
	}
	c.stack = nil
}

func (c *coder) try() {
	c.op("8a", c.nested(5))
	c.op("8a", c.nested(1))
	if c.IntN(3) == 0 {
		c.op(fmt.Sprintf("f3%x%x", c.IntN(3), c.IntN(3)))
	} else {
		c.op("f2ff")
	}
	c.stack = nil
}

// runvm runs a machine inside the machine, with all flags but two that are
// known to differ: c4 given, and c3 not the same.
func (c *coder) runvm() {
	flags := uint64(c.IntN(512))
	if c.IntN(20) == 0 {
		flags = uint64(c.IntN(4096))
	}
	flags = flags&^4 | 1
	n := c.IntN(3)
	for range n {
		c.argument('I')
	}
	c.integer(big.NewInt(int64(n)))
	c.op("89", c.nested(6)) // the code, as a slice
	c.push('S')
	if flags&256 != 0 { // number of results
		c.integer(big.NewInt(int64(c.IntN(3))))
	}
	if flags&16 != 0 { // c7
		c.constant('T')
	}
	if flags&8 != 0 { // gas limit
		c.integer(big.NewInt(int64(c.IntN(5000))))
	}
	if flags&64 != 0 { // gas maximum
		c.integer(big.NewInt(int64(c.IntN(10000))))
	}
	if c.IntN(4) == 0 {
		c.integer(new(big.Int).SetUint64(flags))
		c.op("db50") // RUNVMX
	} else {
		c.put(cell.BeginCell().MustStoreUInt(0xdb4, 12).MustStoreUInt(flags, 12))
	}
	c.stack = nil
}

func (c *coder) shuffle() {
	i, j := c.IntN(6), c.IntN(6)
	switch c.IntN(6) {
	case 0:
		c.op(fmt.Sprintf("2%x", i))
		c.push('A')
	case 1:
		c.op(fmt.Sprintf("0%x", 1+i))
	case 2:
		c.op(fmt.Sprintf("3%x", i))
		c.pop(1)
	case 3:
		c.op(fmt.Sprintf("10%x%x", i, i+j))
	case 4:
		c.op("68") // DEPTH
		c.push('I')
	default:
		c.op(fmt.Sprintf("5f%x%x", 1+i, j))
	}
	for k := range c.stack {
		if c.IntN(3) == 0 {
			c.stack[k] = 'A'
		}
	}
}

// signature checks signatures, right ones among them.
func (c *coder) signature() {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = byte(c.IntN(4))
	key := ed25519.NewKeyFromSeed(seed)
	message := make([]byte, 32)
	message[31] = byte(c.IntN(4))
	signature := ed25519.Sign(key, message)
	if c.IntN(3) == 0 {
		signature[c.IntN(64)] ^= byte(1 << c.IntN(8))
	}
	public := new(big.Int).SetBytes(key.Public().(ed25519.PublicKey))
	switch c.IntN(8) {
	case 0:
		public = c.number()
	case 1:
		public = new(big.Int).Lsh(big.NewInt(1), 248) // the identity
	}
	of := cell.BeginCell().MustStoreSlice(signature, 512).EndCell()
	if c.IntN(2) == 0 {
		c.integer(new(big.Int).SetBytes(message))
		c.op("89", of)
		c.push('S')
		c.integer(public)
		c.op("f910") // CHKSIGNU
	} else {
		c.op("89", cell.BeginCell().MustStoreSlice(message, 256).EndCell())
		c.push('S')
		c.op("89", of)
		c.push('S')
		c.integer(public)
		c.op("f911") // CHKSIGNS
	}
	c.pop(3)
	c.push('I')
}

// hash is HASHEXT with the values it takes.
func (c *coder) hash() {
	n := c.IntN(4)
	kind := c.IntN(4)
	if kind >= 2 {
		c.constant('B')
	}
	for range n {
		c.constant("SB"[c.IntN(2)])
	}
	c.integer(big.NewInt(int64(n)))
	c.op(fmt.Sprintf("f90%x%02x", 4+kind, c.IntN(6)))
	c.pop(n + 1)
	c.push("IB"[kind/2])
}

// exotic pushes special cells, and reads what is in them or is not.
func (c *coder) exotic() {
	b := cell.BeginCell()
	switch c.IntN(3) {
	case 0: // a library, of those that there are or not
		b.MustStoreUInt(2, 8).MustStoreSlice(c.libraryHash(), 256)
	case 1: // a pruned branch; of an impossible depth it is known to differ
		b.MustStoreUInt(1, 8).MustStoreUInt(uint64(1+c.IntN(3)), 8)
		c.fill(b, 256)
		b.MustStoreUInt(c.Uint64N(1000), 16)
	default: // a Merkle proof of it
		c.fill(b, uint(c.IntN(300)))
	}
	c.op("c8")
	c.op("89", b.EndCell())
	c.op("01ce") // SWAP STSLICE
	c.op("7f")   // TRUE
	c.op("cf23") // ENDXC
	c.push('C')
	c.op([]string{"d0", "d739", "d73a", "d73b", "d765", "d766", "d767", "d768", "d76c", "f900", "30"}[c.IntN(11)])
	c.pop(1)
}

// references are the instructions that take cells from the code.
func (c *coder) references() {
	switch c.IntN(7) {
	case 0:
		c.argument('B')
		c.op([]string{"cf20", "cf21"}[c.IntN(2)], c.anyCell(1), c.anyCell(1))
	case 1:
		c.argument('S')
		b := cell.BeginCell().MustStoreUInt(0xd728>>2, 14)
		n := uint(c.IntN(4))
		b.MustStoreUInt(uint64(c.IntN(2)), 1).MustStoreUInt(0, 1).MustStoreUInt(uint64(n), 6)
		c.fill(b, 8*n+3)
		c.put(b)
	case 2: // STSLICECONST
		c.argument('B')
		n := uint(c.IntN(8))
		b := cell.BeginCell().MustStoreUInt(0xcf80>>7, 9).MustStoreUInt(0, 2).MustStoreUInt(uint64(n), 3)
		c.fill(b, 8*n+2)
		c.put(b)
	case 3: // DICTPUSHCONST
		n := uint(1 + c.IntN(64))
		c.put(cell.BeginCell().MustStoreUInt(0xf4a400>>10, 14).MustStoreUInt(uint64(n), 10).MustStoreRef(c.dict(n).AsCell()))
		c.push('D', 'I')
	case 4: // PFXDICTSWITCH
		c.argument('S')
		c.put(cell.BeginCell().MustStoreUInt(0xf4ac00>>10, 14).MustStoreUInt(uint64(c.IntN(64)), 10).MustStoreRef(c.dict(8).AsCell()))
		c.stack = nil
	case 5: // garbage
		b := cell.BeginCell()
		c.fill(b, uint(c.IntN(40)))
		c.put(b)
	default:
		c.op("89", c.anyCell(3))
		c.op("d74d") // PLDREFIDX 1
		c.push('C')
	}
}

// registers reads and writes c0 to c7.
func (c *coder) registers() {
	switch c.IntN(5) {
	case 0:
		c.constant('C')
		c.op("ed54") // POP c4
		c.pop(1)
	case 1:
		c.op(fmt.Sprintf("ed4%x", []int{0, 1, 2, 3, 4, 5, 7}[c.IntN(7)]))
		c.push('A')
	case 2:
		c.op("ed44 d0") // c4 CTOS
		c.push('S')
	case 3:
		c.argument('A')
		c.op(fmt.Sprintf("f8%02x", 0x60+1+c.IntN(31))) // SETGLOB
		c.pop(1)
	default:
		c.op(fmt.Sprintf("f8%02x", 0x40+1+c.IntN(31))) // GETGLOB
		c.push('A')
	}
}

// action leaves an action, or goes on with accepting and committing.
func (c *coder) action() {
	switch c.IntN(10) {
	case 0, 1, 2:
		c.op("88", c.relaxedMessage())
		c.integer(big.NewInt(int64(c.sendMode())))
		c.op([]string{"fb00", "fb00", "fb08"}[c.IntN(3)]) // SENDRAWMSG, SENDMSG
	case 3:
		c.integer(c.amount())
		c.integer(big.NewInt(int64(c.reserveMode())))
		c.op("fb02") // RAWRESERVE
	case 4:
		c.integer(c.amount())
		if c.version < 10 {
			c.op("6d")
		} else {
			c.op("88", c.extra(true).AsCell())
		}
		c.integer(big.NewInt(int64(c.reserveMode())))
		c.op("fb03") // RAWRESERVEX
	case 5:
		c.op("88", c.nested(3))
		c.op("fb04") // SETCODE
	case 6:
		c.op("88", c.anyCell(1))
		c.integer(big.NewInt(int64(c.libraryMode())))
		c.op("fb06") // SETLIBCODE
	case 7:
		c.integer(new(big.Int).SetBytes(c.libraryHash()))
		c.integer(big.NewInt(int64(c.libraryMode())))
		c.op("fb07") // CHANGELIB
	case 8:
		c.op("f800") // ACCEPT
	default:
		c.op("88", c.actionList())
		c.op("ed55") // POP c5
	}
}
