package host

import (
	"fmt"
	"syscall"
)

// synchronised asks the kernel, which any time service tells.
func synchronised() (bool, error) {
	const unsynchronised = 0x40 // STA_UNSYNC
	var t syscall.Timex
	if _, err := syscall.Adjtimex(&t); err != nil {
		return false, fmt.Errorf("adjtimex: %w", err)
	}
	return t.Status&unsynchronised == 0, nil
}
