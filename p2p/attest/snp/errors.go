package snp

import "github.com/tussah-network/tussah/p2p/attest"

// Refusals that only SEV-SNP has, beside those of package attest. The checklist
// has both in their order.
var (
	ErrKind        = attest.NewRefusal(200, "snp: not an SEV-SNP report of version 2 to 5 signed with ECDSA P-384")
	ErrCertificate = attest.NewRefusal(201, "snp: evidence does not carry a well-formed chip certificate")

	ErrCertificateProfile = attest.NewRefusal(210, "snp: certificate does not have its place's name, key or constraints")
	ErrChain              = attest.NewRefusal(211, "snp: certificate is not signed by its issuer")
	ErrCertificateDates   = attest.NewRefusal(212, "snp: certificate is expired or not yet valid")
	ErrExtensions         = attest.NewRefusal(213, "snp: chip certificate lacks a well-formed set of AMD's extensions")
	ErrReportSignature    = attest.NewRefusal(214, "snp: report is not signed by the chip's key")
	ErrChip               = attest.NewRefusal(215, "snp: the chip hides its id, or its certificate is another chip's")
	ErrReportedTCB        = attest.NewRefusal(216, "snp: firmware levels are malformed, or the chip certificate is for others")
	ErrProductMismatch    = attest.NewRefusal(217, "snp: report, certificate and root do not name one product line")
	ErrSecondOpinion      = attest.NewRefusal(218, "snp: a second verifier does not agree that the evidence is genuine")

	ErrMigration    = attest.NewRefusal(240, "snp: the VM may be migrated by an agent")
	ErrMilan        = attest.NewRefusal(241, "snp: EPYC 7003 (Milan) is not accepted: its chip keys can be extracted")
	ErrProduct      = attest.NewRefusal(242, "snp: the product line is not allowed")
	ErrVLEK         = attest.NewRefusal(243, "snp: report is signed with a provider's key (VLEK), not the chip's own")
	ErrGuestPolicy  = attest.NewRefusal(244, "snp: the VM's launch policy is not strict enough")
	ErrVMPL         = attest.NewRefusal(245, "snp: report was not requested at VMPL 0")
	ErrPlatformInfo = attest.NewRefusal(246, "snp: the platform lacks a required protection")
	ErrProvisional  = attest.NewRefusal(247, "snp: the platform runs firmware that it has not committed to")
	ErrTCBOrder     = attest.NewRefusal(249, "snp: firmware reported or at launch is newer than the current one")
	ErrIDBlock      = attest.NewRefusal(248, "snp: the VM's id block contradicts itself")
)
