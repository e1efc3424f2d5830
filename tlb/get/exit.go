package get

import "fmt"

// Exit is the exit code of a run. Contracts define codes of their own; those of the TVM are below.
type Exit int

// The TVM's exit codes.
const (
	ExitOK             Exit = 0
	ExitOKAlt          Exit = 1 // success through the alternative continuation
	ExitStackUnderflow Exit = 2
	ExitStackOverflow  Exit = 3
	ExitIntOverflow    Exit = 4
	ExitRangeCheck     Exit = 5
	ExitInvalidOpcode  Exit = 6
	ExitTypeCheck      Exit = 7
	ExitCellOverflow   Exit = 8
	ExitCellUnderflow  Exit = 9
	ExitDict           Exit = 10
	ExitUnknown        Exit = 11 // also: the contract has no such method
	ExitFatal          Exit = 12
	ExitGasCaught      Exit = 13 // a child of RUNVM ran out of gas
	ExitVirtualization Exit = 14 // read a pruned branch
	ExitOutOfGas       Exit = -14
	// ExitWrongPrefix is what Tolk throws at a message or a struct that does not begin as its type says.
	ExitWrongPrefix Exit = 63
	// ExitUnknownOp is what contracts throw, by convention, at a message they do not know.
	ExitUnknownOp Exit = 65535
)

var exitNames = map[Exit]string{
	ExitOK: "ok", ExitOKAlt: "ok, alternative", ExitStackUnderflow: "stack underflow",
	ExitStackOverflow: "stack overflow", ExitIntOverflow: "integer overflow", ExitRangeCheck: "range check",
	ExitInvalidOpcode: "invalid opcode", ExitTypeCheck: "type check", ExitCellOverflow: "cell overflow",
	ExitCellUnderflow: "cell underflow", ExitDict: "dictionary", ExitUnknown: "unknown, or no such method",
	ExitFatal: "fatal", ExitVirtualization: "pruned branch", ExitOutOfGas: "out of gas",
	ExitGasCaught: "out of gas, caught", ExitWrongPrefix: "wrong prefix, by Tolk's convention",
	ExitUnknownOp: "unknown message, by convention",
}

// OK reports whether the code stands for success.
func (e Exit) OK() bool { return e == ExitOK || e == ExitOKAlt }

func (e Exit) String() string {
	if name, ok := exitNames[e]; ok {
		return fmt.Sprintf("exit %d (%s)", int(e), name)
	}
	return fmt.Sprintf("exit %d", int(e))
}
