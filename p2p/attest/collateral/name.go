package collateral

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// Kind is a kind of document. The words are in file names and marks, for good.
type Kind string

// The kinds there are.
const (
	KindTCBInfo    Kind = "tcb"      // Intel: what versions a family of TDX processors should have
	KindQEIdentity Kind = "qe"       // Intel: what TDX quoting enclaves there are
	KindPCKCRL     Kind = "pckcrl"   // Intel: revoked platforms
	KindRootCRL    Kind = "rootcrl"  // Intel: revoked authorities
	KindVCEK       Kind = "vcek"     // AMD: certificate of a processor at a version
	KindAMDChain   Kind = "amdchain" // AMD: authorities of a family of processors
	KindAMDCRL     Kind = "amdcrl"   // AMD: revoked authorities
	KindRIM        Kind = "rim"      // NVIDIA: measurements of a driver or of a VBIOS
	KindOCSP       Kind = "ocsp"     // NVIDIA: whether one certificate is revoked
)

// Name says which document is meant: its kind, and what of that kind. It is made
// of checked values only, so that a request is never built from a peer's text.
// The zero Name names nothing.
type Name struct {
	kind Kind
	key  string
}

// Kind is the kind of document.
func (n Name) Kind() Kind { return n.kind }

// String is the name as it stands in files, logs and marks.
func (n Name) String() string {
	if n.key == "" {
		return string(n.kind)
	}
	return string(n.kind) + "/" + n.key
}

// TCBInfo names Intel's TCB information for a family of TDX processors.
func TCBInfo(fmspc [6]byte) Name { return Name{KindTCBInfo, hex.EncodeToString(fmspc[:])} }

// QEIdentity names Intel's description of its TD quoting enclave.
func QEIdentity() Name { return Name{kind: KindQEIdentity} }

// PCKCRL names the revocation list of one of Intel's platform authorities.
func PCKCRL(ca tdx.CA) Name { return Name{KindPCKCRL, ca.String()} }

// RootCRL names the revocation list of Intel's root.
func RootCRL() Name { return Name{kind: KindRootCRL} }

// SNPVersion is the versions of firmware that a SEV-SNP platform's certificate is
// for, as numbers of its address.
type SNPVersion struct {
	Bootloader, TEE, SNP, Microcode uint8
	FMC                             uint8 // only of processors of the Turin family
}

// VCEK names the certificate of a SEV-SNP processor at a version. chip is 64
// bytes, or 8 for the Turin family.
func VCEK(product string, chip []byte, v SNPVersion) (Name, error) {
	numbers := []uint8{v.Bootloader, v.TEE, v.SNP, v.Microcode}
	if len(chip) == 8 {
		numbers = append(numbers, v.FMC)
	}
	key := product + "/" + hex.EncodeToString(chip)
	for _, number := range numbers {
		key += fmt.Sprintf("/%d", number)
	}
	return parseName(string(KindVCEK) + "/" + key)
}

// AMDChain names the authorities of a family of SEV-SNP processors.
func AMDChain(product string) (Name, error) { return parseName(string(KindAMDChain) + "/" + product) }

// AMDCRL names the revocation list of a family of SEV-SNP processors.
func AMDCRL(product string) (Name, error) { return parseName(string(KindAMDCRL) + "/" + product) }

// RIM names a manifest of NVIDIA's by its identifier, such as
// NV_GPU_DRIVER_GH100_550.90.07.
func RIM(id string) (Name, error) { return parseName(string(KindRIM) + "/" + id) }

// OCSP names the answer to a question about one certificate. The request is one
// without a nonce: answers are kept.
func OCSP(request []byte) (Name, error) {
	return parseName(string(KindOCSP) + "/" + hex.EncodeToString(request))
}

// fmspc is the family that a TCB information is about.
func (n Name) fmspc() (fmspc [6]byte, ok bool) {
	raw, err := hex.DecodeString(n.key)
	if n.kind != KindTCBInfo || err != nil || len(raw) != len(fmspc) {
		return fmspc, false
	}
	return [6]byte(raw), true
}

// number is a byte in its one decimal form.
const number = `(0|[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5])`

// forms are the only names there are.
var forms = map[Kind]*regexp.Regexp{
	KindTCBInfo:    regexp.MustCompile(`^[0-9a-f]{12}$`),
	KindQEIdentity: regexp.MustCompile(`^$`),
	KindPCKCRL:     regexp.MustCompile(`^(platform|processor)$`),
	KindRootCRL:    regexp.MustCompile(`^$`),
	KindVCEK:       regexp.MustCompile(`^[A-Z][a-z]{2,15}/([0-9a-f]{128}(/` + number + `){4}|[0-9a-f]{16}(/` + number + `){5})$`),
	KindAMDChain:   regexp.MustCompile(`^[A-Z][a-z]{2,15}$`),
	KindAMDCRL:     regexp.MustCompile(`^[A-Z][a-z]{2,15}$`),
	KindRIM:        regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{2,127}$`),
	KindOCSP:       regexp.MustCompile(`^30([0-9a-f]{2})+$`),
}

// parseName reads what [Name.String] wrote, and nothing else.
func parseName(text string) (Name, error) {
	kind, key, slash := strings.Cut(text, "/")
	n := Name{Kind(kind), key}
	form := forms[n.kind]
	if form == nil || slash != (key != "") || len(key) > 2*maxRequest || !form.MatchString(key) {
		return Name{}, fmt.Errorf("%w: %.80q", ErrName, text)
	}
	return n, nil
}

// documentSuffix ends the names of files that hold documents.
const documentSuffix = ".doc"

// file is the document's file. A long name is cut and told apart by its digest;
// the file itself holds the whole name.
func (n Name) file() string {
	text := strings.ReplaceAll(n.String(), "/", "_")
	if len(text) > 100 {
		digest := sha256.Sum256([]byte(n.String()))
		text = text[:60] + "_" + hex.EncodeToString(digest[:16])
	}
	return text + documentSuffix
}
