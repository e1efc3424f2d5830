package host

import (
	"bytes"
	"crypto/sha512"
	"fmt"
	"path"
)

const (
	// registerFile is that of Linux 6.16 and later.
	registerFile = "/sys/devices/virtual/misc/tdx_guest/measurements/rtmr3:sha384"
	// registersDir is of the patches for earlier kernels, which distributions have.
	registersDir = "/sys/kernel/config/tsm/rtmrs"
	registerNo   = "3"
	maxRegisters = 16
)

// digest is a value of RTMR3, or what extends it.
type digest [sha512.Size384]byte

// extend is RTMR3 after a value.
func (d digest) extend(by digest) digest { return sha512.Sum384(append(d[:], by[:]...)) }

// register finds the file of RTMR3: reading it gives the register, and writing a
// digest extends it.
func register(files Files) (string, error) {
	names, err := files.List(path.Dir(registerFile))
	if err == nil {
		for _, name := range names {
			if name == path.Base(registerFile) {
				return registerFile, nil
			}
		}
	}
	names, err = files.List(registersDir)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoRegister, err)
	}
	if len(names) > maxRegisters {
		return "", fmt.Errorf("%w: %s has %d entries", ErrNoRegister, registersDir, len(names))
	}
	for _, name := range names {
		index, err := files.Read(path.Join(registersDir, name, "index"), maxNumber)
		if err == nil && string(bytes.TrimSpace(index)) == registerNo {
			return path.Join(registersDir, name, "digest"), nil
		}
	}
	// There can be one entry for a register, which lives until the VM ends.
	dir := path.Join(registersDir, "rtmr"+registerNo)
	if err := files.MakeDir(dir); err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoRegister, err)
	}
	if err := files.Write(path.Join(dir, "index"), []byte(registerNo)); err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoRegister, err)
	}
	return path.Join(dir, "digest"), nil
}

// readRegister returns RTMR3.
func readRegister(files Files, name string) (digest, error) {
	b, err := files.Read(name, sha512.Size384)
	if err != nil {
		return digest{}, fmt.Errorf("%w: %w", ErrNoRegister, err)
	}
	if len(b) != sha512.Size384 {
		return digest{}, fmt.Errorf("%w: %s has %d bytes", ErrNoRegister, name, len(b))
	}
	return digest(b), nil
}
