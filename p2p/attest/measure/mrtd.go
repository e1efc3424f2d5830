package measure

import (
	"crypto/sha512"
	"encoding/binary"
	"hash"
)

// chunkSize is what TDH.MR.EXTEND measures at a time.
const chunkSize = 256

// MRTD is the measurement of the memory that QEMU adds before launch. The TDX
// module hashes a record of 128 bytes for each page that is added, and one for
// each 256 bytes that are measured, followed by them.
//
// pagesFirst is the order of [Platform.PagesFirst].
func (f *Firmware) MRTD(pagesFirst bool) [sha512.Size384]byte {
	h := sha512.New384()
	for _, s := range f.Sections {
		if s.Attributes&Accepted != 0 {
			continue
		}
		if pagesFirst {
			for page := uint64(0); page < s.Size; page += pageSize {
				record(h, "MEM.PAGE.ADD", s.Address+page)
			}
		}
		for page := uint64(0); page < s.Size; page += pageSize {
			if !pagesFirst {
				record(h, "MEM.PAGE.ADD", s.Address+page)
			}
			if s.Attributes&Measured != 0 {
				f.measurePage(h, s, page)
			}
		}
	}
	return [sha512.Size384]byte(h.Sum(nil))
}

func (f *Firmware) measurePage(h hash.Hash, s Section, page uint64) {
	content := f.content(s)
	for at := page; at < page+pageSize; at += chunkSize {
		record(h, "MR.EXTEND", s.Address+at)
		if len(content) == 0 {
			h.Write(make([]byte, chunkSize))
			continue
		}
		h.Write(content[at : at+chunkSize])
	}
}

// record is the operation's name ‖ zeros up to 16 bytes ‖ u64 address ‖ zeros up to 128 bytes.
func record(h hash.Hash, operation string, address uint64) {
	var b [128]byte
	copy(b[:16], operation)
	binary.LittleEndian.PutUint64(b[16:], address)
	h.Write(b[:])
}
