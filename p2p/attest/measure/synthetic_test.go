package measure_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/measure"
)

// section is one of a firmware's description, as it is in the file.
type section struct {
	offset, fileSize uint32
	address, size    uint64
	kind, attributes uint32
}

// The memory of OVMF as it has been since 2022, whatever its size.
var ovmfMemory = []section{
	{0, 0, 0x810000, 0x10000, 3, 0},
	{0, 0, 0x80b000, 0x2000, 3, 0},
	{0, 0, 0x809000, 0x2000, 2, 0},
	{0, 0, 0x800000, 0x6000, 3, 0},
}

// firmware describes itself with sections, and has these volumes in front.
func firmware(config, boot []byte, sections []section) []byte {
	le := binary.LittleEndian
	descriptor := le.AppendUint32([]byte("TDVF"), uint32(16+32*len(sections)))
	descriptor = le.AppendUint32(descriptor, 1)
	descriptor = le.AppendUint32(descriptor, uint32(len(sections)))
	for _, s := range sections {
		descriptor = le.AppendUint32(le.AppendUint32(descriptor, s.offset), s.fileSize)
		descriptor = le.AppendUint64(le.AppendUint64(descriptor, s.address), s.size)
		descriptor = le.AppendUint32(le.AppendUint32(descriptor, s.kind), s.attributes)
	}
	image := append(bytes.Clone(config), boot...)
	at := len(image) - 0x1000
	copy(image[at:], descriptor)

	guid := func(s string) []byte { b, _ := hex.DecodeString(s); return b }
	table := le.AppendUint32(nil, 0x1000)
	table = append(le.AppendUint16(table, 22), guid("35657ae44a989847865e4685a7bf8ec2")...)
	table = append(le.AppendUint16(append(table, "0123456789"...), 28), "another entry it"...)
	table = append(le.AppendUint16(table, uint16(len(table)+18)), guid("de82b596b21ff745baeaa366c55a082d")...)
	copy(image[len(image)-32-len(table):], table)
	return image
}

// emptyStore is a configuration volume without variables, with a volume's and a
// store's header.
func emptyStore(size int, length uint64, checksum uint16, blocks uint32, store uint32) []byte {
	le := binary.LittleEndian
	guid := func(s string) []byte { b, _ := hex.DecodeString(s); return b }
	b := append(make([]byte, 16), guid("8d2bf1ff96768b4ca9852747075b4f50")...)
	b = append(le.AppendUint64(b, length), "_FVH"...)
	b = le.AppendUint16(le.AppendUint16(le.AppendUint32(b, 0x4feff), 72), checksum)
	b = append(b, 0, 0, 0, 2)
	b = le.AppendUint32(le.AppendUint32(b, blocks), 0x1000)
	b = append(b, make([]byte, 8)...)
	b = append(b, guid("782cf3aa7b949a43a1802e144ec37792")...)
	b = append(le.AppendUint32(b, store), 0x5a, 0xfe, 0, 0, 0, 0, 0, 0)
	return append(b, bytes.Repeat([]byte{0xff}, size-len(b))...)
}

// syntheticFirmware has a small boot volume, which is measured, and a section
// that is not added at all.
func syntheticFirmware() []byte {
	boot := make([]byte, 0x3000)
	for i := range boot {
		boot[i] = byte(i*31 + i>>8)
	}
	return firmware(emptyStore(0x2000, 0x2000, 0xb8af, 2, 0x1000-72), boot, append(append([]section{
		{0x2000, 0x3000, 0xffffd000, 0x3000, 0, 1},
		{0, 0x2000, 0xffffb000, 0x2000, 1, 0},
	}, ovmfMemory...), section{0, 0, 0x900000, 0x1000, 4, 2}))
}

// syntheticKernel is an EFI image with a Linux header, sections out of order, an
// empty one, data behind the last and a signature.
func syntheticKernel() []byte {
	le := binary.LittleEndian
	k := make([]byte, 0xe60)
	for i := 0x400; i < len(k); i++ {
		k[i] = byte(i*7 + 3)
	}
	copy(k, "MZ")
	le.PutUint32(k[0x3c:], 0x40)
	copy(k[0x40:], "PE\x00\x00")
	le.PutUint16(k[0x44:], 0x8664)
	le.PutUint16(k[0x46:], 3)
	le.PutUint16(k[0x54:], 160)
	le.PutUint16(k[0x56:], 0x206)
	const optional = 0x58
	le.PutUint16(k[optional:], 0x20b)
	le.PutUint32(k[optional+60:], 0x400)
	le.PutUint32(k[optional+64:], 0x12345678)
	le.PutUint32(k[optional+108:], 6)
	le.PutUint32(k[optional+144:], 0xe40)
	le.PutUint32(k[optional+148:], 0x20)
	for i, s := range [][2]uint32{{0x800, 0x600}, {0x400, 0x400}, {0, 0}} {
		at := optional + 160 + 40*i
		le.PutUint32(k[at+16:], s[1])
		le.PutUint32(k[at+20:], s[0])
	}
	copy(k[0x202:], "HdrS")
	le.PutUint16(k[0x206:], 0x20f)
	k[0x211] = 1
	le.PutUint32(k[0x22c:], 0x7fffffff)
	le.PutUint16(k[0x236:], 0x7f)
	return k
}

// syntheticImage is predictable in all registers.
func syntheticImage() measure.Image {
	return measure.Image{
		Firmware:    syntheticFirmware(),
		Kernel:      syntheticKernel(),
		Initrd:      bytes.Repeat([]byte("initial RAM disk "), 1000),
		CommandLine: "console=ttyS0 root=/dev/vda",
		Memory:      2 << 30,
		ACPI:        &measure.ACPI{Loader: []byte("loader"), RSDP: []byte("rsdp"), Tables: []byte("tables")},
		Events:      []attest.Event{{Name: attest.EventConfig, Payload: []byte("c")}, {Name: attest.EventReady}},
	}
}

func predict(t testing.TB, image measure.Image) *measure.Measurements {
	t.Helper()
	m, err := measure.Predict(image)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
