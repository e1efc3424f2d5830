package sim_test

import (
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"slices"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

func svn(b ...byte) func(*sim.Measurements) {
	return func(m *sim.Measurements) { m.SVN = [16]byte(append(b, make([]byte, 16-len(b))...)) }
}

func attributes(set uint64) func(*sim.Measurements) {
	return func(m *sim.Measurements) { m.Attributes |= set }
}

func processor(c *x509.Certificate) { c.Subject.CommonName = "Intel SGX PCK Processor CA" }

// acceptedCases are good machines.
func acceptedCases() []synthetic {
	sa := "INTEL-SA-00615"
	return []synthetic{
		{name: "good version 4"},
		{name: "good version 5", version5: true},
		{name: "module of version 3", measurements: svn(3, 3, 3)},
		{name: "module of version 0", measurements: svn(5, 0, 3)},
		{name: "newer than the newest level", measurements: svn(9, 1, 4), platform: sim.Faults{Platform: func(p *tdx.Platform) { p.SVN[0], p.PCESVN = 9, 14 }}},
		{name: "processor CA", platform: sim.Faults{CA: processor}, collateral: sim.CollateralFaults{PlatformCA: processor}},
		{name: "control-flow enforcement", measurements: func(m *sim.Measurements) { m.XFAM = 0x618e7 }},
		{name: "advisory of an up to date platform", collateral: platformStatus(attest.UpToDate, sa), advisories: []string{sa}},
		{name: "others revoked", collateral: sim.CollateralFaults{PCKCRL: revoke(1, 2, 3), RootCRL: revoke(4)}},
		{name: "SWHardeningNeeded, advisory named", collateral: platformStatus(attest.SWHardeningNeeded, sa), policy: named("INTEL-SA-00001", sa),
			status: attest.SWHardeningNeeded, advisories: []string{sa}},
		{name: "ConfigurationNeeded, tolerated", collateral: platformStatus(attest.ConfigurationNeeded, sa), policy: tolerant,
			status: attest.ConfigurationNeeded, advisories: []string{sa}},
		{name: "ConfigurationAndSWHardeningNeeded, tolerated", version5: true, collateral: platformStatus(attest.ConfigurationAndSWHardeningNeeded), policy: tolerant,
			status: attest.ConfigurationAndSWHardeningNeeded},
		{name: "evaluation as demanded", policy: func(p *attest.Policy) { p.MinEvaluation = 18 }},
		{name: "dates of collateral within the skew", collateral: sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) {
			i.NextUpdate = time.Now().Add(-5 * time.Minute)
		}}, version5: true},
	}
}

// The quote's layout, version 4: header 48, report 584, size 4, signature 64,
// key 64, then certification data.
const (
	certificationType = 48 + 584 + 4 + 64 + 64
	innerType         = certificationType + 6 + 384 + 64 + 2 + 32
)

// set writes a little-endian 16-bit number into a quote.
func set(at int, value uint16) func([]byte) []byte {
	return func(quote []byte) []byte {
		binary.LittleEndian.PutUint16(quote[at:], value)
		return quote
	}
}

func enclave(edit func(report []byte)) sim.Faults { return sim.Faults{QEReport: edit} }

