package eventlog

import (
	"encoding/binary"
	"fmt"
)

// parsePath reads an EFI device path: nodes of u8 type ‖ u8 kind ‖ u16 length ‖
// data, where the length counts all four. Nodes are given in UEFI's text form.
func parsePath(b []byte) ([]string, bool) {
	var path []string
	r := reader{rest: b}
	for len(r.rest) > 0 {
		head := r.take(4)
		if head == nil {
			return nil, false
		}
		size := int(binary.LittleEndian.Uint16(head[2:]))
		if size < 4 {
			return nil, false
		}
		data := r.take(size - 4)
		if data == nil {
			return nil, false
		}
		if head[0] == 0x7f && head[1] == 0xff {
			return path, len(r.rest) == 0
		}
		path = append(path, pathNode(head[0], head[1], data))
	}
	// GRUB hands over images without a path.
	return path, len(b) == 0
}

func pathNode(class, kind byte, data []byte) string {
	le := binary.LittleEndian
	switch {
	case class == 0x01 && kind == 0x01 && len(data) == 2:
		return fmt.Sprintf("Pci(0x%x,0x%x)", data[1], data[0])
	case class == 0x02 && kind == 0x01 && len(data) == 8:
		if le.Uint32(data) == 0x0a03_41d0 {
			return fmt.Sprintf("PciRoot(0x%x)", le.Uint32(data[4:]))
		}
		return fmt.Sprintf("Acpi(0x%08x,0x%x)", le.Uint32(data), le.Uint32(data[4:]))
	case class == 0x04 && kind == 0x01 && len(data) == 38 && data[36] == 2 && data[37] == 2:
		return fmt.Sprintf("HD(%d,GPT,%s,0x%x,0x%x)", le.Uint32(data), GUID(data[20:36]), le.Uint64(data[4:]), le.Uint64(data[12:]))
	case class == 0x04 && kind == 0x03 && len(data) >= 16:
		return fmt.Sprintf("VenMedia(%s)", GUID(data))
	case class == 0x04 && kind == 0x04:
		return fmt.Sprintf("File(%s)", wide(data))
	case class == 0x04 && kind == 0x06 && len(data) == 16:
		return fmt.Sprintf("FvFile(%s)", GUID(data))
	case class == 0x04 && kind == 0x07 && len(data) == 16:
		return fmt.Sprintf("Fv(%s)", GUID(data))
	}
	return fmt.Sprintf("Path(%d,%d,%x)", class, kind, data)
}
