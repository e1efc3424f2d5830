package sim

import (
	"crypto/sha512"

	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// Measurements are what a TD report says about a VM, besides REPORTDATA.
type Measurements struct {
	tdx.Registers

	Attributes     uint64
	XFAM           uint64
	SVN            [16]byte
	SignerSEAM     tdx.Register
	AttributesSEAM uint64
	// TD15, if set, adds the fields of TDX 1.5 and makes version 5 quotes.
	TD15 *TD15
}

// Image is the digest under which a registry lists the image.
func (m Measurements) Image() [32]byte { return m.Registers.Image(m.Attributes, m.XFAM) }

// TD15 are the fields that TDX 1.5 added to the report.
type TD15 struct {
	CurrentSVN [16]byte
	ServiceTD  tdx.Register
}

// Measure returns the measurements of a well-configured production VM whose
// image has the label's name, before its first event. Equal labels have equal
// measurements.
func Measure(label string) Measurements {
	register := func(which string) tdx.Register {
		return sha512.Sum384([]byte("tussah/sim/v1\x00" + which + "\x00" + label))
	}
	return Measurements{
		Registers: tdx.Registers{
			MRTD: register("mrtd"),
			RTMR: [4]tdx.Register{register("rtmr0"), register("rtmr1"), register("rtmr2")},
		},
		Attributes: 1 << 28, // SEPT_VE_DISABLE
		XFAM:       0x602e7,
		SVN:        [16]byte{7, 1, 3},
	}
}
