package snp

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"

	"github.com/google/go-sev-guest/verify/trust"
)

// Root is a product line's root of trust: the self-signed ARK and one key below
// it that certifies chips (ASK) or providers' keys (ASVK). Which line and which
// of both follows from the names in the certificates.
type Root struct{ ARK, ASK *x509.Certificate }

// rootKeys are SHA-256 of the SubjectPublicKeyInfo of AMD's ARKs. A root with any
// other key is simulated, whatever its certificate says.
var rootKeys = map[Product]string{
	Milan: "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9",
	Genoa: "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831",
	Turin: "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08",
}

// Genuine tells whether the ARK's key is the manufacturer's.
func (r Root) Genuine() bool {
	line, _, ok := r.line()
	if !ok {
		return false
	}
	key := sha256.Sum256(r.ARK.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(key[:]) == rootKeys[line]
}

// line is what the certificates' names say; they must agree.
func (r Root) line() (line Product, vlek, ok bool) {
	if r.ARK == nil || r.ASK == nil {
		return 0, false, false
	}
	name, found := strings.CutPrefix(r.ASK.Subject.CommonName, "SEV-")
	if !found {
		return 0, false, false
	}
	name, vlek = strings.CutPrefix(name, "VLEK-")
	line, known := ParseProduct(name)
	return line, vlek, known && r.ARK.Subject.CommonName == "ARK-"+name
}

// AMDRoots are the manufacturer's roots of all product lines, Milan's too, so
// that its evidence is refused for what it is. They are read once from what is
// built in; do not modify them.
func AMDRoots() []Root { return amdRoots() }

var amdRoots = sync.OnceValue(func() []Root {
	var roots []Root
	for _, chain := range [][]byte{
		trust.AskArkGenoaVcekBytes, trust.AskArkGenoaVlekBytes,
		trust.AskArkTurinVcekBytes, trust.AskArkTurinVlekBytes,
		trust.AskArkMilanVcekBytes, trust.AskArkMilanVlekBytes,
	} {
		root, err := parseRoot(chain)
		if err != nil || !root.Genuine() {
			panic(fmt.Sprintf("snp: internal error: built-in root is not AMD's: %v", err))
		}
		roots = append(roots, root)
	}
	return roots
})

// parseRoot reads ASK and ARK, PEM, in this order, as AMD publishes them.
func parseRoot(chain []byte) (r Root, err error) {
	for _, to := range []**x509.Certificate{&r.ASK, &r.ARK} {
		block, rest := pem.Decode(chain)
		if block == nil {
			return Root{}, fmt.Errorf("chain lacks a certificate")
		}
		if *to, err = x509.ParseCertificate(block.Bytes); err != nil {
			return Root{}, err
		}
		chain = rest
	}
	return r, nil
}
