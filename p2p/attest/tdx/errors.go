package tdx

import "github.com/tussah-network/tussah/p2p/attest"

// Refusals that only TDX has, beside those of package attest. The checklist has
// both in their order.
var (
	ErrKind         = attest.NewRefusal(100, "tdx: not a TDX quote of version 4 or 5 by Intel's quoting enclave")
	ErrCertificates = attest.NewRefusal(101, "tdx: quote does not carry three well-formed certificates")

	ErrCertificateProfile = attest.NewRefusal(110, "tdx: certificate does not have its place's name, key or constraints")
	ErrCertificateDates   = attest.NewRefusal(111, "tdx: certificate is expired or not yet valid")
	ErrChain              = attest.NewRefusal(112, "tdx: certificate is not signed by its issuer")
	ErrPCK                = attest.NewRefusal(113, "tdx: platform certificate lacks a well-formed SGX extension")
	ErrQESignature        = attest.NewRefusal(114, "tdx: quoting enclave's report is not signed by the platform")
	ErrQEIdentity         = attest.NewRefusal(115, "tdx: quote was made by an enclave that is not Intel's TD quoting enclave")
	ErrQEBinding          = attest.NewRefusal(116, "tdx: attestation key is not the quoting enclave's")
	ErrQuoteSignature     = attest.NewRefusal(117, "tdx: quote is not signed by the attestation key")

	ErrCollateralForm      = attest.NewRefusal(120, "tdx: collateral is not in the manufacturer's form")
	ErrCollateralSigner    = attest.NewRefusal(121, "tdx: collateral's signer is not the manufacturer's")
	ErrCollateralSignature = attest.NewRefusal(122, "tdx: collateral is not signed by its signer")
	ErrCollateralCRL       = attest.NewRefusal(123, "tdx: revocation list is absent, incomplete or not its issuer's")
	ErrCollateralDates     = attest.NewRefusal(124, "tdx: collateral is expired or not yet in force")

	ErrCollateralIssuer   = attest.NewRefusal(125, "tdx: collateral is of another root or platform CA than the quote")
	ErrCollateralPlatform = attest.NewRefusal(126, "tdx: collateral is about another family of platforms")
	ErrEvaluation         = attest.NewRefusal(127, "tdx: collateral is of an evaluation older than the policy demands")
	ErrQEMismatch         = attest.NewRefusal(128, "tdx: quoting enclave is not the one that collateral describes")
	ErrModule             = attest.NewRefusal(129, "tdx: TDX module is not one that collateral describes")
	ErrNoLevel            = attest.NewRefusal(130, "tdx: collateral knows no such state of the platform's updates")
	ErrOutOfDate          = attest.NewRefusal(131, "tdx: the platform is out of date or revoked")

	ErrAttributes = attest.NewRefusal(140, "tdx: the VM's attributes are not the required ones")
	ErrServiceTD  = attest.NewRefusal(141, "tdx: a service TD is bound to the VM")
	ErrTCBOrder   = attest.NewRefusal(142, "tdx: the module's current security version is below the one at launch")
	ErrXFAM       = attest.NewRefusal(143, "tdx: the VM's extended features are not allowed")
	ErrSEAM       = attest.NewRefusal(144, "tdx: the TDX module is not Intel's production module")
	ErrConfigID   = attest.NewRefusal(145, "tdx: the VM's owner or configuration id is not zero")
)
