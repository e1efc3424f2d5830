package attest

import "fmt"

// Refusal is a reason to refuse evidence: one for each step of each checklist.
// Its number is what a peer is told.
type Refusal struct {
	code uint16
	text string
}

// Code is the refusal's number on the wire. It is never reused.
func (r *Refusal) Code() uint16  { return r.code }
func (r *Refusal) Error() string { return r.text }

// refusals is complete once all packages are initialised, and only read from then on.
var refusals = map[uint16]*Refusal{}

// NewRefusal makes a refusal. It is for package variables only. This package
// takes the numbers below 60, package ratls those below 100, and each package of
// a TEE a hundred of its own: tdx 100, snp 200, gpu 300, eventlog 400.
func NewRefusal(code uint16, text string) *Refusal {
	if code == 0 || refusals[code] != nil {
		panic(fmt.Sprintf("attest: refusal %d is not free", code))
	}
	refusals[code] = &Refusal{code, text}
	return refusals[code]
}

// RefusalOf is the refusal that a number stands for.
func RefusalOf(code uint16) (*Refusal, bool) {
	r, ok := refusals[code]
	return r, ok
}

// RefusalIn is the most specific refusal that an error wraps: the last one, as
// what is wrapped later explains what is wrapped before.
func RefusalIn(err error) (r *Refusal, ok bool) {
	if is, yes := err.(*Refusal); yes {
		r, ok = is, true
	}
	var wrapped []error
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		wrapped = []error{e.Unwrap()}
	case interface{ Unwrap() []error }:
		wrapped = e.Unwrap()
	}
	for _, w := range wrapped {
		if inner, found := RefusalIn(w); found {
			r, ok = inner, true
		}
	}
	return r, ok
}

// Refusals that all TEEs have.
var (
	ErrTEE        = NewRefusal(1, "attest: evidence of a TEE that nothing here can appraise")
	ErrSize       = NewRefusal(2, "attest: evidence is empty or larger than 16 KiB")
	ErrFormat     = NewRefusal(3, "attest: evidence is malformed or not in its one accepted encoding")
	ErrReportData = NewRefusal(4, "attest: evidence is bound to another key or channel")
	ErrSimulated  = NewRefusal(5, "attest: evidence of a simulated TEE is not allowed here")
	ErrRoot       = NewRefusal(6, "attest: evidence does not lead to a trusted root")
	ErrClock      = NewRefusal(7, "attest: this machine's clock and the chain disagree")

	ErrNoCollateral = NewRefusal(20, "attest: no current collateral for this platform")
	ErrRevoked      = NewRefusal(21, "attest: a certificate is revoked")
	ErrTCB          = NewRefusal(22, "attest: the platform's updates are not good enough")

	ErrDebug    = NewRefusal(40, "attest: the VM can be debugged by its host")
	ErrImage    = NewRefusal(41, "attest: the VM's image is not allowed")
	ErrPlatform = NewRefusal(42, "attest: the platform is not allowed")
	ErrEvents   = NewRefusal(43, "attest: what the VM measured while it ran is not what it should be")
)
