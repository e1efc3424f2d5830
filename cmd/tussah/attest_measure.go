package main

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/p2p/attest/eventlog"
	"github.com/tussah-network/tussah/p2p/attest/measure"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// Attributes and XFAM of a VM as QEMU starts it, which are part of an image's
// digest: SEPT_VE_DISABLE, and features up to AVX-512 and AMX.
const (
	usualAttributes = 1 << 28
	usualXFAM       = 0x602e7
)

type measureFlags struct {
	firmware, kernel, initrd, cmdline, memory string
	loader, rsdp, tables, log                 string
	attributes, xfam                          string
	platform                                  measure.Platform
}

func attestMeasureCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "measure --firmware FILE --kernel FILE --cmdline TEXT --memory SIZE",
		Short: "Predict what a TDX machine will measure, before its first boot",
		Long: `Predicts MRTD and RTMR0 to RTMR2 of a machine that QEMU boots with -kernel, and the digest under which a registry lists
its image. RTMR0 has the ACPI tables, which follow from every device: read them from a machine of the same configuration,
below /sys/firmware/qemu_fw_cfg/by_name/etc (table-loader/raw, acpi/rsdp/raw, acpi/tables/raw).

With --log, the event log of a machine that booted (/sys/firmware/acpi/tables/data/CCEL), the first difference in each
register is named, and the command fails if there is one.`,
		Args: cobra.NoArgs,
	}
	var f measureFlags
	flags := c.Flags()
	flags.StringVar(&f.firmware, "firmware", "", "TDVF (OVMF built for TDX), code and variables in one file")
	flags.StringVar(&f.kernel, "kernel", "", "Linux kernel with EFI stub")
	flags.StringVar(&f.initrd, "initrd", "", "initial RAM disk (default: none)")
	flags.StringVar(&f.cmdline, "cmdline", "", "the kernel's command line, as given to -append")
	flags.StringVar(&f.memory, "memory", "", "size of the machine's memory, such as 8G or 2048M")
	flags.StringVar(&f.loader, "acpi-loader", "", "table-loader/raw of a machine of the same configuration")
	flags.StringVar(&f.rsdp, "acpi-rsdp", "", "acpi/rsdp/raw, likewise")
	flags.StringVar(&f.tables, "acpi-tables", "", "acpi/tables/raw, likewise")
	flags.StringVar(&f.log, "log", "", "event log of a machine to compare with")
	flags.StringVar(&f.attributes, "attributes", fmt.Sprintf("%#x", usualAttributes), "attributes of the VM")
	flags.StringVar(&f.xfam, "xfam", fmt.Sprintf("%#x", usualXFAM), "features of the VM; a processor without AMX or with CET differs")
	flags.BoolVar(&f.platform.PagesFirst, "pages-first", false, "QEMU 8 and its TDX branches: pages are added first, then measured")
	flags.BoolVar(&f.platform.KernelAsIs, "kernel-as-is", false, "QEMU 10 with firmware of 2025: the kernel's header is left as it is")
	flags.BoolVar(&f.platform.SeparatorInRTMR0, "separator-in-rtmr0", false, "older firmware: the line before boot is drawn in RTMR0")
	for _, name := range []string{"firmware", "kernel", "cmdline", "memory"} {
		c.MarkFlagRequired(name)
	}
	c.MarkFlagsRequiredTogether("acpi-loader", "acpi-rsdp", "acpi-tables")
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		p, err := f.predict(c)
		if err != nil {
			return err
		}
		if *asJSON {
			err = printJSON(c, p)
		} else {
			p.print(c)
		}
		if err == nil && len(p.Differences) > 0 {
			err = hint(fmt.Errorf("the log differs from the prediction in %d register(s)", len(p.Differences)),
				"versions of QEMU and firmware differ: see --pages-first, --kernel-as-is and --separator-in-rtmr0")
		}
		return err
	}
	return c
}

// prediction is the command's result.
type prediction struct {
	Image       string            `json:"image,omitempty"` // empty if a register is unknown
	MRTD        string            `json:"mrtd"`
	RTMR        map[string]string `json:"rtmr"` // by number; unknown ones are not there
	Unknown     map[string]string `json:"unknown,omitempty"`
	Attributes  string            `json:"attributes"`
	XFAM        string            `json:"xfam"`
	Compared    bool              `json:"compared"`
	Differences []string          `json:"differences,omitempty"`
}

