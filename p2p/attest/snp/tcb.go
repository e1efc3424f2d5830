package snp

import "fmt"

// TCB are the security patch levels of a processor's firmware: AMD's
// TCB_VERSION. It compares component by component, see [TCB.AtLeast].
type TCB struct {
	FMC        uint8 // Turin only
	Bootloader uint8
	TEE        uint8
	SNP        uint8
	Microcode  uint8
}

// parseTCB reads TCB_VERSION, whose layout is the product line's. Bytes that are
// reserved must be zero: they could not be compared with a minimum.
func parseTCB(p Product, v uint64) (TCB, error) {
	at := func(n int) uint8 { return uint8(v >> (8 * n)) }
	t := TCB{Bootloader: at(0), TEE: at(1), SNP: at(6), Microcode: at(7)}
	reserved := v & 0x0000_ffff_ffff_0000
	if p == Turin {
		t = TCB{FMC: at(0), Bootloader: at(1), TEE: at(2), SNP: at(3), Microcode: at(7)}
		reserved = v & 0x00ff_ffff_0000_0000
	}
	if reserved != 0 {
		return TCB{}, fmt.Errorf("TCB version %#016x has reserved bits", v)
	}
	return t, nil
}

// AtLeast tells whether no component is below the minimum's.
func (t TCB) AtLeast(minimum TCB) bool {
	return t.FMC >= minimum.FMC && t.Bootloader >= minimum.Bootloader && t.TEE >= minimum.TEE &&
		t.SNP >= minimum.SNP && t.Microcode >= minimum.Microcode
}

func (t TCB) String() string {
	return fmt.Sprintf("fmc %d, bootloader %d, tee %d, snp %d, microcode %d", t.FMC, t.Bootloader, t.TEE, t.SNP, t.Microcode)
}
