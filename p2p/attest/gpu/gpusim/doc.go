// Package gpusim simulates NVIDIA GPUs and their manufacturer: real formats,
// own roots, no hardware.
//
//  1. [NewManufacturer] makes the roots of devices and of reference measurements,
//     and what lies between them and the certificates that count.
//  2. [Manufacturer.NewGPU] makes a GPU with keys and a certificate chain;
//     [GPU.Evidence] answers a nonce.
//  3. [Manufacturer.RIM] writes the signed reference measurements of GPUs made so far.
//
// Whatever is made here says so: certificates carry gpu.SimulatedOrganisation, and
// package gpu refuses them unless a policy admits their root by key. The documents
// are written in two forms, as delivered and as signed, by code that shares
// nothing with the code that checks them.
//
// The fields of a [GPU] may be changed before it answers, to be refused for it.
package gpusim
