package snp

import (
	"fmt"
	"strings"
)

// Product is a line of processors with one root of trust.
type Product uint8

// The product lines. Genoa includes Bergamo and Siena, which its root certifies.
const (
	Milan Product = iota + 1 // EPYC 7003: known to say so, never accepted
	Genoa                    // EPYC 9004, 97x4, 8004
	Turin                    // EPYC 9005
)

var productNames = [...]string{Milan: "Milan", Genoa: "Genoa", Turin: "Turin"}

// String is the line's name in AMD's certificates and addresses.
func (p Product) String() string {
	if p == 0 || int(p) >= len(productNames) {
		return fmt.Sprintf("product_%d", uint8(p))
	}
	return productNames[p]
}

// ParseProduct reads a line's name as AMD spells it.
func ParseProduct(name string) (Product, bool) {
	for p := Milan; int(p) < len(productNames); p++ {
		if productNames[p] == name {
			return p, true
		}
	}
	return 0, false
}

// productOfName reads the product name in a chip certificate: a model of the
// line, with its stepping unless a provider's key is certified.
func productOfName(name string) (Product, bool) {
	model, _, _ := strings.Cut(name, "-")
	if model == "Bergamo" || model == "Siena" {
		model = "Genoa"
	}
	return ParseProduct(model)
}

// productOfCPUID is the line of a family and model as CPUID gives them.
func productOfCPUID(family, model byte) (Product, bool) {
	switch extended := model >> 4; {
	case family == 0x19 && extended == 0:
		return Milan, true
	case family == 0x19 && (extended == 1 || extended == 0xa):
		return Genoa, true
	case family == 0x1a && extended <= 1:
		return Turin, true
	}
	return 0, false
}

// chipIDSize is how many bytes of CHIP_ID a line's certificates state; the rest
// of the field is zero.
func (p Product) chipIDSize() int {
	if p == Turin {
		return 8
	}
	return 64
}
