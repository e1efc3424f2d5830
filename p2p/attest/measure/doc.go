// Package measure predicts the measurements of a TDX machine from the files it
// will boot, so that an operator knows its image before its first boot.
//
// One boot path is supported: QEMU's q35 machine with TDVF (OVMF built for TDX)
// as one file, and a Linux kernel with EFI stub given by -kernel, with or without
// -initrd, and -append. Flow of that path, and what is predicted from what:
//
//  1. MRTD: the pages that QEMU adds, in the order of the firmware's own table.
//     How QEMU orders adding and measuring depends on its version, see [Platform].
//  2. RTMR0: the memory map that QEMU hands over, which follows from the size of
//     memory; the firmware's variables; the ACPI tables; the boot menu.
//  3. RTMR1: the kernel, with or without the fields that QEMU writes into its
//     header, see [Platform]; and the steps of the boot.
//  4. RTMR2: the command line and the initial RAM disk, measured by the kernel.
//  5. RTMR3: the events of this project's node, given by the caller.
//
// What cannot be predicted is an input or is left out:
//
//   - ACPI tables follow from every device and the version of QEMU. They are an
//     input ([ACPI]), read from a machine of the same configuration; without them
//     RTMR0 is left out and [Measurements.Unknown] says so. The number of CPUs is
//     only in these tables.
//   - Versions of QEMU and firmware that measure differently are an input
//     ([Platform]).
//   - Firmware that has variables stored, such as keys for secure boot or a boot
//     menu, is refused: which key let a kernel pass is then measured too.
//   - Boot through GRUB, shim, a disk, Xen's PVH or td-shim, a device tree and
//     "vga=" on the command line are refused or not told apart: the first boot's
//     event log shows where it differs, see [Measurements.Compare].
//   - Attributes and XFAM, which are part of an image's digest, are set by QEMU
//     and are for the caller to add.
//
// Invariants: a prediction is a function of its inputs alone; no input makes it
// panic; a file that does not parse strictly gives an error and no measurements.
//
// Start reading in image.go, then in the file of the register at hand.
package measure
