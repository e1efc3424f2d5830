package collateral

import "time"

// What a document may measure. Real ones are far below: Intel's TCB information
// has about 6 KB, a revocation list 10 KB, a RIM 120 KB. The limit is applied
// while an answer is read, a file opened or a bundle decoded, before anything is
// allocated by what a length field says.
const (
	maxBody     = 1 << 20
	maxChain    = 16 << 10 // certificates in an answer's header, unescaped
	maxRequest  = 512      // an OCSP request about one certificate has about 150 bytes
	maxSource   = 512
	maxDocument = maxBody + maxChain + 8<<10
	maxBundle   = 64 << 20
	maxMarks    = 1 << 20
)

// How much is kept and asked for. What peers show decides which platforms are
// asked about, so it must not decide how much is asked.
const (
	maxSets      = 256  // also in a bundle; there are a few dozen TDX processor families
	maxDocuments = 1024 // beside those of TDX: one per SEV-SNP platform, a few per GPU model

	burst     = 32          // new wishes taken at once
	perWish   = time.Second // and one more in this time
	forgotten = 30 * 24 * time.Hour
)

// When to fetch.
const (
	ahead     = 24 * time.Hour // before expiry, and when an alert is due
	backoff   = time.Minute    // after the first failure
	maxWait   = time.Hour      // between two attempts, whatever failed
	maxLife   = 365 * 24 * time.Hour
	imprecise = 10 * time.Minute
)
