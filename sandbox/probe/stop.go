package probe

import (
	"errors"
	"slices"

	"github.com/xssnick/tonutils-go/tvm/cell"
	"github.com/xssnick/tonutils-go/tvm/vm"
)

// stop carries a callback's error out of the machine. The machine looks into
// the errors it meets, and takes some for an instruction's failure, which a
// contract may catch. So stop shows the machine nothing it looks for: it cannot
// be unwrapped, and denies being one of those errors.
type stop struct{ cause error }

func (s *stop) Error() string { return s.cause.Error() }

// Is makes errors.Is find what the callback returned.
func (s *stop) Is(target error) bool {
	return !slices.Contains(failures, target) && errors.Is(s.cause, target)
}

// As makes errors.As find what the callback returned. The machine never asks.
func (s *stop) As(target any) bool { return errors.As(s.cause, target) }

// failures are the errors the machine asks for by errors.Is.
var failures = []error{
	vm.ErrStopOnAccept, vm.ErrCorruptedOpcode,
	cell.ErrNoMoreRefs, cell.ErrSmallSlice, cell.ErrNotFit1023, cell.ErrTooMuchRefs, cell.ErrCellDepthLimit,
	cell.ErrRefCannotBeNil, cell.ErrTooBigValue, cell.ErrNegative, cell.ErrInvalidSize, cell.ErrNilBigInt, cell.ErrTooBigSize,
}
