package snpsim

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/snp"
)

var _ attest.Provider = (*VM)(nil)

// ErrNotAnnounced is the answer to an event that is not the next one announced:
// HOST_DATA was fixed at launch.
var ErrNotAnnounced = errors.New("snpsim: the VM was not launched to measure this event")

// Launch is what a report says about a VM besides REPORT_DATA, HOST_DATA, chip
// and firmware.
type Launch struct {
	snp.Launch
	Version      uint32
	PlatformInfo snp.PlatformInfo
}

// Measure returns the launch of a well-configured production VM whose image has
// the label's name. Equal labels have equal launches.
func Measure(label string) Launch {
	return Launch{
		Launch: snp.Launch{
			Measurement: sha512.Sum384([]byte("tussah/snpsim/v1\x00measurement\x00" + label)),
			// ABI 1.51, the bit that is always set, one socket.
			Policy: 1<<8 | 51 | 1<<17 | snp.PolicySingleSocket,
		},
		Version:      5,
		PlatformInfo: snp.PlatformTSME | snp.PlatformECC | snp.PlatformAliasCheck,
	}
}

// VM is a virtual machine on a simulated platform: it obtains evidence about
// itself. It is safe for concurrent use.
type VM struct {
	platform  *Platform
	launch    Launch
	announced []attest.Event

	mu struct {
		sync.Mutex
		measured int
	}
}

// TEE implements [attest.Provider].
func (vm *VM) TEE() attest.TEE { return attest.SNP }

// Measure implements [attest.Provider]. Events must come as announced.
func (vm *VM) Measure(_ context.Context, e attest.Event) error {
	vm.mu.Lock()
	defer vm.mu.Unlock()
	n := vm.mu.measured
	if n == len(vm.announced) || vm.announced[n].Name != e.Name || !bytes.Equal(vm.announced[n].Payload, e.Payload) {
		return fmt.Errorf("%w: %s", ErrNotAnnounced, e.Name)
	}
	vm.mu.measured++
	return nil
}

// Evidence implements [attest.Provider].
func (vm *VM) Evidence(_ context.Context, reportData [64]byte) (attest.Evidence, error) {
	vm.mu.Lock()
	events := slices.Clone(vm.announced[:vm.mu.measured])
	vm.mu.Unlock()
	p := vm.platform
	chip, err := p.enroll()
	if err != nil {
		return attest.Evidence{}, fmt.Errorf("simulate platform %q: %w", p.id, err)
	}
	signed := p.report(vm.launch, reportData, hostData(vm.announced))
	if p.faults.Report != nil {
		p.faults.Report(signed)
	}
	signature, err := sign(chip.key.(*ecdsa.PrivateKey), signed)
	if err != nil {
		return attest.Evidence{}, err
	}
	der := chip.certificate.Raw
	raw := append(signed, signature...)
	raw = binary.BigEndian.AppendUint32(raw, uint32(len(der)))
	return attest.Evidence{TEE: attest.SNP, Report: append(raw, der...), Events: events}, nil
}

// hostData is what the host sets for events that it lets the VM measure.
func hostData(events []attest.Event) [32]byte {
	register := make([]byte, 32)
	for _, e := range events {
		h, digest := sha256.New(), e.Digest()
		h.Write(register)
		h.Write(digest[:])
		register = h.Sum(nil)
	}
	return sha256.Sum256(append([]byte("tussah/host-data/snp/v1"), register...))
}

// report is the signed part of a report.
func (p *Platform) report(l Launch, reportData [64]byte, host [32]byte) []byte {
	le := binary.LittleEndian
	zero := func(b []byte, n int) []byte { return append(b, make([]byte, n)...) }
	var signer uint32
	if l.AuthorKey != [48]byte{} {
		signer |= 1
	}
	if p.faults.VLEK {
		signer |= 1 << 2
	}
	tcb, chip := tcbVersion(p.ca.product), p.ChipID()

	b := le.AppendUint32(nil, l.Version)
	b = le.AppendUint32(b, l.GuestSVN)
	b = le.AppendUint64(b, uint64(l.Policy))
	b = append(b, l.FamilyID[:]...)
	b = append(b, l.ImageID[:]...)
	b = le.AppendUint32(b, 0) // VMPL
	b = le.AppendUint32(b, 1) // ECDSA P-384 with SHA-384
	b = append(b, tcb...)
	b = le.AppendUint64(b, uint64(l.PlatformInfo))
	b = le.AppendUint32(b, signer)
	b = zero(b, 4)
	b = append(b, reportData[:]...)
	b = append(b, l.Measurement[:]...)
	b = append(b, host[:]...)
	b = append(b, l.IDKey[:]...)
	b = append(b, l.AuthorKey[:]...)
	id := sha256.Sum256(l.Measurement[:])
	b = append(b, id[:]...)                          // of the report's VM
	b = append(b, bytes.Repeat([]byte{0xff}, 32)...) // no migration agent
	b = append(b, tcb...)                            // reported
	b = append(b, p.cpuid(l.Version)...)             // family, model, stepping
	b = zero(b, 21)                                  //
	b = append(b, chip[:]...)                        //
	b = append(b, tcb...)                            // committed
	b = append(b, 21, 55, 1, 0, 21, 55, 1, 0)        // firmware build, minor, major: current, committed
	b = append(b, tcb...)                            // at launch
	return zero(b, 0x2a0-len(b))
}

func (p *Platform) cpuid(version uint32) []byte {
	if version < 3 {
		return []byte{0, 0, 0}
	}
	switch p.ca.product {
	case snp.Milan:
		return []byte{0x19, 0x01, 1}
	case snp.Turin:
		return []byte{0x1a, 0x02, 1}
	}
	return []byte{0x19, 0x11, 1}
}

// tcbVersion lays the firmware's levels out as the product does.
func tcbVersion(p snp.Product) []byte {
	t := firmware(p)
	if p == snp.Turin {
		return []byte{t.FMC, t.Bootloader, t.TEE, t.SNP, 0, 0, 0, t.Microcode}
	}
	return []byte{t.Bootloader, t.TEE, 0, 0, 0, 0, t.SNP, t.Microcode}
}

// sign makes the signature's 512 bytes: r and s in 72 little-endian bytes each.
func sign(key *ecdsa.PrivateKey, signed []byte) ([]byte, error) {
	digest := sha512.Sum384(signed)
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	signature := make([]byte, 512)
	for i, n := range []*big.Int{r, s} {
		number := n.FillBytes(make([]byte, 72))
		slices.Reverse(number)
		copy(signature[72*i:], number)
	}
	return signature, nil
}
