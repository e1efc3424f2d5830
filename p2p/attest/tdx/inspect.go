package tdx

import (
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
)

// Report is what a quote says, for people to read. Nothing of it is verified:
// anybody can write a quote that says all this.
type Report struct {
	Version   uint16
	Canonical bool // in the one encoding that a verifier accepts
	UserData  [20]byte
	Evidence  [32]byte // identity of what is signed

	Registers
	Image, Upstream [32]byte
	ReportData      [64]byte
	Attributes      uint64
	AttributeNames  []string
	XFAM            uint64
	FeatureNames    []string
	SVN             [16]byte // TEE_TCB_SVN
	MRSEAM          Register
	SignerSEAM      Register
	AttributesSEAM  [8]byte
	CurrentSVN      *[16]byte // TDX 1.5
	ServiceTD       *Register // TDX 1.5

	QE           Enclave
	Certificates [3]Certificate // PCK, its CA, root
	Platform     *Platform      // nil if the first certificate does not say
	CA           CA
	Intel        bool // the root is Intel's by its key
}

// Enclave is what the quoting enclave's report says.
type Enclave struct {
	MREnclave, MRSigner [32]byte
	Product, SVN        uint16
	Flags               uint64
	MiscSelect          uint32
	Auth                []byte
}

// Certificate is one in a quote.
type Certificate struct {
	Subject, Issuer     string
	Serial              string // hexadecimal
	NotBefore, NotAfter time.Time
	DER                 []byte
	Err                 error // why it cannot be read
}

// Names of the bits that an XFAM or the attributes may have. What has none is
// reserved.
var (
	attributeNames = map[int]string{0: "DEBUG", 4: "HGS_PLUS_PROF", 5: "PERF_PROF", 6: "PMT_PROF", 16: "ICSSD", 24: "LASS",
		28: "SEPT_VE_DISABLE", 29: "MIGRATABLE", 30: "PKS", 31: "KL", 62: "TPA", 63: "PERFMON"}
	featureNames = map[int]string{0: "x87", 1: "SSE", 2: "AVX", 5: "AVX-512 opmask", 6: "AVX-512 ZMM_Hi256", 7: "AVX-512 Hi16_ZMM",
		8: "PT", 9: "PKRU", 10: "PASID", 11: "CET_U", 12: "CET_S", 14: "UINTR", 15: "LBR", 17: "AMX TILECFG", 18: "AMX TILEDATA"}
)

func bitNames(value uint64, names map[int]string) (set []string) {
	for bit := range 64 {
		if value>>bit&1 == 0 {
			continue
		}
		name, ok := names[bit]
		if !ok {
			name = fmt.Sprintf("reserved bit %d", bit)
		}
		set = append(set, name)
	}
	return set
}

// Inspect reads a quote, in its canonical form or as hardware pads it.
//
// Errors: [attest.ErrSize], [ErrKind], [attest.ErrFormat].
func Inspect(raw []byte) (Report, error) {
	canonical, err := Canonical(raw)
	if err != nil {
		return Report{}, err
	}
	q, err := parse(canonical)
	if err != nil {
		return Report{}, fmt.Errorf("%w: %w", attest.ErrFormat, err)
	}
	r := Report{
		Version:        uint16(canonical[0]),
		Canonical:      string(canonical) == string(raw),
		UserData:       [20]byte(canonical[28:48]),
		Evidence:       q.evidence(),
		Registers:      q.body.registers(),
		Image:          q.body.image(),
		Upstream:       q.body.registers().Upstream(),
		ReportData:     [64]byte(q.body.data()),
		Attributes:     q.body.attributes(),
		AttributeNames: bitNames(q.body.attributes(), attributeNames),
		XFAM:           q.body.xfam(),
		FeatureNames:   bitNames(q.body.xfam(), featureNames),
		SVN:            [16]byte(q.body.svn()),
		MRSEAM:         Register(q.body.seam()),
		SignerSEAM:     Register(q.body.signerSEAM()),
		AttributesSEAM: [8]byte(q.body.attributesSEAM()),
		QE: Enclave{
			MREnclave:  [32]byte(q.qe.enclave()),
			MRSigner:   [32]byte(q.qe.signer()),
			Product:    q.qe.product(),
			SVN:        q.qe.version(),
			Flags:      q.qe.flags(),
			MiscSelect: q.qe.miscSelect(),
			Auth:       q.auth,
		},
	}
	if current, ok := q.body.current(); ok {
		r.CurrentSVN = (*[16]byte)(current)
	}
	if service, ok := q.body.serviceTD(); ok {
		r.ServiceTD = (*Register)(service)
	}
	for i, der := range q.chain {
		r.certificate(i, der)
	}
	return r, nil
}

func (r *Report) certificate(i int, der []byte) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		r.Certificates[i] = Certificate{DER: der, Err: err}
		return
	}
	r.Certificates[i] = Certificate{Subject: c.Subject.String(), Issuer: c.Issuer.String(), Serial: strings.ToLower(c.SerialNumber.Text(16)),
		NotBefore: c.NotBefore, NotAfter: c.NotAfter, DER: der}
	switch i {
	case 0:
		if p, err := parsePlatform(c); err == nil {
			r.Platform = &p
		}
	case 1:
		r.CA = caOf(c)
	case 2:
		r.Intel = genuine(c)
	}
}

// PlatformOf reads what a canonical quote's platform certificate says. It
// verifies nothing.
func PlatformOf(quote []byte) (Platform, error) {
	if err := checkKind(quote); err != nil {
		return Platform{}, fmt.Errorf("%w: %w", ErrKind, err)
	}
	q, err := parseStrict(quote)
	if err != nil {
		return Platform{}, fmt.Errorf("%w: %w", attest.ErrFormat, err)
	}
	pck, err := x509.ParseCertificate(q.chain[0])
	if err != nil {
		return Platform{}, fmt.Errorf("%w: %w", ErrCertificates, err)
	}
	p, err := parsePlatform(pck)
	if err != nil {
		return Platform{}, fmt.Errorf("%w: %w", ErrPCK, err)
	}
	return p, nil
}
