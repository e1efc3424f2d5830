package measure

import (
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/eventlog"
)

// Image is what a machine boots, and with what.
type Image struct {
	Firmware    []byte // TDVF, code and variables in one file
	Kernel      []byte
	Initrd      []byte // empty: none
	CommandLine string // as given to -append
	Memory      uint64 // bytes
	Platform    Platform

	// ACPI is read from a machine of the same configuration. Default: none, and
	// no RTMR0.
	ACPI *ACPI
	// Events are what the node measures, in order. Default: none, and RTMR3 as it
	// is at boot.
	Events []attest.Event
}

// Platform is how the versions of QEMU and firmware at hand measure. Its zero
// value is for QEMU 9 and firmware since the separator's correction, and for a
// kernel that firmware gets from QEMU with its header changed.
type Platform struct {
	// PagesFirst: all pages of a section are added, and then measured. QEMU 8 and
	// its TDX branches do; later ones measure each page as it is added.
	PagesFirst bool
	// KernelAsIs: firmware (from edk2-stable202505 on) takes the kernel that QEMU
	// (from 10.0 on) offers it unchanged, beside the one with changes.
	KernelAsIs bool
	// SeparatorInRTMR0: the line between firmware and boot is drawn in RTMR0, as
	// older firmware did, in place of RTMR1.
	SeparatorInRTMR0 bool
}

// ACPI are the tables as QEMU hands them over, with all their filling. A running
// machine has them below /sys/firmware/qemu_fw_cfg/by_name/etc, in the files
// table-loader/raw, acpi/rsdp/raw and acpi/tables/raw.
type ACPI struct{ Loader, RSDP, Tables []byte }

// Predict computes what a machine will have measured once its node runs.
func Predict(image Image) (*Measurements, error) {
	firmware, err := ParseFirmware(image.Firmware)
	if err != nil {
		return nil, err
	}
	m := &Measurements{MRTD: firmware.MRTD(image.Platform.PagesFirst)}
	for _, register := range []func() ([]Step, error){
		func() ([]Step, error) { return image.firmwareSteps(firmware) },
		image.kernelSteps,
		image.commandSteps,
		image.eventSteps,
	} {
		steps, err := register()
		if err != nil {
			return nil, err
		}
		m.Steps = append(m.Steps, steps...)
	}
	if image.ACPI == nil {
		m.Unknown = append(m.Unknown, Unknown{RTMR: 0, Why: "it has the ACPI tables, which were not given"})
	}
	m.replay()
	return m, nil
}

// firmwareSteps are those of RTMR0.
func (i Image) firmwareSteps(f *Firmware) ([]Step, error) {
	handOff, err := f.handOff(i.Memory)
	if err != nil {
		return nil, err
	}
	volume, _ := f.section(ConfigVolume)
	if err := checkVariables(f.content(volume)); err != nil {
		return nil, err
	}
	steps := []Step{
		step(0, "memory map", eventlog.EFIHandoffTables2, handOff),
		step(0, "variables", eventlog.EFIPlatformFirmwareBlob2, f.content(volume)),
	}
	// Without stored variables these have no value, and the boot menu is the
	// firmware's own.
	for _, v := range []eventlog.Variable{
		{Vendor: globalVendor, Name: "SecureBoot"},
		{Vendor: globalVendor, Name: "PK"},
		{Vendor: globalVendor, Name: "KEK"},
		{Vendor: securityVendor, Name: "db"},
		{Vendor: securityVendor, Name: "dbx"},
	} {
		steps = append(steps, step(0, "variable "+v.Name, eventlog.EFIVariableDriverConfig, v.Encode()))
	}
	steps = append(steps, step(0, "separator", eventlog.Separator, make([]byte, 4)))
	if a := i.ACPI; a != nil {
		if len(a.Loader) == 0 || len(a.RSDP) == 0 || len(a.Tables) == 0 {
			return nil, ErrACPI
		}
		steps = append(steps,
			step(0, "ACPI loader", eventlog.PlatformConfigFlags, a.Loader),
			step(0, "ACPI root", eventlog.PlatformConfigFlags, a.RSDP),
			step(0, "ACPI tables", eventlog.PlatformConfigFlags, a.Tables))
	} else {
		for _, name := range []string{"ACPI loader", "ACPI root", "ACPI tables"} {
			steps = append(steps, Step{RTMR: 0, Name: name, Type: eventlog.PlatformConfigFlags, Unknown: true})
		}
	}
	steps = append(steps,
		step(0, "variable BootOrder", eventlog.EFIVariableBoot, []byte{0, 0}),
		step(0, "variable Boot0000", eventlog.EFIVariableBoot, firmwareMenu()))
	if i.Platform.SeparatorInRTMR0 {
		steps = append(steps, step(0, "separator before boot", eventlog.Separator, make([]byte, 4)))
	}
	return steps, nil
}

