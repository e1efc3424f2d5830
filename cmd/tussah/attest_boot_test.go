package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tussah-network/tussah/p2p/attest/eventlog"
	"github.com/tussah-network/tussah/p2p/attest/measure"
)

// writeBoot writes files that a machine could boot, and the log it would keep.
func writeBoot(ts *testscript.TestScript, _ bool, args []string) {
	image := measure.Image{
		Firmware: bootFirmware(), Kernel: bootKernel(), Initrd: []byte("initial RAM disk"),
		CommandLine: "console=ttyS0", Memory: 2 << 30,
		ACPI: &measure.ACPI{Loader: []byte("loader"), RSDP: []byte("rsdp"), Tables: []byte("tables")},
	}
	m, err := measure.Predict(image)
	ts.Check(err)
	log := eventlog.Log{Header: eventlog.Header{Index: 1, Word: 2}, Algorithms: []eventlog.Algorithm{eventlog.SHA384}}
	for _, s := range m.Steps {
		log.Events = append(log.Events, eventlog.Event{Index: uint32(s.RTMR + 1), Type: s.Type, Data: []byte(s.Name),
			Digests: []eventlog.Digest{{Algorithm: eventlog.SHA384, Value: s.Digest[:]}}})
	}
	ccel, err := log.Encode()
	ts.Check(err)
	ts.Check(os.MkdirAll(ts.MkAbs(args[0]), 0o755))
	for name, content := range map[string][]byte{
		"firmware": image.Firmware, "kernel": image.Kernel, "initrd": image.Initrd,
		"loader": image.ACPI.Loader, "rsdp": image.ACPI.RSDP, "tables": image.ACPI.Tables, "ccel": ccel,
	} {
		writeScriptFile(ts, filepath.Join(args[0], name), content)
	}
}

func unhexed(s string) []byte { b, _ := hex.DecodeString(s); return b }

// bootFirmware has an empty store of variables, a boot volume, and a description
// of the memory that OVMF starts with.
func bootFirmware() []byte {
	le := binary.LittleEndian
	store := append(make([]byte, 16), unhexed("8d2bf1ff96768b4ca9852747075b4f50")...)
	store = append(le.AppendUint64(store, 0x2000), "_FVH"...)
	store = le.AppendUint16(le.AppendUint16(le.AppendUint32(store, 0x4feff), 72), 0xb8af)
	store = append(store, 0, 0, 0, 2)
	store = le.AppendUint32(le.AppendUint32(store, 2), 0x1000)
	store = append(store, make([]byte, 8)...)
	store = append(store, unhexed("782cf3aa7b949a43a1802e144ec37792")...)
	store = append(le.AppendUint32(store, 0x1000-72), 0x5a, 0xfe, 0, 0, 0, 0, 0, 0)
	image := append(store, bytes.Repeat([]byte{0xff}, 0x2000-len(store))...)
	image = append(image, bytes.Repeat([]byte{0x90}, 0x3000)...)

	sections := []struct {
		offset, fileSize uint32
		address, size    uint64
		kind, attributes uint32
	}{
		{0x2000, 0x3000, 0xffffd000, 0x3000, 0, 1},
		{0, 0x2000, 0xffffb000, 0x2000, 1, 0},
		{0, 0, 0x810000, 0x10000, 3, 0},
		{0, 0, 0x80b000, 0x2000, 3, 0},
		{0, 0, 0x809000, 0x2000, 2, 0},
		{0, 0, 0x800000, 0x6000, 3, 0},
	}
	descriptor := le.AppendUint32([]byte("TDVF"), uint32(16+32*len(sections)))
	descriptor = le.AppendUint32(le.AppendUint32(descriptor, 1), uint32(len(sections)))
	for _, s := range sections {
		descriptor = le.AppendUint32(le.AppendUint32(descriptor, s.offset), s.fileSize)
		descriptor = le.AppendUint64(le.AppendUint64(descriptor, s.address), s.size)
		descriptor = le.AppendUint32(le.AppendUint32(descriptor, s.kind), s.attributes)
	}
	copy(image[len(image)-0x1000:], descriptor)
	table := le.AppendUint32(nil, 0x1000)
	table = append(le.AppendUint16(table, 22), unhexed("35657ae44a989847865e4685a7bf8ec2")...)
	table = append(le.AppendUint16(table, uint16(len(table)+18)), unhexed("de82b596b21ff745baeaa366c55a082d")...)
	copy(image[len(image)-32-len(table):], table)
	return image
}

// bootKernel is an EFI image with a Linux header and one section.
func bootKernel() []byte {
	le := binary.LittleEndian
	k := make([]byte, 0x800)
	copy(k, "MZ")
	le.PutUint32(k[0x3c:], 0x40)
	copy(k[0x40:], "PE\x00\x00")
	le.PutUint16(k[0x44:], 0x8664)
	le.PutUint16(k[0x46:], 1)
	le.PutUint16(k[0x54:], 160)
	le.PutUint16(k[0x56:], 0x206)
	const optional = 0x58
	le.PutUint16(k[optional:], 0x20b)
	le.PutUint32(k[optional+60:], 0x400)
	le.PutUint32(k[optional+108:], 6)
	at := optional + 160
	le.PutUint32(k[at+16:], 0x400)
	le.PutUint32(k[at+20:], 0x400)
	copy(k[0x202:], "HdrS")
	le.PutUint16(k[0x206:], 0x20f)
	k[0x211] = 1
	le.PutUint32(k[0x22c:], 0x7fffffff)
	le.PutUint16(k[0x236:], 0x7f)
	return k
}
