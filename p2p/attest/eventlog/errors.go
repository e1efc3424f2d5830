package eventlog

import "github.com/tussah-network/tussah/p2p/attest"

// Reasons to refuse a log.
var (
	ErrSize      = attest.NewRefusal(400, "eventlog: the log is empty or larger than 1 MiB")
	ErrHeader    = attest.NewRefusal(401, "eventlog: the log does not begin with a TCG2 header this package knows")
	ErrTruncated = attest.NewRefusal(402, "eventlog: an event goes beyond the end of the log")
	ErrDigests   = attest.NewRefusal(403, "eventlog: an event's digests are not those the header declares")
	ErrTooMany   = attest.NewRefusal(404, "eventlog: the log has too many events")
	ErrTrailing  = attest.NewRefusal(405, "eventlog: something follows the last event")
	ErrRegister  = attest.NewRefusal(406, "eventlog: an event extends a register there is none of")
	ErrAlgorithm = attest.NewRefusal(407, "eventlog: the log has no SHA-384 digests")
)