// quoteCases are machines that show bad quotes, with good collateral.
func quoteCases() []synthetic {
	return []synthetic{
		{name: "truncated in the report", want: attest.ErrFormat, report: func(q []byte) []byte { return q[:300] }},
		{name: "truncated in the certificates", want: attest.ErrFormat, report: func(q []byte) []byte { return q[:len(q)-1] }},
		{name: "padded", want: attest.ErrFormat, report: func(q []byte) []byte { return append(q, 0) }},
		{name: "certification type 5 outside", want: attest.ErrFormat, report: set(certificationType, 5)},
		{name: "certification type 3 inside", want: attest.ErrFormat, report: set(innerType, 3)},
		{name: "certification type 1 inside", want: attest.ErrFormat, report: set(innerType, 1)},
		{name: "two certificates", want: attest.ErrFormat, report: func(q []byte) []byte { return dropLastCertificate(q) }},
		{name: "SGX", want: tdx.ErrKind, report: set(4, 0)},
		{name: "version 3", want: tdx.ErrKind, report: set(0, 3)},

		{name: "simulation on a production network", want: attest.ErrSimulated, policy: func(p *attest.Policy) { p.AllowSimulated = false }},
		{name: "CA as leaf", want: tdx.ErrCertificateProfile, platform: sim.Faults{PCK: func(c *x509.Certificate) {
			c.IsCA, c.MaxPathLen, c.KeyUsage = true, -1, c.KeyUsage|x509.KeyUsageCertSign
		}}},
		{name: "PCK of another name", want: tdx.ErrCertificateProfile, platform: sim.Faults{PCK: func(c *x509.Certificate) { c.Subject.CommonName = "Intel SGX TCB Signing" }}},
		{name: "PCK CA of another name", want: tdx.ErrCertificateProfile, platform: sim.Faults{CA: func(c *x509.Certificate) { c.Subject.CommonName = "Intel SGX PCK CA" }}},
		{name: "PCK expired", want: tdx.ErrCertificateDates, platform: sim.Faults{PCK: func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }}},
		{name: "PCK from the future", want: tdx.ErrCertificateDates, platform: sim.Faults{PCK: func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }}},
		{name: "no SGX extension", want: tdx.ErrPCK, platform: sim.Faults{PCK: func(c *x509.Certificate) { c.ExtraExtensions = nil }}},

		{name: "debug enclave", want: tdx.ErrQEIdentity, platform: enclave(func(r []byte) { r[48] |= 2 })},
		{name: "enclave with MISCSELECT", want: tdx.ErrQEIdentity, platform: enclave(func(r []byte) { r[16] = 1 })},
		{name: "enclave of another signer", want: tdx.ErrQEIdentity, platform: enclave(func(r []byte) { r[128] ^= 1 })},
		{name: "enclave of another product", want: tdx.ErrQEIdentity, platform: enclave(func(r []byte) { r[256] = 1 })},
		{name: "enclave bound to another key", want: tdx.ErrQEBinding, platform: enclave(func(r []byte) { r[320] ^= 1 })},

		{name: "debug", want: attest.ErrDebug, measurements: attributes(1)},
		{name: "debug, version 5", want: attest.ErrDebug, version5: true, measurements: attributes(1)},
		{name: "SEPT_VE_DISABLE off", want: tdx.ErrAttributes, measurements: func(m *sim.Measurements) { m.Attributes = 0 }},
		{name: "reserved bit of the debug class", want: tdx.ErrAttributes, measurements: attributes(1 << 4)},
		{name: "reserved bit of the security class", want: tdx.ErrAttributes, measurements: attributes(1 << 27)},
		{name: "reserved bit above", want: tdx.ErrAttributes, measurements: attributes(1 << 62)},
		{name: "migratable", want: tdx.ErrAttributes, measurements: attributes(1 << 29)},
		{name: "protection keys for supervisor pages", want: tdx.ErrAttributes, measurements: attributes(1 << 30)},
		{name: "key locker", want: tdx.ErrAttributes, measurements: attributes(1 << 31)},
		{name: "performance monitoring", want: tdx.ErrAttributes, measurements: attributes(1 << 63)},
		{name: "service TD", want: tdx.ErrServiceTD, version5: true, measurements: func(m *sim.Measurements) { m.TD15.ServiceTD[0] = 1 }},
		{name: "security version fell", want: tdx.ErrTCBOrder, version5: true, measurements: func(m *sim.Measurements) { m.TD15.CurrentSVN[0] = 6 }},
		{name: "unknown extended feature", want: tdx.ErrXFAM, measurements: func(m *sim.Measurements) { m.XFAM |= 1 << 20 }},
		{name: "MRCONFIGID", want: tdx.ErrConfigID, measurements: func(m *sim.Measurements) { m.MRConfigID[0] = 1 }},
		{name: "MROWNER", want: tdx.ErrConfigID, measurements: func(m *sim.Measurements) { m.MROwner[0] = 1 }},

		{name: "module of another signer", want: tdx.ErrModule, measurements: func(m *sim.Measurements) { m.SignerSEAM[0] = 1 }},
		{name: "debug module", want: tdx.ErrModule, measurements: func(m *sim.Measurements) { m.AttributesSEAM = 1 }},
		{name: "module of version 0, another signer", want: tdx.ErrModule, measurements: func(m *sim.Measurements) {
			m.SVN, m.SignerSEAM[47] = [16]byte{5, 0, 3}, 1
		}},
		{name: "another vendor's module that collateral knows", want: tdx.ErrSEAM,
			measurements: func(m *sim.Measurements) { m.SignerSEAM = tdx.Register(bytes.Repeat([]byte{0xab}, 48)) },
			collateral: sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) {
				i.Modules[1].Signer = string(bytes.Repeat([]byte("AB"), 48))
			}}},
	}
}

