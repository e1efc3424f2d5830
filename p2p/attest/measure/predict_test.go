package measure_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/eventlog"
	"github.com/tussah-network/tussah/p2p/attest/measure"
)

// TestPredict compares with values that a second program computed, written in
// another language from the formats' descriptions alone.
func TestPredict(t *testing.T) {
	type expected struct{ mrtd, rtmr0, rtmr1, rtmr2, rtmr3 string }
	want := expected{
		"f1d93c27af94527aa5037dc632bdca2ecb51a7a33c5c1d99c4562381ca706f4370d02d312c51f9dbc64b985c257f66ba",
		"fe31207442806afd74de30954c6976367631179b953d67b709843f818497fd148083cf2969095fc394e0a16c0939c6d3",
		"f1d5196ee863dcaf1ac9c011205b312544f0f9708949f815289d20c6f8b3e929580c4ad3d349dda551b0c674d2d0f86a",
		"91b1ce06975c600765c8dad0097b826a1ff544feed487bb9c57927a70a9a112a0e09f8dc5b7483376d4319bdc6fc6e2f",
		"aca10ed0d37f12578f77e5fff092eee1942dbf63131bb552c11298aec7d725ac735baf67e480469f7c04eee5e6c7f01e",
	}
	zero := fmt.Sprintf("%096d", 0)
	for name, c := range map[string]struct {
		change func(*measure.Image)
		want   func(*expected)
	}{
		"as it is": {func(*measure.Image) {}, func(*expected) {}},
		"pages first": {
			func(i *measure.Image) { i.Platform.PagesFirst = true },
			func(e *expected) {
				e.mrtd = "72b7044a3211cd3e05715569d032dd3733a129a72df0f3d233e56a939c74fe7d9a10de9b6ab1a12b4f5c08046f8a0626"
			},
		},
		"separator in RTMR0": {
			func(i *measure.Image) { i.Platform.SeparatorInRTMR0 = true },
			func(e *expected) {
				e.rtmr0 = "06fb2cfaa05859e0ba011bf2312197ad4c272544b0a9f43430ee5730e687174585b5656e7f91187022a10e20d978d725"
				e.rtmr1 = "815c280c467e5d5eee9df48b984db9a26cb4ce27e49cf2d0fc933ef82d79626bf64459dc49e98efa2155c2262c325d28"
			},
		},
		"kernel as it is": {
			func(i *measure.Image) { i.Platform.KernelAsIs = true },
			func(e *expected) {
				e.rtmr1 = "18b3bc06a7195ae0812fd55383639bda7ce2db8cb7828d35ec7aa2e85860717f92b9dbe6bed4399124eabba66ff9c26b"
			},
		},
		"no initial RAM disk": {
			func(i *measure.Image) { i.Initrd = nil },
			func(e *expected) {
				e.rtmr1 = "19feebe409b56ccc6783a4920ddb861182631f780b6fb30b2ca8c90e08fbbeb475bfbed47019ea95c0ff9e74f0b39a20"
				e.rtmr2 = "8c44e0401e53077b02f9dfec09e5cb5df88c67d57af712f3c79bec58cf1eb71ba065d5fdda45a9735d2254aff0a4d062"
			},
		},
		"no ACPI, no events": {
			func(i *measure.Image) { i.ACPI, i.Events = nil, nil },
			func(e *expected) { e.rtmr0, e.rtmr3 = zero, zero },
		},
	} {
		t.Run(name, func(t *testing.T) {
			image, want := syntheticImage(), want
			c.change(&image)
			c.want(&want)
			m := predict(t, image)
			got := expected{hex.EncodeToString(m.MRTD[:]), hex.EncodeToString(m.RTMR0[:]), hex.EncodeToString(m.RTMR1[:]), hex.EncodeToString(m.RTMR2[:]), hex.EncodeToString(m.RTMR3[:])}
			if got != want {
				t.Errorf("got  %v\nwant %v", got, want)
			}
			if unknown := len(m.Unknown) > 0; unknown != (image.ACPI == nil) {
				t.Errorf("unknown: %v", m.Unknown)
			}
		})
	}
	t.Run("1 GiB", func(t *testing.T) {
		image := syntheticImage()
		image.Memory = 1 << 30
		const want = "23557f5440110330fd21453d8c00464f10c3b0c3641684692f75455620ac1a8bc5cbcd9e7cdb8904b0bb4d5d9e30cbe8"
		if m := predict(t, image); hex.EncodeToString(m.RTMR1[:]) != want {
			t.Errorf("RTMR1 is %x, want %s", m.RTMR1, want)
		}
	})
}

// TestMemoryMap compares with what real machines measured, by their event logs.
func TestMemoryMap(t *testing.T) {
	for memory, want := range map[uint64]string{
		2 << 30:  "0b8772e5b0b41b83e6044a68397e02f49fb47066b4fbe4917ea2c45c64f323fdacbb37948f821ebaf8bc9c938ba8a749",
		64 << 30: "8ae1e425351df7992c444586eff99d35af3b779aa2b0e981cb4b73bc5b279f2ade19b6a62a203fc3c3bbdaae80af596d",
	} {
		image := syntheticImage()
		image.Memory = memory
		if got := predict(t, image).Steps[0]; got.Name != "memory map" || hex.EncodeToString(got.Digest[:]) != want {
			t.Errorf("%d GiB: %s is %x, want %s", memory>>30, got.Name, got.Digest, want)
		}
	}
}

