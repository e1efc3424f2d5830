package sim

import (
	"encoding/hex"
	"strings"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
)

// The documents below are what the manufacturer signs about its platforms, in
// its JSON: the fields in its order, hex in upper case. They are plain values
// for tests to edit, so strings where a verifier would have types.

// TCBInfo says how up to date platforms of one family are.
type TCBInfo struct {
	ID         string           `json:"id"`
	Version    int              `json:"version"`
	IssueDate  time.Time        `json:"issueDate"`
	NextUpdate time.Time        `json:"nextUpdate"`
	FMSPC      string           `json:"fmspc"`
	PCEID      string           `json:"pceId"`
	Type       int              `json:"tcbType"`
	Evaluation int              `json:"tcbEvaluationDataNumber"`
	Module     Module           `json:"tdxModule"`
	Modules    []ModuleIdentity `json:"tdxModuleIdentities,omitempty"`
	// Levels are tried in order, the first that a platform reaches is its own.
	Levels []Level[PlatformTCB] `json:"tcbLevels"`
}

// Module is what makes a TDX module the manufacturer's.
type Module struct {
	Signer         string `json:"mrsigner"`
	Attributes     string `json:"attributes"`
	AttributesMask string `json:"attributesMask"`
}

// ModuleIdentity judges the versions of one major version of the TDX module.
type ModuleIdentity struct {
	ID string `json:"id"`
	Module
	Levels []Level[VersionTCB] `json:"tcbLevels"`
}

// QEIdentity says what makes an enclave the manufacturer's TD quoting enclave,
// and judges its versions.
type QEIdentity struct {
	ID             string              `json:"id"`
	Version        int                 `json:"version"`
	IssueDate      time.Time           `json:"issueDate"`
	NextUpdate     time.Time           `json:"nextUpdate"`
	Evaluation     int                 `json:"tcbEvaluationDataNumber"`
	MiscSelect     string              `json:"miscselect"`
	MiscSelectMask string              `json:"miscselectMask"`
	Attributes     string              `json:"attributes"`
	AttributesMask string              `json:"attributesMask"`
	Signer         string              `json:"mrsigner"`
	Product        int                 `json:"isvprodid"`
	Levels         []Level[VersionTCB] `json:"tcbLevels"`
}

// Level is a state of platform, module or enclave, and what it is worth.
type Level[T any] struct {
	TCB        T         `json:"tcb"`
	Date       time.Time `json:"tcbDate"`
	Status     string    `json:"tcbStatus"`
	Advisories []string  `json:"advisoryIDs,omitempty"`
}

// PlatformTCB are the least versions of a platform's level.
type PlatformTCB struct {
	SGX    []Component `json:"sgxtcbcomponents"`
	PCESVN int         `json:"pcesvn"`
	TDX    []Component `json:"tdxtcbcomponents"`
}

// VersionTCB is the least version of a module's or enclave's level.
type VersionTCB struct {
	ISVSVN int `json:"isvsvn"`
}

// Component is the least version of one part of a platform.
type Component struct {
	SVN      int    `json:"svn"`
	Category string `json:"category,omitempty"`
	Type     string `json:"type,omitempty"`
}

// collateralValidity is how long collateral may be relied on. The manufacturer
// gives 30 days; here nobody re-issues while a network under development stands.
const collateralValidity = 365 * 24 * time.Hour

// evaluation is the number of the evaluation that the levels below are from.
const evaluation = 18

// SEAM module signed by the manufacturer: signer and attributes zero.
var production = Module{
	Signer:         strings.Repeat("0", 96),
	Attributes:     strings.Repeat("0", 16),
	AttributesMask: strings.Repeat("F", 16),
}

// newTCBInfo calls the platforms of [CA.Platform] up to date, and what is older
// out of date.
func newTCBInfo(issued time.Time) *TCBInfo {
	current := date(2024, time.November, 13)
	previous := date(2024, time.March, 13)
	return &TCBInfo{
		ID: "TDX", Version: 3, IssueDate: issued, NextUpdate: issued.Add(collateralValidity),
		FMSPC: upperHex(model.FMSPC[:]), PCEID: upperHex(model.PCEID[:]), Evaluation: evaluation,
		Module: production,
		Modules: []ModuleIdentity{
			{"TDX_03", production, []Level[VersionTCB]{version(3, current, attest.UpToDate)}},
			{"TDX_01", production, []Level[VersionTCB]{
				version(6, current, attest.UpToDate),
				version(4, previous, attest.OutOfDate, "INTEL-SA-01036", "INTEL-SA-01099"),
			}},
		},
		Levels: []Level[PlatformTCB]{
			platform(model.SVN, model.PCESVN, [16]byte{5, 0, 3}, current, attest.UpToDate),
			platform([16]byte{2, 2, 2, 2, 3, 1, 0, 5}, model.PCESVN, [16]byte{5, 0, 2}, previous, attest.OutOfDate, "INTEL-SA-01036", "INTEL-SA-01079"),
			platform([16]byte{2, 2, 2, 2, 3, 1, 0, 5}, 5, [16]byte{5, 0, 2}, date(2018, time.January, 4), attest.OutOfDate, "INTEL-SA-00106", "INTEL-SA-01036", "INTEL-SA-01079"),
		},
	}
}

// newQEIdentity describes the enclave that qeReport plays.
func newQEIdentity(issued time.Time) *QEIdentity {
	return &QEIdentity{
		ID: "TD_QE", Version: 2, IssueDate: issued, NextUpdate: issued.Add(collateralValidity), Evaluation: evaluation,
		MiscSelect: "00000000", MiscSelectMask: "FFFFFFFF",
		Attributes:     "11000000000000000000000000000000",
		AttributesMask: "FBFFFFFFFFFFFFFF0000000000000000",
		Signer:         upperHex(qeSigner[:]),
		Product:        2,
		Levels: []Level[VersionTCB]{
			version(4, date(2024, time.November, 13), attest.UpToDate),
			version(2, date(2024, time.March, 13), attest.OutOfDate, "INTEL-SA-01036"),
		},
	}
}

// Names of components, as the manufacturer has them.
var (
	sgxComponents = [16]Component{
		{Category: "BIOS", Type: "Early Microcode Update"},
		{Category: "OS/VMM", Type: "SGX Late Microcode Update"},
		{Category: "OS/VMM", Type: "TXT SINIT"},
		{Category: "BIOS"}, {Category: "BIOS"}, {Category: "BIOS"}, {},
		{Category: "OS/VMM", Type: "SEAMLDR ACM"},
	}
	tdxComponents = [16]Component{
		{Category: "OS/VMM", Type: "TDX Module"},
		{Category: "OS/VMM", Type: "TDX Module"},
		{Category: "OS/VMM", Type: "TDX Late Microcode Update"},
	}
)

func platform(sgx [16]byte, pcesvn uint16, tdx [16]byte, when time.Time, status attest.Status, advisories ...string) Level[PlatformTCB] {
	tcb := PlatformTCB{SGX: components(sgxComponents, sgx), PCESVN: int(pcesvn), TDX: components(tdxComponents, tdx)}
	return Level[PlatformTCB]{tcb, when, status.String(), advisories}
}

func version(isvsvn int, when time.Time, status attest.Status, advisories ...string) Level[VersionTCB] {
	return Level[VersionTCB]{VersionTCB{isvsvn}, when, status.String(), advisories}
}

func components(named [16]Component, svn [16]byte) []Component {
	for i := range named {
		named[i].SVN = int(svn[i])
	}
	return named[:]
}

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func upperHex(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }
