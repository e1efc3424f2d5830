package attest

import (
	"fmt"
	"slices"
	"time"
)

// Status is how up to date a platform is, as its manufacturer says. A higher
// value is worse.
type Status uint8

// The statuses, in Intel's words. Zero is no status and never passes.
const (
	UpToDate Status = iota + 1
	SWHardeningNeeded
	ConfigurationNeeded
	ConfigurationAndSWHardeningNeeded
	OutOfDate
	OutOfDateConfigurationNeeded
	Revoked
)

var statusNames = [...]string{"", "UpToDate", "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded",
	"OutOfDate", "OutOfDateConfigurationNeeded", "Revoked"}

func (s Status) String() string {
	if s == 0 || int(s) >= len(statusNames) {
		return fmt.Sprintf("status_%d", uint8(s))
	}
	return statusNames[s]
}

// ParseStatus reads a status as manufacturers spell it.
func ParseStatus(name string) (Status, bool) {
	i := slices.Index(statusNames[1:], name)
	return Status(i + 1), i >= 0
}

// TCB is the state of everything below the VM that it has to trust: processor,
// microcode, modules, quoting enclave.
type TCB struct {
	Status     Status
	Advisories []string  // that apply to this state, sorted
	Date       time.Time // when the manufacturer first called this state up to date
	Evaluation uint32    // number of the manufacturer's evaluation; 0 if it has none
}

// UpToDateOnly is the strictest rule.
func UpToDateOnly(t TCB, _ time.Time) error {
	if t.Status != UpToDate {
		return fmt.Errorf("platform is %s (%v)", t.Status, t.Advisories)
	}
	return nil
}
