package host

import (
	"context"
	"fmt"
	"os/exec"
	"path"
	"slices"
	"strings"
	"time"
)

// Finding is one thing that the doctor looked at.
type Finding struct {
	Name  string
	OK    bool
	Found string // what there is
	Why   string // what it is needed for
	Fix   string // what to do; empty when OK
}

// System is what the doctor examines.
type System struct {
	Files Files
	// Run runs a program and returns what it printed.
	Run func(ctx context.Context, name string, args ...string) ([]byte, error)
	// Synchronised says whether the clock follows a time server.
	Synchronised func() (bool, error)
}

// Local is the machine that this process runs on.
func Local() System {
	return System{Files: machine{}, Run: run, Synchronised: synchronised}
}

const (
	maxText   = 64 << 10 // a file that the doctor reads
	maxOutput = 8 << 20  // a program's output: kernel messages are long
	patience  = 10 * time.Second
)

func run(ctx context.Context, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	b, err := exec.CommandContext(ctx, name, args...).Output()
	if len(b) > maxOutput {
		b = b[len(b)-maxOutput:]
	}
	return b, err
}

// Doctor examines a machine for what it needs to give evidence, or, when it is no
// VM, to run VMs that do. It changes nothing except that it asks for one report.
func Doctor(ctx context.Context, s System) []Finding {
	cpu := s.text("/proc/cpuinfo")
	flags := strings.Fields(line(cpu, "flags"))
	guest := slices.Contains(flags, "hypervisor")
	amd := strings.Contains(line(cpu, "vendor_id"), "AuthenticAMD")
	var findings []Finding
	switch {
	case guest:
		findings = s.guest(ctx, amd)
	case amd:
		findings = s.hostAMD()
	default:
		findings = s.hostIntel(ctx)
	}
	return append(findings, s.gpu(ctx), s.clock())
}

// finding makes one, and drops the fix where there is nothing to mend.
func finding(name string, ok bool, found, why, fix string) Finding {
	if ok {
		fix = ""
	}
	return Finding{name, ok, found, why, fix}
}

// text is a file's text, empty when it cannot be read: the doctor then finds that
// nothing is there, which is what the fix is for.
func (s System) text(name string) string {
	b, err := s.Files.Read(name, maxText)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

func (s System) exists(name string) bool {
	names, err := s.Files.List(path.Dir(name))
	return err == nil && slices.Contains(names, path.Base(name))
}

// present is a finding about a file.
func (s System) present(name, file, why, fix string) Finding {
	ok := s.exists(file)
	found := file
	if !ok {
		found += " is not there"
	}
	return finding(name, ok, found, why, fix)
}

// kernel is a finding about the kernel's version, which older kernels with the
// feature patched in need not have.
func (s System) kernel(major, minor int, patched bool, why string) Finding {
	release := s.text("/proc/sys/kernel/osrelease")
	var gotMajor, gotMinor int
	_, err := fmt.Sscanf(release, "%d.%d", &gotMajor, &gotMinor)
	ok := patched || err == nil && (gotMajor > major || gotMajor == major && gotMinor >= minor)
	found := release
	if found == "" {
		found = "unknown"
	}
	return finding("kernel", ok, found, why, fmt.Sprintf("boot Linux %d.%d or later", major, minor))
}

func (s System) gpu(ctx context.Context) Finding {
	const why = "a GPU outside confidential computing mode lets its host read models and prompts"
	if !s.exists("/dev/nvidia0") {
		return finding("gpu", true, "no NVIDIA GPU in use here", why, "")
	}
	const fix = "set the mode on the host (nvidia_gpu_tools --set-cc-mode=on --reset-after-cc-mode-switch) and start the VM again"
	b, err := s.Run(ctx, "nvidia-smi", "conf-compute", "-f")
	found := strings.TrimSpace(string(b))
	if err != nil {
		return finding("gpu", false, fmt.Sprintf("nvidia-smi: %v", err), why, "install NVIDIA's driver with nvidia-smi; then "+fix)
	}
	_, state, _ := strings.Cut(found, ":")
	return finding("gpu", strings.EqualFold(strings.TrimSpace(state), "on"), found, why, fix)
}

func (s System) clock() Finding {
	ok, err := s.Synchronised()
	found := "synchronised"
	switch {
	case err != nil:
		ok, found = false, err.Error()
	case !ok:
		found = "not synchronised"
	}
	return finding("clock", ok, found, "certificates and collateral are judged at this time", "run a time service, such as chrony")
}

// line is the value of a "name : value" line.
func line(text, name string) string {
	for l := range strings.Lines(text) {
		if key, value, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
