package host

import (
	"context"
	"fmt"
	"strings"

	"github.com/tussah-network/tussah/p2p/attest/eventlog"
)

const eventLogFile = "/sys/firmware/acpi/tables/data/CCEL"

// guest examines a VM.
func (s System) guest(ctx context.Context, amd bool) []Finding {
	device, module, provider := "/dev/tdx_guest", "tdx_guest", "tdx_guest"
	if amd {
		device, module, provider = "/dev/sev-guest", "sev-guest", "sev_guest"
	}
	mounted := strings.Contains(s.text("/proc/mounts"), " /sys/kernel/config configfs ")
	offered := s.exists(reportsDir)
	configfs := "mounted"
	if !mounted {
		configfs = "not mounted"
	}
	findings := []Finding{
		s.kernel(6, 7, offered, "reports are obtained through configfs-tsm"),
		s.present("device", device, "it connects to the processor's trusted module",
			"start this VM as a confidential one (QEMU: confidential-guest-support), with the kernel's module "+module),
		finding("configfs", mounted, configfs, "the kernel's interface for reports is in it", "mount -t configfs none /sys/kernel/config"),
		s.present("reports", reportsDir, "reports are made here", "modprobe "+module),
		s.report(ctx, provider),
	}
	if amd {
		return findings
	}
	return append(findings, s.rtmr(), s.eventLog())
}

// report tries what all the rest is for.
func (s System) report(ctx context.Context, provider string) Finding {
	const why = "a report needs the host's quoting service, besides the processor"
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var size int
	err := newTurn().do(ctx, func() error {
		r, err := obtain(s.Files, provider, [64]byte{}, false)
		if err == nil {
			size = len(r.body)
		}
		return err
	})
	if err != nil {
		return finding("report", false, err.Error(), why,
			"as root; on a TDX host start qgsd and give QEMU a quote-generation-socket (vsock, port 4050)")
	}
	return finding("report", true, fmt.Sprintf("%d bytes", size), why, "")
}

// rtmr looks without making an entry, as [register] would.
func (s System) rtmr() Finding {
	const why = "the node's configuration and models are measured into RTMR3"
	switch {
	case s.exists(registerFile):
		return finding("rtmr3", true, registerFile, why, "")
	case s.exists(registersDir):
		return finding("rtmr3", true, registersDir, why, "")
	}
	return finding("rtmr3", false, "no file to extend it", why, "boot Linux 6.16 or later, or one with the patches for tsm/rtmrs")
}

func (s System) eventLog() Finding {
	const why = "it shows what was measured at boot, for comparing with a prediction"
	const fix = "use firmware built for TDX and a kernel that shows ACPI's CCEL table"
	b, err := s.Files.Read(eventLogFile, eventlog.MaxLog)
	if err != nil {
		return finding("event log", false, err.Error(), why, fix)
	}
	log, err := eventlog.Parse(b)
	if err != nil {
		return finding("event log", false, err.Error(), why, fix)
	}
	return finding("event log", true, fmt.Sprintf("%d events", len(log.Events)), why, "")
}
