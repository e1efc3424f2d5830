package gpu

import "github.com/tussah-network/tussah/p2p/attest"

// One refusal for each step of the checklist.
var (
	ErrSize         = attest.NewRefusal(300, "gpu: evidence is empty or larger than 256 KiB")
	ErrEncoding     = attest.NewRefusal(301, "gpu: evidence is not in its one accepted encoding")
	ErrReport       = attest.NewRefusal(302, "gpu: measurement report is malformed")
	ErrCertificates = attest.NewRefusal(303, "gpu: certificates of a device cannot be read")
	ErrAge          = attest.NewRefusal(304, "gpu: evidence was asked for too long ago")
	ErrNonce        = attest.NewRefusal(305, "gpu: report answers another question")
	ErrRepeated     = attest.NewRefusal(306, "gpu: one device appears twice")

	ErrSimulated    = attest.NewRefusal(320, "gpu: evidence of a simulated device is not allowed here")
	ErrRoot         = attest.NewRefusal(321, "gpu: device certificates do not lead to the manufacturer's root")
	ErrProfile      = attest.NewRefusal(322, "gpu: a device certificate is not what its place demands")
	ErrDates        = attest.NewRefusal(323, "gpu: a device certificate is not valid at this time")
	ErrChain        = attest.NewRefusal(324, "gpu: device certificates do not certify each other")
	ErrSignature    = attest.NewRefusal(325, "gpu: report is not signed by the device")
	ErrFWID         = attest.NewRefusal(326, "gpu: report and certificate do not name the same firmware")
	ErrNoRevocation = attest.NewRefusal(327, "gpu: no current revocation list")
	ErrRevoked      = attest.NewRefusal(328, "gpu: a certificate is revoked")

	ErrModel    = attest.NewRefusal(340, "gpu: model is not allowed")
	ErrSKU      = attest.NewRefusal(341, "gpu: variant of the model is not allowed")
	ErrDriver   = attest.NewRefusal(342, "gpu: driver is too old or unreadable")
	ErrVBIOS    = attest.NewRefusal(343, "gpu: VBIOS is too old or unreadable")
	ErrLinks    = attest.NewRefusal(344, "gpu: device relies on switches that nobody appraised")
	ErrCCMode   = attest.NewRefusal(345, "gpu: confidential computing was not measured as on")
	ErrDevTools = attest.NewRefusal(346, "gpu: device is open to developer tools")
	ErrDevice   = attest.NewRefusal(347, "gpu: device is not allowed")

	ErrNoRIM        = attest.NewRefusal(360, "gpu: no reference measurements for this driver or VBIOS")
	ErrRIMFormat    = attest.NewRefusal(361, "gpu: reference measurements are malformed")
	ErrRIMRoot      = attest.NewRefusal(362, "gpu: reference measurements do not lead to the manufacturer's root")
	ErrRIMChain     = attest.NewRefusal(363, "gpu: certificates of reference measurements do not hold")
	ErrRIMDates     = attest.NewRefusal(364, "gpu: a certificate of reference measurements is not valid at this time")
	ErrRIMSignature = attest.NewRefusal(365, "gpu: reference measurements are not signed")
	ErrRIMRevoked   = attest.NewRefusal(368, "gpu: the signer of reference measurements is revoked")
	ErrRIMSubject   = attest.NewRefusal(366, "gpu: reference measurements are about something else")
	ErrMeasurements = attest.NewRefusal(367, "gpu: measurements differ from the reference")
)
