package measure

import (
	"cmp"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"slices"
)

// authenticode is the SHA-384 of an EFI image as firmware measures it: of the
// whole file without its checksum, its signatures and their place in the header.
func authenticode(image []byte) ([sha512.Size384]byte, error) {
	pe, err := parsePE(image)
	if err != nil {
		return [sha512.Size384]byte{}, err
	}
	h := sha512.New384()
	h.Write(image[:pe.checksum])
	h.Write(image[pe.checksum+4 : pe.certificates])
	h.Write(image[pe.certificates+8 : pe.headers])
	hashed := pe.headers
	for _, s := range pe.sections {
		h.Write(image[s.offset:][:s.size])
		hashed += s.size
	}
	if pe.signatures > len(image)-hashed {
		return [sha512.Size384]byte{}, fmt.Errorf("%w: signatures of %d bytes", ErrKernel, pe.signatures)
	}
	h.Write(image[hashed : len(image)-pe.signatures])
	return [sha512.Size384]byte(h.Sum(nil)), nil
}

// pe is where things are in an EFI image.
type pe struct {
	checksum     int // u32
	certificates int // entry of the data directory: u32 offset ‖ u32 size
	headers      int // size of all headers
	signatures   int // size
	sections     []peSection
}

type peSection struct{ offset, size int }

// parsePE reads the headers of a PE32+ image.
func parsePE(image []byte) (*pe, error) {
	const (
		fileHeader   = 4 + 20 // behind "PE\0\0"
		dataEntry    = 112    // of the optional header: 16 entries of 8 bytes
		security     = 4      // entry of the signatures
		sectionEntry = 40
		maxSections  = 96 // as in Windows' loader
	)
	le := binary.LittleEndian
	bad := func(what string) error { return fmt.Errorf("%w: %s", ErrKernel, what) }
	if len(image) < 64 || string(image[:2]) != "MZ" {
		return nil, bad("no EFI image")
	}
	at := int(le.Uint32(image[60:]))
	if at > len(image)-fileHeader-dataEntry-16*8 || string(image[at:][:4]) != "PE\x00\x00" {
		return nil, bad("no PE header")
	}
	count, size := int(le.Uint16(image[at+6:])), int(le.Uint16(image[at+20:]))
	optional := at + fileHeader
	if le.Uint16(image[optional:]) != 0x20b {
		return nil, bad("not for 64 bits")
	}
	entries := le.Uint32(image[optional+dataEntry-4:])
	if entries <= security || entries > 16 || size < dataEntry+int(entries)*8 {
		return nil, bad("odd data directory")
	}
	p := &pe{
		checksum:     optional + 64,
		certificates: optional + dataEntry + security*8,
		headers:      int(le.Uint32(image[optional+60:])),
	}
	table := optional + size
	if count == 0 || count > maxSections || table+count*sectionEntry > p.headers || p.headers > len(image) {
		return nil, bad("odd section table")
	}
	for ; count > 0; count, table = count-1, table+sectionEntry {
		s := peSection{offset: int(le.Uint32(image[table+20:])), size: int(le.Uint32(image[table+16:]))}
		if s.size > 0 {
			p.sections = append(p.sections, s)
		}
	}
	// Firmware hashes sections in the order of the file, and then what is left,
	// counted from the sum of what it hashed.
	slices.SortStableFunc(p.sections, func(a, b peSection) int { return cmp.Compare(a.offset, b.offset) })
	end := p.headers
	for _, s := range p.sections {
		if s.offset < end || s.offset+s.size > len(image) {
			return nil, bad("sections overlap or go beyond its end")
		}
		end = s.offset + s.size
	}
	if p.signatures = int(le.Uint32(image[p.certificates+4:])); p.signatures > 0 {
		if int(le.Uint32(image[p.certificates:]))+p.signatures != len(image) {
			return nil, bad("signatures are not at its end")
		}
	}
	return p, nil
}