func (f measureFlags) image(c *cobra.Command) (image measure.Image, err error) {
	image = measure.Image{CommandLine: f.cmdline, Platform: f.platform}
	if image.Memory, err = parseMemory(f.memory); err != nil {
		return image, err
	}
	var acpi measure.ACPI
	for _, file := range []struct {
		name string
		to   *[]byte
	}{{f.firmware, &image.Firmware}, {f.kernel, &image.Kernel}, {f.initrd, &image.Initrd},
		{f.loader, &acpi.Loader}, {f.rsdp, &acpi.RSDP}, {f.tables, &acpi.Tables}} {
		if file.name == "" {
			continue
		}
		if *file.to, err = readBounded(c, file.name, maxAttestFile); err != nil {
			return image, err
		}
	}
	if f.loader != "" {
		image.ACPI = &acpi
	}
	return image, nil
}

func (f measureFlags) predict(c *cobra.Command) (p prediction, err error) {
	attributes, err := strconv.ParseUint(f.attributes, 0, 64)
	if err != nil {
		return p, fmt.Errorf("--attributes %q is no number", f.attributes)
	}
	xfam, err := strconv.ParseUint(f.xfam, 0, 64)
	if err != nil {
		return p, fmt.Errorf("--xfam %q is no number", f.xfam)
	}
	image, err := f.image(c)
	if err != nil {
		return p, err
	}
	m, err := measure.Predict(image)
	if err != nil {
		return p, err
	}
	p = prediction{MRTD: hex.EncodeToString(m.MRTD[:]), RTMR: map[string]string{}, Unknown: map[string]string{},
		Attributes: fmt.Sprintf("%#x", attributes), XFAM: fmt.Sprintf("%#x", xfam)}
	for _, u := range m.Unknown {
		p.Unknown[strconv.Itoa(u.RTMR)] = u.Why
	}
	registers := tdx.Registers{MRTD: m.MRTD, RTMR: [4]tdx.Register{m.RTMR0, m.RTMR1, m.RTMR2}}
	for i, r := range registers.RTMR[:3] {
		if number := strconv.Itoa(i); p.Unknown[number] == "" {
			p.RTMR[number] = hex.EncodeToString(r[:])
		}
	}
	if len(m.Unknown) == 0 {
		digest := registers.Image(attributes, xfam)
		p.Image = hex.EncodeToString(digest[:])
	}
	if f.log == "" {
		return p, nil
	}
	raw, err := readBounded(c, f.log, maxInspected)
	if err != nil {
		return p, err
	}
	log, err := eventlog.Parse(raw)
	if err != nil {
		return p, fmt.Errorf("%s: %w", f.log, err)
	}
	differences, err := m.Compare(log)
	if err != nil {
		return p, fmt.Errorf("%s: %w", f.log, err)
	}
	p.Compared = true
	for _, d := range differences {
		p.Differences = append(p.Differences, d.String())
	}
	return p, nil
}

func (p prediction) print(c *cobra.Command) {
	var s sayings
	if p.Image != "" {
		s.add("image", "%s", p.Image)
	} else {
		s.add("image", "unknown, as a register is")
	}
	s.add("MRTD", "%s", p.MRTD)
	for _, i := range []string{"0", "1", "2"} {
		if why := p.Unknown[i]; why != "" {
			s.add("RTMR"+i, "unknown: %s", why)
		} else {
			s.add("RTMR"+i, "%s", p.RTMR[i])
		}
	}
	s.add("RTMR3", "no part of the image: it has what nodes measure while they run")
	s.add("attributes", "%s", p.Attributes)
	s.add("XFAM", "%s", p.XFAM)
	w := c.OutOrStdout()
	s.print(w, "")
	for _, d := range p.Differences {
		fmt.Fprintf(w, "✗ %s\n", d)
	}
	if p.Compared && len(p.Differences) == 0 {
		fmt.Fprintln(w, "✓ the log agrees with the prediction")
	}
}

// parseMemory reads a size as QEMU takes it: a number with M or G.
func parseMemory(text string) (uint64, error) {
	units := map[string]uint64{"M": 1 << 20, "G": 1 << 30}
	for unit, size := range units {
		digits, ok := strings.CutSuffix(text, unit)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 64)
		if err == nil && n > 0 && n <= math.MaxInt64/size {
			return n * size, nil
		}
	}
	return 0, fmt.Errorf("--memory %q is no size, such as 8G or 2048M", text)
}
