package host

import "errors"

// Reasons why there is no evidence.
var (
	ErrNoReports  = errors.New("host: the kernel offers no reports here")
	ErrReport     = errors.New("host: the kernel gave no report")
	ErrDisturbed  = errors.New("host: somebody else used this report")
	ErrOtherTEE   = errors.New("host: the report is of another TEE")
	ErrNoRegister = errors.New("host: the kernel offers no way to extend RTMR3")
	ErrRegister   = errors.New("host: RTMR3 was not extended")
	ErrForeign    = errors.New("host: RTMR3 has what this node did not measure; restart the VM")
	ErrMeasured   = errors.New("host: this boot measured another event here; restart the VM")
	ErrFixed      = errors.New("host: what an SEV-SNP machine measures is fixed at its launch")
	ErrEvent      = errors.New("host: event is too large, or one too many")
	ErrJournal    = errors.New("host: the journal of measured events is damaged; restart the VM")
)
