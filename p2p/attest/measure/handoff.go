package measure

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
)

// Memory of QEMU's q35 machine: from this size on, it puts 2 GiB below the hole
// for devices and the rest above 4 GiB; below it, all of it is under the hole.
const (
	splitFrom = 0xb000_0000
	splitLow  = 0x8000_0000
	fourGiB   = 0x1_0000_0000
	maxMemory = 1 << 46
)

// memory is a range of the guest's memory.
type memory struct {
	start, end uint64
	added      bool // before launch
}

// lowMemory is how much of it is below 4 GiB.
func lowMemory(size uint64) uint64 {
	if size >= splitFrom {
		return splitLow
	}
	return size
}

// handOff is the block in which QEMU tells the firmware what memory there is, as
// the firmware measures it: without the entry that ends it.
//
// A range of memory is as large as it can be, and ends where a section begins
// that was added before launch. Sections side by side stay ranges of their own.
func (f *Firmware) handOff(size uint64) ([]byte, error) {
	if size == 0 || size%pageSize != 0 || size > maxMemory {
		return nil, fmt.Errorf("%w: %d bytes", ErrMemory, size)
	}
	ranges := []memory{{start: 0, end: lowMemory(size)}}
	if low := lowMemory(size); low < size {
		ranges = append(ranges, memory{start: fourGiB, end: fourGiB + size - low})
	}
	for _, s := range f.Sections {
		if s.Kind != HandOff && s.Kind != Temporary {
			continue
		}
		added := memory{start: s.Address, end: s.Address + s.Size, added: true}
		i := slices.IndexFunc(ranges, func(m memory) bool { return !m.added && m.start <= added.start && added.end <= m.end })
		if i < 0 {
			return nil, fmt.Errorf("%w: %v at %#x, memory has %d bytes", ErrMemory, s.Kind, s.Address, size)
		}
		around := ranges[i]
		ranges = slices.Delete(ranges, i, i+1)
		for _, m := range []memory{{start: around.start, end: added.start}, added, {start: added.end, end: around.end}} {
			if m.start < m.end {
				ranges = append(ranges, m)
			}
		}
	}
	slices.SortFunc(ranges, func(a, b memory) int { return cmp.Compare(a.start, b.start) })
	block, _ := f.section(HandOff)
	return encodeHandOff(block.Address, ranges), nil
}

// encodeHandOff writes a list of hand-off blocks (HOB) of the UEFI platform
// initialization specification, as it is at address. Each begins with
//
//	u16 type ‖ u16 length ‖ u32 0
func encodeHandOff(address uint64, ranges []memory) []byte {
	const (
		head, headSize   = 1, 56 // then: u32 version ‖ u32 boot mode ‖ u64 × 4 unused ‖ u64 end of the list
		resource, itSize = 3, 48 // then: GUID of nobody ‖ u32 kind ‖ u32 attributes ‖ u64 start ‖ u64 length
		endSize          = 8

		version    = 9
		memory     = 0 // kinds of a resource: memory that is there,
		unaccepted = 7 // and memory that the guest has to accept first
		attributes = 7 // present, initialized, tested
	)
	le := binary.LittleEndian
	header := func(b []byte, kind, size uint16) []byte {
		return le.AppendUint32(le.AppendUint16(le.AppendUint16(b, kind), size), 0)
	}
	b := header(nil, head, headSize)
	b = le.AppendUint32(b, version)
	b = append(b, make([]byte, 4+4*8)...)
	b = le.AppendUint64(b, address+headSize+uint64(len(ranges))*itSize+endSize)
	for _, m := range ranges {
		kind := uint32(unaccepted)
		if m.added {
			kind = memory
		}
		b = header(b, resource, itSize)
		b = append(b, make([]byte, 16)...)
		b = le.AppendUint32(b, kind)
		b = le.AppendUint32(b, attributes)
		b = le.AppendUint64(b, m.start)
		b = le.AppendUint64(b, m.end-m.start)
	}
	return b
}
