package toncenter_test

import (
	"encoding/binary"
	"slices"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// counterCode is a contract that counts the messages it gets, from inside and
// from outside, in 64 bits of its data. Its get methods:
//
//	counter  the count
//	echo     its arguments
//	shapes   (1, 2), the list 1 2, null, -1
//	odd      (1, (2, 3), the data), a builder, a continuation
//	fails    throws 42
var counterCode = func() *cell.Cell {
	load := []byte{0xED, 0x44, 0xD0, 0xD7, 0x0B, 0x3F}               // PUSH c4; CTOS; 64 PLDU
	add := []byte{0xA4, 0xC8, 0xCB, 0x3F, 0xC9, 0xED, 0x54}          // INC; NEWC; 64 STU; ENDC; POP c4
	program := []byte{0xFF, 0x00}                                    // SETCP0
	program = when(program, "counter", slices.Concat(b(0x30), load)) // DROP
	program = when(program, "echo", b(0x30))
	program = when(program, "shapes", b(0x30,
		0x71, 0x72, 0x6F, 0x02, // 1 2 PAIR
		0x71, 0x72, 0x6D, 0x6F, 0x02, 0x6F, 0x02, // 1 2 NULL PAIR PAIR
		0x6D, 0x7F)) // NULL; -1
	program = when(program, "odd", b(0x30,
		0x71, 0x72, 0x73, 0x6F, 0x02, 0xED, 0x44, 0x6F, 0x03, // 1 2 3 PAIR; PUSH c4; TRIPLE
		0xC8, 0x90)) // NEWC; PUSHCONT {}
	program = when(program, "fails", b(0xF2, 0x2A))
	// Left are 0 and -1; any other is no method.
	program = append(program,
		0x20, 0x71, 0xB9, // DUP; 1; LESS
		0xF2, 0x8B, // THROWIFNOT 11
		0xF8, 0x00) // ACCEPT
	return code(slices.Concat(program, load, add)...)
}()

func b(bytes ...byte) []byte { return bytes }

// when appends a branch for one method: DUP; id; EQUAL; PUSHCONT {…}; IFJMP.
func when(program []byte, method string, body []byte) []byte {
	id := make([]byte, 4)
	binary.BigEndian.PutUint32(id, uint32(tontlb.MethodNameHash(method)))
	program = append(program, 0x20, 0x82, id[1], id[2], id[3], 0xBA)
	if len(body) > 15 {
		panic("a short PUSHCONT has at most 15 bytes")
	}
	program = append(program, 0x90|byte(len(body)))
	return append(append(program, body...), 0xE0)
}
