package measure

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Bounds of a firmware. OVMF has 2 to 4 MiB and six sections.
const (
	maxFirmware = 16 << 20
	maxSections = 32
	maxLaunch   = 64 << 20 // memory that is added before launch, all sections together
)

// Firmware is a TDVF file with its description of the memory a TD starts with.
type Firmware struct {
	image    []byte
	Sections []Section
}

// Section is a part of the memory that a TD starts with.
type Section struct {
	Kind       SectionKind
	Attributes SectionAttributes
	Address    uint64 // in the guest
	Size       uint64 // in memory
	offset     uint32 // in the file
	fileSize   uint32 // 0 when it comes from nowhere, and then is zero
}

// SectionKind says what a section is for.
type SectionKind uint32

// The kinds of OVMF. A td-shim has more.
const (
	BootVolume   SectionKind = 0 // code
	ConfigVolume SectionKind = 1 // variables
	HandOff      SectionKind = 2 // the memory map from QEMU, the TD HOB
	Temporary    SectionKind = 3 // stack and heap
	Permanent    SectionKind = 4
)

func (k SectionKind) String() string {
	switch k {
	case BootVolume:
		return "boot volume"
	case ConfigVolume:
		return "configuration volume"
	case HandOff:
		return "hand-off block"
	case Temporary:
		return "temporary memory"
	case Permanent:
		return "permanent memory"
	}
	return fmt.Sprintf("kind_%d", uint32(k))
}

// SectionAttributes say how a section is added.
type SectionAttributes uint32

// The attributes there are.
const (
	Measured SectionAttributes = 1 << 0 // its content is in MRTD, not only its addresses
	Accepted SectionAttributes = 1 << 1 // added while running, thus not in MRTD
)

const pageSize = 0x1000

// Both GUIDs are of tables at the end of OVMF, as stored.
var (
	// 96b582de-1fb2-45f7-baea-a366c55a082d
	tableGUID = []byte{0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45, 0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d}
	// e47a6535-984a-4798-865e-4685a7bf8ec2
	offsetGUID = []byte{0x35, 0x65, 0x7a, 0xe4, 0x4a, 0x98, 0x98, 0x47, 0x86, 0x5e, 0x46, 0x85, 0xa7, 0xbf, 0x8e, 0xc2}
)

// ParseFirmware reads the description that QEMU goes by. It keeps image.
//
//	descriptor: "TDVF" ‖ u32 length ‖ u32 version = 1 ‖ u32 n ‖ n × section
//	section: u32 offset ‖ u32 size in file ‖ u64 address ‖ u64 size ‖ u32 kind ‖ u32 attributes
func ParseFirmware(image []byte) (*Firmware, error) {
	if len(image) > maxFirmware {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrFirmware, len(image), maxFirmware)
	}
	at, err := descriptorOffset(image)
	if err != nil {
		return nil, err
	}
	descriptor := image[at:]
	if len(descriptor) < 16 || string(descriptor[:4]) != "TDVF" {
		return nil, fmt.Errorf("%w: no descriptor at %#x", ErrFirmware, at)
	}
	le := binary.LittleEndian
	length, version, count := le.Uint32(descriptor[4:]), le.Uint32(descriptor[8:]), le.Uint32(descriptor[12:])
	if version != 1 {
		return nil, fmt.Errorf("%w: version %d", ErrFirmware, version)
	}
	if count == 0 || count > maxSections || length != 16+32*count || uint64(length) > uint64(len(descriptor)) {
		return nil, fmt.Errorf("%w: %d sections in %d bytes", ErrFirmware, count, length)
	}
	f := &Firmware{image: image}
	launch := uint64(0)
	for i := range count {
		s, err := parseSection(descriptor[16+32*i:], uint64(len(image)))
		if err != nil {
			return nil, fmt.Errorf("section %d: %w", i, err)
		}
		if launch += s.Size; launch > maxLaunch {
			return nil, fmt.Errorf("%w: sections of more than %d bytes", ErrFirmware, maxLaunch)
		}
		for _, other := range f.Sections {
			if s.Address < other.Address+other.Size && other.Address < s.Address+s.Size {
				return nil, fmt.Errorf("section %d: %w: it overlaps another", i, ErrFirmware)
			}
			if s.Kind == other.Kind && s.Kind <= HandOff {
				return nil, fmt.Errorf("section %d: %w: a second %v", i, ErrFirmware, s.Kind)
			}
		}
		f.Sections = append(f.Sections, s)
	}
	for _, k := range []SectionKind{BootVolume, ConfigVolume, HandOff} {
		if _, ok := f.section(k); !ok {
			return nil, fmt.Errorf("%w: no %v", ErrFirmware, k)
		}
	}
	return f, nil
}

