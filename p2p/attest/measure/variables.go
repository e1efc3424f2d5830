package measure

import (
	"encoding/binary"
	"fmt"

	"github.com/tussah-network/tussah/p2p/attest/eventlog"
)

// The vendors of the firmware's variables, as stored.
var (
	// 8be4df61-93ca-11d2-aa0d-00e098032b8c
	globalVendor = eventlog.GUID{0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c}
	// d719b2cb-3d3a-4596-a3bc-dad00e67656f
	securityVendor = eventlog.GUID{0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45, 0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f}
)

// checkVariables refuses a configuration volume that has variables in it. It is
//
//	16 × 0 ‖ GUID ‖ u64 size ‖ "_FVH" ‖ u32 attributes ‖ u16 size of this header ‖ …
//	‖ store: GUID ‖ u32 size ‖ u8 formatted = 0x5a ‖ u8 healthy = 0xfe ‖ 6 unused ‖ variables, 0xff where none
func checkVariables(volume []byte) error {
	const header, store = 50, 28
	le := binary.LittleEndian
	if len(volume) < header || string(volume[40:44]) != "_FVH" {
		return fmt.Errorf("%w: no volume", ErrVariables)
	}
	at := int(le.Uint16(volume[48:]))
	if at < header || at+store > len(volume) {
		return fmt.Errorf("%w: header of %d bytes", ErrVariables, at)
	}
	size := uint64(le.Uint32(volume[at+16:]))
	if size < store || size > uint64(len(volume)-at) || volume[at+20] != 0x5a || volume[at+21] != 0xfe {
		return fmt.Errorf("%w: no store", ErrVariables)
	}
	for _, c := range volume[at+store : at+int(size)] {
		if c != 0xff {
			return fmt.Errorf("%w: it is not empty", ErrVariables)
		}
	}
	return nil
}

// firmwareMenu is the value of Boot0000, OVMF's own menu and its only boot option
// when it loads a kernel from QEMU: that goes on before devices are looked at.
//
//	u32 attributes ‖ u16 size of the path ‖ name in UTF-16 ‖ path
func firmwareMenu() []byte {
	const activeHiddenApplication = 1<<0 | 1<<3 | 1<<8
	volume := []byte{0xc9, 0xbd, 0xb8, 0x7c, 0xeb, 0xf8, 0x34, 0x4f, 0xaa, 0xea, 0x3e, 0xe4, 0xaf, 0x65, 0x16, 0xa1}
	file := []byte{0x21, 0xaa, 0x2c, 0x46, 0x14, 0x76, 0x03, 0x45, 0x83, 0x6e, 0x8a, 0xb6, 0xf4, 0x66, 0x23, 0x31}
	path := append([]byte{4, 7, 20, 0}, volume...)
	path = append(append(path, 4, 6, 20, 0), file...)
	path = append(path, 0x7f, 0xff, 4, 0)

	b := binary.LittleEndian.AppendUint32(nil, activeHiddenApplication)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(path)))
	b = append(append(b, wide("UiApp")...), 0, 0)
	return append(b, path...)
}
