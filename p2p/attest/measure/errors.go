package measure

import "errors"

// Reasons why there is no prediction.
var (
	ErrFirmware    = errors.New("measure: firmware has no TDX description that this package understands")
	ErrVariables   = errors.New("measure: firmware comes with stored variables, or with no store for them")
	ErrMemory      = errors.New("measure: firmware does not fit into this size of memory")
	ErrKernel      = errors.New("measure: kernel is not an x86-64 Linux kernel with EFI stub")
	ErrInitrd      = errors.New("measure: initial RAM disk does not fit into memory")
	ErrCommandLine = errors.New("measure: command line is empty, not in ASCII, or changes the kernel's header")
	ErrACPI        = errors.New("measure: ACPI tables are incomplete")
	ErrEvents      = errors.New("measure: too many events, or too large ones")
)
