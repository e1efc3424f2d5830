package measure

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
)

// maxKernel bounds a kernel. Those of distributions have 10 to 20 MiB.
const maxKernel = 256 << 20

// The header of a Linux kernel for x86, at these offsets of its file.
const (
	kernelMagic     = 0x202 // "HdrS"
	kernelProtocol  = 0x206 // u16, version of the boot protocol
	kernelLoader    = 0x210 // u8, who loads it
	kernelFlags     = 0x211 // u8
	kernelInitrd    = 0x218 // u32 address
	kernelInitrdLen = 0x21c // u32
	kernelHeapEnd   = 0x224 // u16
	kernelCommand   = 0x228 // u32 address
	kernelInitrdMax = 0x22c // u32, highest address of an initial RAM disk
	kernelXFlags    = 0x236 // u16
	kernelHeaderEnd = 0x268
)

// patchKernel writes what QEMU does into the kernel's header: where it would put
// command line and initial RAM disk if firmware had not loaded them itself.
func patchKernel(kernel []byte, initrd uint64, size uint64) ([]byte, error) {
	const (
		loadedHigh = 1 << 0
		useHeap    = 1 << 7
		above4GiB  = 1 << 1

		qemu         = 0xb0
		realMode     = 0x10000
		commandLine  = 0x20000
		realModeHead = 0x200
		acpiData     = 0x28000 // kept free of the initial RAM disk
	)
	le := binary.LittleEndian
	b := bytes.Clone(kernel)
	b[kernelLoader] = qemu
	if b[kernelFlags]&loadedHigh == 0 {
		return nil, fmt.Errorf("%w: it is not to be loaded above 1 MiB", ErrKernel)
	}
	b[kernelFlags] |= useHeap
	le.PutUint16(b[kernelHeapEnd:], commandLine-realMode-realModeHead)
	le.PutUint32(b[kernelCommand:], commandLine)
	if initrd == 0 {
		return b, nil
	}
	highest := uint64(math.MaxUint32)
	if le.Uint16(b[kernelXFlags:])&above4GiB == 0 {
		highest = uint64(le.Uint32(b[kernelInitrdMax:]))
	}
	low := lowMemory(size)
	if low <= acpiData {
		return nil, fmt.Errorf("%w: memory has %d bytes", ErrInitrd, size)
	}
	highest = min(highest, low-acpiData-1)
	if initrd >= highest {
		return nil, fmt.Errorf("%w: %d bytes", ErrInitrd, initrd)
	}
	le.PutUint32(b[kernelInitrd:], uint32((highest-initrd)&^(pageSize-1)))
	le.PutUint32(b[kernelInitrdLen:], uint32(initrd))
	return b, nil
}

// checkKernel refuses what is no kernel that a TD can boot: those came with
// version 2.15 of the boot protocol, all header fields used here with 2.12.
func checkKernel(kernel []byte) error {
	if len(kernel) < kernelHeaderEnd || len(kernel) > maxKernel {
		return fmt.Errorf("%w: %d bytes", ErrKernel, len(kernel))
	}
	if string(kernel[kernelMagic:][:4]) != "HdrS" {
		return fmt.Errorf("%w: no header", ErrKernel)
	}
	if protocol := binary.LittleEndian.Uint16(kernel[kernelProtocol:]); protocol < 0x20c || protocol > 0x2ff {
		return fmt.Errorf("%w: boot protocol %#x", ErrKernel, protocol)
	}
	return nil
}