// levelCases are machines that are not up to date, each part of them.
func levelCases() []synthetic {
	sa := "INTEL-SA-00615"
	older := func(edit func(*tdx.Platform)) sim.Faults { return sim.Faults{Platform: edit} }
	return []synthetic{
		{name: "platform: component too old", want: tdx.ErrOutOfDate, platform: older(func(p *tdx.Platform) { p.SVN[0] = 2 }), policy: tolerant},
		{name: "platform: PCE too old", want: tdx.ErrOutOfDate, platform: older(func(p *tdx.Platform) { p.PCESVN = 10 }), policy: tolerant},
		{name: "platform: microcode of TDX too old", want: tdx.ErrOutOfDate, measurements: svn(7, 1, 2), policy: tolerant},
		{name: "platform: below every level", want: tdx.ErrNoLevel, platform: older(func(p *tdx.Platform) { p.SVN[4] = 0 }), policy: tolerant},
		{name: "platform: PCE below every level", want: tdx.ErrNoLevel, platform: older(func(p *tdx.Platform) { p.PCESVN = 4 }), policy: tolerant},
		{name: "platform OutOfDate", want: tdx.ErrOutOfDate, says: sa, collateral: platformStatus(attest.OutOfDate, sa), policy: tolerant},
		{name: "platform OutOfDate, version 5", want: tdx.ErrOutOfDate, version5: true, collateral: platformStatus(attest.OutOfDate), policy: tolerant},
		{name: "platform OutOfDateConfigurationNeeded", want: tdx.ErrOutOfDate, collateral: platformStatus(attest.OutOfDateConfigurationNeeded), policy: tolerant},
		{name: "platform Revoked", want: tdx.ErrOutOfDate, says: "Revoked", collateral: platformStatus(attest.Revoked), policy: tolerant},
		{name: "platform SWHardeningNeeded", want: attest.ErrTCB, collateral: platformStatus(attest.SWHardeningNeeded, sa)},
		{name: "platform SWHardeningNeeded, another advisory named", want: attest.ErrTCB, says: sa, collateral: platformStatus(attest.SWHardeningNeeded, sa), policy: named("INTEL-SA-00001")},
		{name: "platform ConfigurationNeeded", want: attest.ErrTCB, collateral: platformStatus(attest.ConfigurationNeeded)},
		{name: "platform ConfigurationNeeded, hardening named", want: attest.ErrTCB, collateral: platformStatus(attest.ConfigurationNeeded, sa), policy: named(sa)},
		{name: "platform ConfigurationAndSWHardeningNeeded", want: attest.ErrTCB, collateral: platformStatus(attest.ConfigurationAndSWHardeningNeeded)},

		{name: "module: too old", want: tdx.ErrOutOfDate, says: "INTEL-SA-01036", measurements: svn(4, 1, 3), policy: tolerant},
		{name: "module: below every level", want: tdx.ErrNoLevel, measurements: svn(1, 1, 3), policy: tolerant},
		{name: "module: version unknown", want: tdx.ErrModule, measurements: svn(7, 2, 3), policy: tolerant},
		{name: "module of version 0: too old", want: tdx.ErrNoLevel, measurements: svn(4, 0, 3), policy: tolerant},
		{name: "module OutOfDate", want: tdx.ErrOutOfDate, says: sa, collateral: moduleStatus(attest.OutOfDate, sa), policy: tolerant},
		{name: "module Revoked", want: tdx.ErrOutOfDate, says: "Revoked", collateral: moduleStatus(attest.Revoked), policy: tolerant},
		{name: "module with a platform's status", want: tdx.ErrCollateralForm, collateral: moduleStatus(attest.SWHardeningNeeded)},
		{name: "module identities missing", want: tdx.ErrModule, collateral: sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) { i.Modules = nil }}},
		{name: "module identity missing", want: tdx.ErrModule, collateral: sim.CollateralFaults{TCBInfo: func(i *sim.TCBInfo) { i.Modules = i.Modules[:1] }}},
		{name: "module updated under the VM", want: tdx.ErrOutOfDate, says: "launch it anew", version5: true, policy: tolerant, measurements: func(m *sim.Measurements) {
			m.SVN, m.TD15.CurrentSVN = [16]byte{4, 1, 3}, [16]byte{7, 1, 3}
		}},

		{name: "enclave: too old", want: tdx.ErrOutOfDate, says: "INTEL-SA-01036", platform: enclave(func(r []byte) { r[258] = 3 }), policy: tolerant},
		{name: "enclave: below every level", want: tdx.ErrNoLevel, platform: enclave(func(r []byte) { r[258] = 1 }), policy: tolerant},
		{name: "enclave OutOfDate", want: tdx.ErrOutOfDate, says: sa, collateral: enclaveStatus(attest.OutOfDate, sa), policy: tolerant},
		{name: "enclave Revoked", want: tdx.ErrOutOfDate, says: "Revoked", collateral: enclaveStatus(attest.Revoked), policy: tolerant},
		{name: "enclave with a platform's status", want: tdx.ErrCollateralForm, collateral: enclaveStatus(attest.ConfigurationNeeded)},

		{name: "enclave OutOfDate, platform ConfigurationNeeded", want: tdx.ErrOutOfDate, says: "OutOfDateConfigurationNeeded", policy: tolerant,
			collateral: sim.CollateralFaults{
				TCBInfo:    platformStatus(attest.ConfigurationNeeded).TCBInfo,
				QEIdentity: enclaveStatus(attest.OutOfDate).QEIdentity,
			}},
	}
}

// dropLastCertificate takes the root out of a quote and mends all sizes.
func dropLastCertificate(quote []byte) []byte {
	end := bytes.LastIndex(quote, []byte("-----BEGIN"))
	short := slices.Clone(quote[:end])
	for _, at := range []int{48 + 584, certificationType + 2, innerType + 2} {
		size := binary.LittleEndian.Uint32(short[at:])
		binary.LittleEndian.PutUint32(short[at:], size-uint32(len(quote)-end))
	}
	return short
}
