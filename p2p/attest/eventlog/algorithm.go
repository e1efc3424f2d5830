package eventlog

import "fmt"

// Algorithm is a hash algorithm, by its number at the Trusted Computing Group.
type Algorithm uint16

// The algorithms that logs have.
const (
	SHA1   Algorithm = 0x0004
	SHA256 Algorithm = 0x000b
	SHA384 Algorithm = 0x000c
	SHA512 Algorithm = 0x000d
	SM3    Algorithm = 0x0012
)

// size is the length of a digest; 0 for an algorithm that logs do not have. The
// header declares sizes too, and may not declare others: they decide where each
// later event begins.
func (a Algorithm) size() int {
	switch a {
	case SHA1:
		return 20
	case SHA256, SM3:
		return 32
	case SHA384:
		return 48
	case SHA512:
		return 64
	}
	return 0
}

func (a Algorithm) String() string {
	switch a {
	case SHA1:
		return "SHA-1"
	case SHA256:
		return "SHA-256"
	case SHA384:
		return "SHA-384"
	case SHA512:
		return "SHA-512"
	case SM3:
		return "SM3"
	}
	return fmt.Sprintf("algorithm_%#x", uint16(a))
}
