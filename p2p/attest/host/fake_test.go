package host_test

import (
	"crypto/sha512"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tussah-network/tussah/p2p/attest/host"
)

const (
	reports    = "/sys/kernel/config/tsm/report"
	rtmrs      = "/sys/kernel/config/tsm/rtmrs"
	rtmr3File  = "/sys/devices/virtual/misc/tdx_guest/measurements/rtmr3:sha384"
	bootIDFile = "/proc/sys/kernel/random/boot_id"
)

// kernel is a fake of what a guest's kernel does behind its files.
type kernel struct {
	mu       sync.Mutex
	files    map[string]string // plain files
	dirs     []string          // made by us
	provider string
	rtmr3    [48]byte

	generation int
	disturb    int              // raises the generation once more
	fail       map[string]error // by base name, on any access
	block      chan struct{}    // outblob waits for it
	deaf       bool             // writing the register does nothing
}

func newKernel() *kernel {
	return &kernel{provider: "tdx_guest", fail: map[string]error{}, files: map[string]string{
		bootIDFile: "0b6c0a2e-7a5e-4b07-9a0e-3f5b1f0d5c11\n", reports + "/.keep": "", rtmr3File: "register",
	}}
}

func (k *kernel) Read(name string, limit int) ([]byte, error) {
	b, err := k.read(name)
	if err == nil && len(b) > limit {
		return nil, fmt.Errorf("%s is too large", name)
	}
	return b, err
}

func (k *kernel) read(name string) ([]byte, error) {
	if path.Base(name) == "outblob" && k.block != nil {
		<-k.block
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.fail[path.Base(name)]; err != nil {
		return nil, err
	}
	if name == rtmr3File || name == rtmrs+"/rtmr3/digest" {
		if _, ok := k.files[name]; ok || slices.Contains(k.dirs, path.Dir(name)) {
			return slices.Clone(k.rtmr3[:]), nil
		}
	}
	if slices.Contains(k.dirs, path.Dir(name)) {
		switch path.Base(name) {
		case "generation":
			return fmt.Appendln(nil, k.generation), nil
		case "provider":
			return []byte(k.provider + "\n"), nil
		}
	}
	if b, ok := k.files[name]; ok {
		return []byte(b), nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func (k *kernel) Write(name string, data []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.fail[path.Base(name)]; err != nil {
		return err
	}
	switch path.Base(name) {
	case "inblob":
		k.generation += 1 + k.disturb
		k.files[path.Dir(name)+"/outblob"] = "report of " + string(data)
	case "index":
		k.files[name] = string(data)
	case path.Base(rtmr3File), "digest":
		if !k.deaf {
			k.rtmr3 = sha512.Sum384(append(k.rtmr3[:], data...))
		}
	}
	return nil
}

func (k *kernel) List(dir string) ([]string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var names []string
	for name := range k.files {
		if rest, ok := strings.CutPrefix(name, dir+"/"); ok {
			names = append(names, strings.Split(rest, "/")[0])
		}
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) == 0 {
		return nil, fs.ErrNotExist
	}
	return names, nil
}

func (k *kernel) MakeDir(name string) error {
	if _, err := k.List(path.Dir(name)); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dirs = append(k.dirs, name)
	return nil
}

func (k *kernel) Remove(name string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if i := slices.Index(k.dirs, name); i >= 0 {
		k.dirs = slices.Delete(k.dirs, i, i+1)
		delete(k.files, name+"/outblob")
		return nil
	}
	return fs.ErrNotExist
}

func options(t *testing.T, k *kernel) host.Options {
	t.Helper()
	return host.Options{Files: k, RunDir: t.TempDir()}
}

// asIs is the form of reports in these tests: what the kernel gave.
func asIs(b []byte) ([]byte, error) { return b, nil }
