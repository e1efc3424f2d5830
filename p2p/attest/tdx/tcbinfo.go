package tdx

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
)

// Bounds of lists in collateral. Real answers stay below a fifth of them.
const (
	maxLevels     = 64
	maxModules    = 16
	maxAdvisories = 128
)

// level is one row of a table of updates: who has at least these security
// versions has this status. Tables are sorted, best first; the first row that
// fits is the one that counts.
type level struct {
	svn        uint16   // of an enclave or a module
	sgx, tdx   [16]byte // of the platform's components
	pce        uint16
	date       time.Time
	status     attest.Status
	advisories []string
}

// module describes TDX modules of one major version. Modules of version 0 have
// no levels of their own: the platform's are about them too.
type module struct {
	version                uint8
	signer                 [48]byte
	attributes, attribMask [8]byte
	levels                 []level
}

// tcbInfo is what the manufacturer says about a family of platforms.
type tcbInfo struct {
	issued, next time.Time
	fmspc        [6]byte
	pceid        [2]byte
	evaluation   uint32
	module       module
	modules      []module
	levels       []level
}

// parseTCBInfo reads the signed part of an answer about TDX, version 3.
func parseTCBInfo(body []byte) (t tcbInfo, err error) {
	s := &strictJSON{rest: body}
	s.object(
		field{key: "id", read: s.exactly("TDX")},
		field{key: "version", read: s.version(3)},
		field{key: "issueDate", read: func() { t.issued = s.time() }},
		field{key: "nextUpdate", read: func() { t.next = s.time() }},
		field{key: "fmspc", read: func() { s.bytes(t.fmspc[:]) }},
		field{key: "pceId", read: func() { s.bytes(t.pceid[:]) }},
		field{key: "tcbType", read: s.version(0)},
		field{key: "tcbEvaluationDataNumber", read: func() { t.evaluation = s.number(1<<32 - 1) }},
		field{key: "tdxModule", read: func() { s.object(s.moduleFields(&t.module)...) }},
		field{key: "tdxModuleIdentities", optional: true, read: func() {
			s.array(maxModules, func(int) { t.modules = append(t.modules, s.identity(t.modules)) })
		}},
		field{key: "tcbLevels", read: func() { t.levels = s.levels((*strictJSON).platformSVNs) }},
	)
	return t, s.end()
}

// version demands a number.
func (s *strictJSON) version(want uint32) func() {
	return func() {
		if got := s.number(1<<32 - 1); s.err == nil && got != want {
			s.fail("%d instead of %d", got, want)
		}
	}
}

func (s *strictJSON) moduleFields(m *module) []field {
	return []field{
		{key: "mrsigner", read: func() { s.bytes(m.signer[:]) }},
		{key: "attributes", read: func() { s.bytes(m.attributes[:]) }},
		{key: "attributesMask", read: func() { s.bytes(m.attribMask[:]) }},
	}
}

// identity reads what is said about modules of a version, once per version.
func (s *strictJSON) identity(known []module) (m module) {
	s.object(append(s.moduleFields(&m),
		field{key: "id", read: func() {
			version := [1]byte{}
			hexa, ok := strings.CutPrefix(s.text(), "TDX_")
			if n, err := hex.Decode(version[:], []byte(hexa[:min(len(hexa), 2)])); !ok || err != nil || n != 1 || len(hexa) != 2 {
				s.fail("no id of a module")
			}
			m.version = version[0]
		}},
		field{key: "tcbLevels", read: func() { m.levels = s.levels((*strictJSON).enclaveSVN, enclaveStatuses...) }},
	)...)
	if slices.ContainsFunc(known, func(k module) bool { return k.version == m.version }) {
		s.fail("module TDX_%02X twice", m.version)
	}
	return m
}

// levels reads a table of updates; svns says what its rows are about, statuses
// what they may be.
func (s *strictJSON) levels(svns func(*strictJSON, *level), statuses ...attest.Status) (levels []level) {
	s.array(maxLevels, func(int) {
		var l level
		s.object(
			field{key: "tcb", read: func() { svns(s, &l) }},
			field{key: "tcbDate", read: func() { l.date = s.time() }},
			field{key: "tcbStatus", read: func() { l.status = s.status(statuses) }},
			field{key: "advisoryIDs", optional: true, read: func() {
				s.array(maxAdvisories, func(int) { l.advisories = append(l.advisories, s.text()) })
			}},
		)
		levels = append(levels, l)
	})
	if s.err == nil && len(levels) == 0 {
		s.fail("no levels")
	}
	return levels
}

// enclaveStatuses are what an enclave or a module may be: it has no configuration.
var enclaveStatuses = []attest.Status{attest.UpToDate, attest.OutOfDate, attest.Revoked}

func (s *strictJSON) status(allowed []attest.Status) attest.Status {
	name := s.text()
	if s.err != nil {
		return 0
	}
	status, ok := attest.ParseStatus(name)
	if !ok || (allowed != nil && !slices.Contains(allowed, status)) {
		s.fail("status %q", name)
	}
	return status
}

// enclaveSVN reads the version of an enclave or a module.
func (s *strictJSON) enclaveSVN(l *level) {
	s.object(field{key: "isvsvn", read: func() { l.svn = uint16(s.number(1<<16 - 1)) }})
}

// platformSVNs reads the versions of a platform's components.
func (s *strictJSON) platformSVNs(l *level) {
	s.object(
		field{key: "sgxtcbcomponents", read: func() { s.components(&l.sgx) }},
		field{key: "pcesvn", read: func() { l.pce = uint16(s.number(1<<16 - 1)) }},
		field{key: "tdxtcbcomponents", read: func() { s.components(&l.tdx) }},
	)
}

func (s *strictJSON) components(to *[16]byte) {
	n := 0
	s.array(len(to), func(i int) {
		n++
		s.object(
			field{key: "svn", read: func() { to[i] = byte(s.number(255)) }},
			field{key: "category", optional: true, read: func() { s.text() }},
			field{key: "type", optional: true, read: func() { s.text() }},
		)
	})
	if s.err == nil && n != len(to) {
		s.fail("%d components instead of %d", n, len(to))
	}
}
