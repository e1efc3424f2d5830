package tdx

import "time"

// enclaveIdentity is what the manufacturer says about its TD quoting enclave.
type enclaveIdentity struct {
	issued, next           time.Time
	evaluation             uint32
	miscSelect, miscMask   [4]byte
	attributes, attribMask [16]byte
	signer                 [32]byte
	product                uint16
	levels                 []level
}

// parseQEIdentity reads the signed part of an answer about the TD quoting
// enclave, version 2.
func parseQEIdentity(body []byte) (e enclaveIdentity, err error) {
	s := &strictJSON{rest: body}
	s.object(
		field{key: "id", read: s.exactly("TD_QE")},
		field{key: "version", read: s.version(2)},
		field{key: "issueDate", read: func() { e.issued = s.time() }},
		field{key: "nextUpdate", read: func() { e.next = s.time() }},
		field{key: "tcbEvaluationDataNumber", read: func() { e.evaluation = s.number(1<<32 - 1) }},
		field{key: "miscselect", read: func() { s.bytes(e.miscSelect[:]) }},
		field{key: "miscselectMask", read: func() { s.bytes(e.miscMask[:]) }},
		field{key: "attributes", read: func() { s.bytes(e.attributes[:]) }},
		field{key: "attributesMask", read: func() { s.bytes(e.attribMask[:]) }},
		field{key: "mrsigner", read: func() { s.bytes(e.signer[:]) }},
		field{key: "isvprodid", read: func() { e.product = uint16(s.number(1<<16 - 1)) }},
		field{key: "tcbLevels", read: func() { e.levels = s.levels((*strictJSON).enclaveSVN, enclaveStatuses...) }},
	)
	return e, s.end()
}

// masked tells whether a value has what is wanted in the bits of a mask.
func masked(got, want, mask []byte) bool {
	for i := range want {
		if got[i]&mask[i] != want[i] {
			return false
		}
	}
	return true
}
