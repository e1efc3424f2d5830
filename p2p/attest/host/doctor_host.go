package host

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

const (
	tdxParameter = "/sys/module/kvm_intel/parameters/tdx"
	snpParameter = "/sys/module/kvm_amd/parameters/sev_snp"
	qgsSocket    = "/var/run/tdx-qgs/qgs.socket"
	qgsConfig    = "/etc/qgs.conf"
	pccsConfig   = "/etc/sgx_default_qcnl.conf"
)

// hostIntel examines a machine that runs TDX VMs.
func (s System) hostIntel(ctx context.Context) []Finding {
	enabled := s.enabled("kvm_intel tdx", tdxParameter,
		"enable TDX in the BIOS, boot with kvm_intel.tdx=1 nohibernate, load kvm_intel again")
	return []Finding{
		s.kernel(6, 16, enabled.OK, "KVM runs TDX VMs"),
		enabled,
		s.tdxModule(ctx),
		s.present("sgx enclave", "/dev/sgx_enclave", "the quoting enclave is an SGX enclave", "enable SGX in the BIOS"),
		s.present("sgx provision", "/dev/sgx_provision", "the quoting enclave needs its provisioning key", "enable SGX in the BIOS; give qgsd's user the group sgx_prv"),
		s.present("vsock", "/dev/vhost-vsock", "VMs reach the quoting service through it", "modprobe vhost_vsock"),
		s.qgs(ctx),
		s.pccs(),
	}
}

// hostAMD examines a machine that runs SEV-SNP VMs.
func (s System) hostAMD() []Finding {
	enabled := s.enabled("kvm_amd sev_snp", snpParameter,
		"enable SEV-SNP in the BIOS (SMEE, SNP memory coverage), boot with kvm_amd.sev_snp=1")
	return []Finding{
		s.kernel(6, 11, enabled.OK, "KVM runs SEV-SNP VMs"),
		enabled,
		s.present("device", "/dev/sev", "it connects to the processor's trusted module", "load the module ccp; update the SEV firmware"),
	}
}

// enabled is a finding about a switch of KVM.
func (s System) enabled(name, file, fix string) Finding {
	value := s.text(file)
	found := value
	if found == "" {
		found = file + " is not there"
	}
	return finding(name, value == "Y" || value == "1", found, "KVM runs confidential VMs only when it is on", fix)
}

var moduleVersion = regexp.MustCompile(`(?:major_version |version:? )(\d+)(?:, minor_version |\.)(\d+)`)

// tdxModule looks for what the kernel said when it started the module: no file of
// all kernels has it.
func (s System) tdxModule(ctx context.Context) Finding {
	const why = "the TDX module runs the VMs; versions before 1.5 have known holes"
	const fix = "update the BIOS or the TDX module, and look at dmesg for virt/tdx"
	b, err := s.Run(ctx, "dmesg")
	if err != nil {
		return finding("tdx module", false, fmt.Sprintf("dmesg: %v", err), why, "run this as root; "+fix)
	}
	var started bool
	version, major, minor := "", 0, 0
	for l := range strings.Lines(string(b)) {
		if !strings.Contains(l, "tdx:") {
			continue
		}
		started = started || strings.Contains(l, "module initialized")
		if m := moduleVersion.FindStringSubmatch(l); m != nil {
			version = m[1] + "." + m[2]
			fmt.Sscanf(version, "%d.%d", &major, &minor)
		}
	}
	switch {
	case !started:
		return finding("tdx module", false, "the kernel did not start it", why, fix)
	case version == "":
		return finding("tdx module", true, "started, version not told", why, fix)
	}
	return finding("tdx module", major > 1 || major == 1 && minor >= 5, "version "+version, why, fix)
}

func (s System) qgs(ctx context.Context) Finding {
	const why = "the quoting service signs what a VM reports"
	where := "on a socket"
	if !s.exists(qgsSocket) {
		where = "on vsock"
		for l := range strings.Lines(s.text(qgsConfig)) {
			if key, value, ok := strings.Cut(l, "="); ok && strings.TrimSpace(key) == "port" {
				where = "on vsock port " + strings.TrimSpace(value)
			}
		}
	}
	b, err := s.Run(ctx, "systemctl", "is-active", "qgsd")
	// is-active fails for every state but one, and says which.
	state := strings.TrimSpace(string(b))
	if state == "" && err != nil {
		state = err.Error()
	}
	return finding("quoting service", state == "active", state+", "+where, why, "install tdx-qgs; systemctl enable --now qgsd")
}

var pccsURL = regexp.MustCompile(`(?m)^\s*,?\s*"(?:pccs_url|PCCS_URL)"\s*:\s*"(https://[^"\s]+)"`)

func (s System) pccs() Finding {
	const why = "the quoting service fetches this platform's certificates from a PCCS"
	found, ok := pccsConfig+" names none", false
	if m := pccsURL.FindStringSubmatch(s.text(pccsConfig)); m != nil {
		found, ok = m[1], true
	}
	return finding("pccs", ok, found, why, `set "pccs_url" in `+pccsConfig+", and register the platform with it")
}
