package host_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tussah-network/tussah/p2p/attest/eventlog"
	"github.com/tussah-network/tussah/p2p/attest/host"
)

// bad are the names of what is not OK. Each such finding has a fix, others none.
func bad(t *testing.T, findings []host.Finding) (names []string) {
	t.Helper()
	for _, f := range findings {
		if f.Name == "" || f.Found == "" || f.Why == "" || f.OK != (f.Fix == "") {
			t.Errorf("incomplete: %+v", f)
		}
		if !f.OK {
			names = append(names, f.Name)
		}
	}
	return names
}

// system is a fake machine; outputs are by the whole command.
func system(k *kernel, synchronised bool, outputs map[string]string) host.System {
	return host.System{
		Files:        k,
		Synchronised: func() (bool, error) { return synchronised, nil },
		Run: func(_ context.Context, name string, args ...string) ([]byte, error) {
			out, ok := outputs[strings.Join(append([]string{name}, args...), " ")]
			if !ok {
				return nil, errors.New("not installed")
			}
			return []byte(out), nil
		},
	}
}

func goodGuest(t *testing.T) *kernel {
	t.Helper()
	log, err := (&eventlog.Log{Algorithms: []eventlog.Algorithm{eventlog.SHA384}}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	k := newKernel()
	for name, text := range map[string]string{
		"/proc/cpuinfo":              "vendor_id\t: GenuineIntel\nflags\t\t: fpu hypervisor tdx_guest\n",
		"/proc/sys/kernel/osrelease": "6.17.0-generic\n",
		"/proc/mounts":               "none /sys/kernel/config configfs rw 0 0\n",
		"/dev/tdx_guest":             "", "/dev/nvidia0": "",
		"/sys/firmware/acpi/tables/data/CCEL": string(log),
	} {
		k.files[name] = text
	}
	return k
}

func goodHost(vendor string) *kernel {
	k := newKernel()
	k.files = map[string]string{
		"/proc/cpuinfo":                        "vendor_id\t: " + vendor + "\nflags\t\t: fpu\n",
		"/proc/sys/kernel/osrelease":           "6.16.3\n",
		"/sys/module/kvm_intel/parameters/tdx": "Y\n", "/sys/module/kvm_amd/parameters/sev_snp": "Y\n",
		"/dev/sgx_enclave": "", "/dev/sgx_provision": "", "/dev/vhost-vsock": "", "/dev/sev": "",
		"/etc/qgs.conf":              "port = 4050\n",
		"/etc/sgx_default_qcnl.conf": "{\n  // comment\n  \"pccs_url\": \"https://localhost:8081/sgx/certification/v4/\"\n}\n",
	}
	return k
}

var (
	gpuOn  = map[string]string{"nvidia-smi conf-compute -f": "CC status: ON\n"}
	hostOK = map[string]string{
		"dmesg":                    "[1.0] virt/tdx: module initialized\n[1.1] virt/tdx: TDX module: attributes 0x0, vendor_id 0x8086, major_version 1, minor_version 5, build_date 20240725\n",
		"systemctl is-active qgsd": "active\n",
	}
)

func TestDoctor(t *testing.T) {
	guest := func(change func(*kernel)) *kernel { k := goodGuest(t); change(k); return k }
	intel := func(change func(*kernel)) *kernel { k := goodHost("GenuineIntel"); change(k); return k }
	for name, c := range map[string]struct {
		system host.System
		want   []string
	}{
		"good guest": {system(goodGuest(t), true, gpuOn), nil},
		"guest on an old kernel": {system(guest(func(k *kernel) {
			k.files["/proc/sys/kernel/osrelease"] = "5.15.0"
			delete(k.files, reports+"/.keep")
			delete(k.files, rtmr3File)
			delete(k.files, "/proc/mounts")
			delete(k.files, "/sys/firmware/acpi/tables/data/CCEL")
		}), true, gpuOn), []string{"kernel", "configfs", "reports", "report", "rtmr3", "event log"}},
		"guest on a patched kernel": {system(guest(func(k *kernel) {
			k.files["/proc/sys/kernel/osrelease"] = "6.5.0"
			delete(k.files, rtmr3File)
			k.files[rtmrs+"/other/index"] = "2"
		}), true, gpuOn), nil},
		"guest without quoting service":  {system(guest(func(k *kernel) { k.fail["outblob"] = errors.New("timeout") }), true, gpuOn), []string{"report"}},
		"guest with a damaged log":       {system(guest(func(k *kernel) { k.files["/sys/firmware/acpi/tables/data/CCEL"] = "x" }), true, gpuOn), []string{"event log"}},
		"VM that is not confidential":    {system(guest(func(k *kernel) { delete(k.files, "/dev/tdx_guest") }), true, gpuOn), []string{"device"}},
		"GPU in the open, clock running": {system(goodGuest(t), false, map[string]string{"nvidia-smi conf-compute -f": "CC status: OFF\n"}), []string{"gpu", "clock"}},
		"GPU without its tool":           {system(goodGuest(t), true, nil), []string{"gpu"}},
		"no GPU":                         {system(guest(func(k *kernel) { delete(k.files, "/dev/nvidia0") }), true, nil), nil},
		"good AMD guest": {system(guest(func(k *kernel) {
			k.files["/proc/cpuinfo"] = "vendor_id : AuthenticAMD\nflags : hypervisor\n"
			k.files["/dev/sev-guest"] = ""
			k.provider = "sev_guest"
		}), true, gpuOn), nil},

		"good host": {system(goodHost("GenuineIntel"), true, hostOK), nil},
		"host with TDX off": {system(intel(func(k *kernel) {
			k.files["/sys/module/kvm_intel/parameters/tdx"] = "N"
			k.files["/proc/sys/kernel/osrelease"] = "6.8.0"
		}), true, map[string]string{"dmesg": "[1.0] nothing\n", "systemctl is-active qgsd": "inactive\n"}),
			[]string{"kernel", "kvm_intel tdx", "tdx module", "quoting service"}},
		"bare host": {system(intel(func(k *kernel) {
			for name := range k.files {
				if !strings.HasPrefix(name, "/proc/") {
					delete(k.files, name)
				}
			}
		}), true, nil), []string{"kvm_intel tdx", "tdx module", "sgx enclave", "sgx provision", "vsock", "quoting service", "pccs"}},
		"old TDX module": {system(goodHost("GenuineIntel"), true, map[string]string{
			"dmesg": "virt/tdx: module initialized\nvirt/tdx: module version 1.0\n", "systemctl is-active qgsd": "active"}), []string{"tdx module"}},
		"good AMD host": {system(goodHost("AuthenticAMD"), true, nil), nil},
		"AMD host with SNP off": {system(func() *kernel {
			k := goodHost("AuthenticAMD")
			k.files["/sys/module/kvm_amd/parameters/sev_snp"] = "N"
			k.files["/proc/sys/kernel/osrelease"] = "6.1.0"
			delete(k.files, "/dev/sev")
			return k
		}(), true, nil), []string{"kernel", "kvm_amd sev_snp", "device"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, bad(t, host.Doctor(t.Context(), c.system))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestDoctorHere is about not failing, whatever machine this is.
func TestDoctorHere(t *testing.T) { bad(t, host.Doctor(t.Context(), host.Local())) }

func ExampleDoctor() {
	k := goodHost("GenuineIntel")
	k.files["/sys/module/kvm_intel/parameters/tdx"] = "N\n"
	for _, f := range host.Doctor(context.Background(), system(k, true, hostOK)) {
		if !f.OK {
			fmt.Printf("%s: %s\n  %s\n  fix: %s\n", f.Name, f.Found, f.Why, f.Fix)
		}
	}
	// Output:
	// kvm_intel tdx: N
	//   KVM runs confidential VMs only when it is on
	//   fix: enable TDX in the BIOS, boot with kvm_intel.tdx=1 nohibernate, load kvm_intel again
}