// descriptorOffset walks the table at the firmware's end, backwards from the reset
// vector's 32 bytes. Each entry is data ‖ u16 length of all three ‖ GUID, and the
// last is the table's own, whose length is that of the whole table.
func descriptorOffset(image []byte) (int, error) {
	const vector, tail = 32, 18
	le := binary.LittleEndian
	end := len(image) - vector
	if end < tail || !bytes.Equal(image[end-16:end], tableGUID) {
		return 0, fmt.Errorf("%w: no table at its end", ErrFirmware)
	}
	size := int(le.Uint16(image[end-tail:]))
	if size < tail || size > end {
		return 0, fmt.Errorf("%w: its table has %d bytes", ErrFirmware, size)
	}
	for table := image[end-size : end-tail]; len(table) >= tail; {
		n := len(table)
		entry := int(le.Uint16(table[n-tail:]))
		if entry < tail || entry > n {
			return 0, fmt.Errorf("%w: an entry of its table has %d bytes", ErrFirmware, entry)
		}
		if bytes.Equal(table[n-16:], offsetGUID) {
			if entry != tail+4 {
				return 0, fmt.Errorf("%w: offset of %d bytes", ErrFirmware, entry-tail)
			}
			back := le.Uint32(table[n-entry:])
			if uint64(back) > uint64(len(image)) {
				return 0, fmt.Errorf("%w: offset %#x", ErrFirmware, back)
			}
			return len(image) - int(back), nil
		}
		table = table[:n-entry]
	}
	return 0, fmt.Errorf("%w: its table has no entry for TDX", ErrFirmware)
}

func parseSection(b []byte, image uint64) (Section, error) {
	le := binary.LittleEndian
	s := Section{
		offset: le.Uint32(b), fileSize: le.Uint32(b[4:]),
		Address: le.Uint64(b[8:]), Size: le.Uint64(b[16:]),
		Kind: SectionKind(le.Uint32(b[24:])), Attributes: SectionAttributes(le.Uint32(b[28:])),
	}
	switch {
	case s.Kind > Permanent:
		return Section{}, fmt.Errorf("%w: %v", ErrFirmware, s.Kind)
	case s.Attributes&^(Measured|Accepted) != 0 || s.Attributes == Measured|Accepted:
		return Section{}, fmt.Errorf("%w: attributes %#x", ErrFirmware, uint32(s.Attributes))
	case s.Address%pageSize != 0 || s.Size%pageSize != 0 || s.Size == 0 || s.Address > 1<<52 || s.Size > maxLaunch:
		return Section{}, fmt.Errorf("%w: %#x bytes at %#x", ErrFirmware, s.Size, s.Address)
	case uint64(s.offset)+uint64(s.fileSize) > image:
		return Section{}, fmt.Errorf("%w: %#x bytes at %#x of its file", ErrFirmware, s.fileSize, s.offset)
	case s.Kind > ConfigVolume && s.fileSize != 0, s.Kind <= ConfigVolume && uint64(s.fileSize) != s.Size:
		return Section{}, fmt.Errorf("%w: %v of %#x bytes has %#x in its file", ErrFirmware, s.Kind, s.Size, s.fileSize)
	}
	return s, nil
}

// section returns the one section of a kind that there is one of.
func (f *Firmware) section(k SectionKind) (Section, bool) {
	for _, s := range f.Sections {
		if s.Kind == k {
			return s, true
		}
	}
	return Section{}, false
}

// content is what the file has for a section; empty for one that starts as zero.
func (f *Firmware) content(s Section) []byte {
	return f.image[s.offset:][:s.fileSize]
}
