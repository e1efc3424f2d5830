package attest

import "errors"

// One refusal per step of the checklist, in its order.
var (
	ErrSize         = errors.New("attest: quote is empty or larger than 16 KiB")
	ErrKind         = errors.New("attest: not a TDX quote of version 4 or 5 by Intel's quoting enclave")
	ErrFormat       = errors.New("attest: quote is malformed or not in its one accepted encoding")
	ErrCertificates = errors.New("attest: quote does not carry three well-formed certificates")

	ErrReportData = errors.New("attest: quote is bound to another key or channel")

	ErrSimulated          = errors.New("attest: evidence of a simulated TEE is not allowed here")
	ErrRoot               = errors.New("attest: quote does not lead to a trusted root")
	ErrCertificateProfile = errors.New("attest: certificate does not have its place's name, key or constraints")
	ErrCertificateDates   = errors.New("attest: certificate is expired or not yet valid")
	ErrChain              = errors.New("attest: certificate is not signed by its issuer")
	ErrPCK                = errors.New("attest: platform certificate lacks a well-formed SGX extension")
	ErrQESignature        = errors.New("attest: quoting enclave's report is not signed by the platform")
	ErrQEIdentity         = errors.New("attest: quote was made by an enclave that is not Intel's TD quoting enclave")
	ErrQEBinding          = errors.New("attest: attestation key is not the quoting enclave's")
	ErrQuoteSignature     = errors.New("attest: quote is not signed by the attestation key")

	ErrDebug      = errors.New("attest: the VM can be debugged by its host")
	ErrAttributes = errors.New("attest: the VM's attributes are not the required ones")
	ErrServiceTD  = errors.New("attest: a service TD is bound to the VM")
	ErrTCBOrder   = errors.New("attest: the module's current security version is below the one at launch")
	ErrXFAM       = errors.New("attest: the VM's extended features are not allowed")
	ErrSEAM       = errors.New("attest: the TDX module is not Intel's production module")
	ErrImage      = errors.New("attest: the VM's image is not allowed")
	ErrPlatform   = errors.New("attest: the platform is not allowed")
)
