// Package abi knows what a contract's messages look like. A description comes
// from the ABI JSON of the Tolk compiler (1.4 and later write it), or is
// written in Go with the same types:
//
//	var counter = abi.Contract{
//		Name: "Counter",
//		Incoming: []abi.Message{{Body: &abi.Struct{
//			Name: "Increment", Prefix: abi.Op(0x7e8764ef),
//			Fields: []abi.Field{{Name: "by", Type: abi.Uint(32)}},
//		}}},
//		Errors: []abi.ThrownError{{Code: 103, Name: "NotOwner"}},
//	}
//	body, err := counter.Encode("Increment", abi.Values{"by": 5})
//	record, err := counter.Decode(body) // Increment{by: 5}
//
// # From bytes to names
//
//  1. [Parse] reads the JSON into a [Contract] (parse.go, json.go). What it
//     does not know it refuses: a key that is ignored could have changed how
//     bytes are read.
//  2. [Contract.Decode] finds the message by its prefix and reads its fields
//     ([Unpack], unpack.go) into a [Record], a tree of plain Go values
//     (value.go).
//  3. [Contract.Encode] writes the same tree, or a map of Go values, back
//     ([Pack], pack.go).
//
// # What always holds
//
//   - Unpack(Pack(v)) is v, for every v that Unpack can give. The other way
//     round holds for bytes as a compiler writes them; what a contract would
//     read all the same, such as a dictionary with long labels, is read here
//     too.
//   - Whatever the bytes and whatever the description: no panic, and at most
//     [MaxValues] values and [MaxDepth] levels. Both may be hostile.
//
// # Limits
//
// Types with serializers written in Tolk ([Opaque]) are carried as the cell
// that remains, since the ABI does not say what is in them. Types that live
// only on the stack of a get method ([Stack]) have no bytes at all.
//
// Start reading at contract.go, then type.go.
package abi
