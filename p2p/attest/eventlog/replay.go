package eventlog

import (
	"crypto/sha512"
	"fmt"
)

// Registers are the values of RTMR0 to RTMR3.
type Registers [4][sha512.Size384]byte

// Register says which RTMR an index of a confidential VM's log (CCEL) stands for:
// 1 to 4 are RTMR0 to RTMR3. Index 0 is MRTD, which no event can extend.
func Register(index uint32) (rtmr int, ok bool) {
	if index < 1 || index > 4 {
		return 0, false
	}
	return int(index - 1), true
}

// RegisterOfPCR says which RTMR stands for a TPM's register on TDX, as firmware
// maps them: PCR 1 and 7 are in RTMR0, 2 to 6 in RTMR1, 8 to 15 in RTMR2. What a
// TPM has in PCR 0 is in MRTD, and RTMR3 has no counterpart.
func RegisterOfPCR(pcr int) (rtmr int, ok bool) {
	switch {
	case pcr == 1 || pcr == 7:
		return 0, true
	case pcr >= 2 && pcr <= 6:
		return 1, true
	case pcr >= 8 && pcr <= 15:
		return 2, true
	}
	return 0, false
}

// Replay computes the registers of a TDX machine after all events of its log.
func (l *Log) Replay() (Registers, error) {
	var registers Registers
	for i, e := range l.Events {
		if e.Type == NoAction {
			continue
		}
		rtmr, ok := Register(e.Index)
		if !ok {
			return Registers{}, fmt.Errorf("event %d: %w: index %d", i, ErrRegister, e.Index)
		}
		digest, ok := e.Digest(SHA384)
		if !ok {
			return Registers{}, ErrAlgorithm
		}
		registers[rtmr] = Extend(registers[rtmr], [sha512.Size384]byte(digest))
	}
	return registers, nil
}

// Extend is what a register holds after an event.
func Extend(register, digest [sha512.Size384]byte) [sha512.Size384]byte {
	return sha512.Sum384(append(register[:], digest[:]...))
}