// TestRealBoot holds the prediction for OVMF's sections and its empty store
// against the log of a real machine of 2 GiB: all that does not depend on files
// which are not at hand agrees.
func TestRealBoot(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "vectors", "tdx", "CCEL_data_ovmf"))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("SKIPPED: a real machine's event log is not on this machine; the prediction was not compared with one")
	}
	if err != nil {
		t.Fatal(err)
	}
	log, err := eventlog.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	// The store as OVMF of 4 MiB has it, with the head of its spare area.
	store := emptyStore(0x84000, 0x84000, 0xb8af, 0x84, 0x3ffb8)
	spare, err := hex.DecodeString("2b29589e687c7d49a0ce6500fd9f1b952caf2c64feffffffe00f000000000000")
	if err != nil {
		t.Fatal(err)
	}
	copy(store[0x41000:], spare)
	image := syntheticImage()
	image.ACPI, image.Events = nil, nil
	image.Platform.SeparatorInRTMR0 = true
	image.Firmware = firmware(store, make([]byte, 0x37c000), append([]section{
		{0x84000, 0x37c000, 0xffc84000, 0x37c000, 0, 1},
		{0, 0x84000, 0xffc00000, 0x84000, 1, 0},
	}, ovmfMemory...))

	differences, err := predict(t, image).Compare(log)
	if err != nil {
		t.Fatal(err)
	}
	// Another kernel, another command line: the first steps of RTMR1 and RTMR2.
	if len(differences) != 2 || differences[0].RTMR != 1 || differences[0].Position != 0 || differences[0].Want.Name != "kernel" ||
		differences[1].RTMR != 2 || differences[1].Position != 0 || differences[1].Want.Name != "command line" {
		t.Errorf("got %v", differences)
	}
}

func TestImageRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*measure.Image)
		want   error
	}{
		"no memory":           {func(i *measure.Image) { i.Memory = 0 }, measure.ErrMemory},
		"half a page":         {func(i *measure.Image) { i.Memory += 0x800 }, measure.ErrMemory},
		"8 MiB":               {func(i *measure.Image) { i.Memory = 8 << 20 }, measure.ErrMemory},
		"huge memory":         {func(i *measure.Image) { i.Memory = 1 << 60 }, measure.ErrMemory},
		"initrd too large":    {func(i *measure.Image) { i.Memory, i.Initrd = 9<<20, make([]byte, 9<<20) }, measure.ErrInitrd},
		"initrd's limit":      {func(i *measure.Image) { i.Kernel[0x236] = 0; copy(i.Kernel[0x22c:], []byte{0, 0x10, 0, 0}) }, measure.ErrInitrd},
		"empty command line":  {func(i *measure.Image) { i.CommandLine = "" }, measure.ErrCommandLine},
		"line break":          {func(i *measure.Image) { i.CommandLine += "\n" }, measure.ErrCommandLine},
		"not ASCII":           {func(i *measure.Image) { i.CommandLine += "ä" }, measure.ErrCommandLine},
		"video mode":          {func(i *measure.Image) { i.CommandLine += " vga=791" }, measure.ErrCommandLine},
		"no root table":       {func(i *measure.Image) { i.ACPI.RSDP = nil }, measure.ErrACPI},
		"too many events":     {func(i *measure.Image) { i.Events = make([]attest.Event, attest.MaxEvents+1) }, measure.ErrEvents},
		"large event":         {func(i *measure.Image) { i.Events[0].Payload = make([]byte, attest.MaxEventPayload+1) }, measure.ErrEvents},
		"stored variable":     {func(i *measure.Image) { i.Firmware[72+28] = 0xaa }, measure.ErrVariables},
		"no volume":           {func(i *measure.Image) { i.Firmware[40] = 'x' }, measure.ErrVariables},
		"volume's header":     {func(i *measure.Image) { i.Firmware[49] = 0xff }, measure.ErrVariables},
		"store too large":     {func(i *measure.Image) { i.Firmware[72+19] = 0xff }, measure.ErrVariables},
		"store not formatted": {func(i *measure.Image) { i.Firmware[72+20] = 0xff }, measure.ErrVariables},
		"no kernel":           {func(i *measure.Image) { i.Kernel = nil }, measure.ErrKernel},
		"low kernel":          {func(i *measure.Image) { i.Kernel[0x211] = 0 }, measure.ErrKernel},
		"no firmware":         {func(i *measure.Image) { i.Firmware = nil }, measure.ErrFirmware},
	} {
		t.Run(name, func(t *testing.T) {
			image := syntheticImage()
			c.change(&image)
			if m, err := measure.Predict(image); !errors.Is(err, c.want) || m != nil {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}