// kernelSteps are those of RTMR1.
func (i Image) kernelSteps() ([]Step, error) {
	if err := checkKernel(i.Kernel); err != nil {
		return nil, err
	}
	kernel := i.Kernel
	if !i.Platform.KernelAsIs {
		if strings.Contains(i.CommandLine, "vga=") {
			return nil, fmt.Errorf("%w: vga=", ErrCommandLine)
		}
		var err error
		if kernel, err = patchKernel(kernel, uint64(len(i.Initrd)), i.Memory); err != nil {
			return nil, err
		}
	}
	digest, err := authenticode(kernel)
	if err != nil {
		return nil, err
	}
	steps := []Step{
		{RTMR: 1, Name: "kernel", Type: eventlog.EFIBootServicesApplication, Digest: digest},
		step(1, "calling boot option", eventlog.EFIAction, []byte("Calling EFI Application from Boot Option")),
	}
	if !i.Platform.SeparatorInRTMR0 {
		steps = append(steps, step(1, "separator before boot", eventlog.Separator, make([]byte, 4)))
	}
	return append(steps,
		step(1, "leaving firmware", eventlog.EFIAction, []byte("Exit Boot Services Invocation")),
		step(1, "left firmware", eventlog.EFIAction, []byte("Exit Boot Services Returned with Success"))), nil
}

// commandSteps are those of RTMR2.
func (i Image) commandSteps() ([]Step, error) {
	for _, c := range []byte(i.CommandLine) {
		if c < ' ' || c > '~' {
			return nil, fmt.Errorf("%w: byte %#x", ErrCommandLine, c)
		}
	}
	if i.CommandLine == "" {
		return nil, fmt.Errorf("%w: empty", ErrCommandLine)
	}
	line := i.CommandLine
	if len(i.Initrd) > 0 {
		line += " initrd=initrd" // by the firmware: the name it gives the file
	}
	steps := []Step{step(2, "command line", eventlog.EventTag, append(wide(line), 0, 0))}
	if len(i.Initrd) > 0 {
		steps = append(steps, step(2, "initial RAM disk", eventlog.EventTag, i.Initrd))
	}
	return steps, nil
}

// eventSteps are those of RTMR3, which is extended with the SHA-384 of each
// event's digest.
func (i Image) eventSteps() ([]Step, error) {
	if len(i.Events) > attest.MaxEvents {
		return nil, fmt.Errorf("%w: %d", ErrEvents, len(i.Events))
	}
	var steps []Step
	for _, e := range i.Events {
		if len(e.Payload) > attest.MaxEventPayload {
			return nil, fmt.Errorf("%w: %s has %d bytes", ErrEvents, e.Name, len(e.Payload))
		}
		digest := e.Digest()
		steps = append(steps, step(3, "event "+e.Name, eventlog.EventTag, digest[:]))
	}
	return steps, nil
}

func step(rtmr int, name string, t eventlog.Type, measured []byte) Step {
	return Step{RTMR: rtmr, Name: name, Type: t, Digest: sha512.Sum384(measured)}
}

// wide is UTF-16.
func wide(s string) []byte {
	var b []byte
	for _, c := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, c)
	}
	return b
}
