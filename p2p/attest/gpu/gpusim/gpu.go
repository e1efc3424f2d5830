package gpusim

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/tussah-network/tussah/p2p/attest/gpu"
)

// Model is the chip that is simulated.
const Model = "GH100"

// GPU is a simulated GPU.
type GPU struct {
	Driver       string
	VBIOS        [5]byte // 96.00.9F.00.01
	Project      string
	ProjectSKU   string
	ChipSKU      string
	FWID         [48]byte
	Measurements [64][48]byte // by index of documents, from 0
	NVDEC0       bool
	// Extra are further fields of the opaque data; a nil value removes a field.
	Extra map[uint16][]byte

	chain []*x509.Certificate
	key   *ecdsa.PrivateKey
}

// Of the 64 measurements, a document says something about these.
const (
	vbiosMeasurements  = 12 // indices 0…11
	driverMeasurements = 36 // indices 12…35
)

// compositeDeviceID is the extension by which the firmware's certificate names
// device and firmware.
type compositeDeviceID struct {
	Version int
	Key     asn1.RawValue
	FWID    struct {
		Algorithm asn1.ObjectIdentifier
		Digest    []byte
	}
}

// NewGPU makes a GPU and writes the documents about its driver and VBIOS.
func (m *Manufacturer) NewGPU() (*GPU, error) {
	g := &GPU{
		Driver: "550.90.07", VBIOS: [5]byte{0x96, 0x00, 0x9f, 0x00, 0x01},
		Project: "1010", ProjectSKU: "0200", ChipSKU: "882",
		FWID: sha512.Sum384([]byte("firmware")), NVDEC0: true,
	}
	for i := range g.Measurements[:driverMeasurements] {
		g.Measurements[i] = sha512.Sum384(fmt.Appendf(nil, "measurement %d", i))
	}
	device, err := m.issue(DeviceIdentity, Model+" A01 GSP BROM", m.ids[2])
	if err != nil {
		return nil, err
	}
	id := compositeDeviceID{Version: 1, Key: asn1.RawValue{FullBytes: device.certificate.RawSubjectPublicKeyInfo}}
	id.FWID.Algorithm = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	id.FWID.Digest = g.FWID[:]
	extension, err := asn1.Marshal(id)
	if err != nil {
		return nil, err
	}
	firmware, err := m.issue(Firmware, Model+" A01 GSP FMC LF", device,
		pkix.Extension{Id: asn1.ObjectIdentifier{2, 23, 133, 5, 4, 1}, Value: extension})
	if err != nil {
		return nil, err
	}
	g.key = firmware.key
	g.chain = []*x509.Certificate{firmware.certificate, device.certificate, m.ids[2].certificate, m.ids[1].certificate, m.ids[0].certificate}

	driver, vbios := m.Documents(g)
	for _, d := range []Document{driver, vbios} {
		if err := m.Publish(d); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// Certificates are the GPU's, firmware first, root last.
func (g *GPU) Certificates() []*x509.Certificate { return g.chain }

// Evidence answers a nonce.
func (g *GPU) Evidence(nonce [32]byte) (gpu.Device, error) {
	report := append([]byte{0x11, 0xe0, 0x01, 0xff}, nonce[:]...)
	report = append(report, 0)
	report = append(report, 0x11, 0x60, 0, 0, 64, 0xc0, 0x0d, 0)
	for i, m := range g.Measurements {
		report = append(report, byte(i+1), 1, 51, 0, 1, 48, 0)
		report = append(report, m[:]...)
	}
	report = append(report, make([]byte, 32)...)
	if _, err := rand.Read(report[len(report)-32:]); err != nil {
		return gpu.Device{}, err
	}
	opaque := g.opaque()
	report = append(binary.LittleEndian.AppendUint16(report, uint16(len(opaque))), opaque...)

	sum := sha512.Sum384(report)
	r, s, err := ecdsa.Sign(rand.Reader, g.key, sum[:])
	if err != nil {
		return gpu.Device{}, err
	}
	d := gpu.Device{Report: append(report, r.FillBytes(make([]byte, 48))...)}
	d.Report = append(d.Report, s.FillBytes(make([]byte, 48))...)
	for _, c := range g.chain {
		d.Chain = append(d.Chain, c.Raw)
	}
	return d, nil
}

// opaque writes the fields that a device reports about itself.
func (g *GPU) opaque() []byte {
	decoder := byte(0x55)
	if g.NVDEC0 {
		decoder = 0xaa
	}
	v := g.VBIOS
	fields := map[uint16][]byte{
		3:  append([]byte(g.Driver), 0),
		6:  {v[3], v[2], v[1], v[0], v[4], 0, 0, 0},
		11: {decoder},
		15: append([]byte(g.ChipSKU), 0, 0),
		17: append([]byte(g.Project), 0),
		18: append([]byte(g.ProjectSKU), 0),
		20: g.FWID[:],
		21: {0x55},
	}
	for id, value := range g.Extra {
		fields[id] = value
	}
	ids := make([]uint16, 0, len(fields))
	for id, value := range fields {
		if value != nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	var b []byte
	for _, id := range ids {
		b = binary.LittleEndian.AppendUint16(b, id)
		b = binary.LittleEndian.AppendUint16(b, uint16(len(fields[id])))
		b = append(b, fields[id]...)
	}
	return b
}

// Collector answers for several GPUs, as the machine they are in would.
type Collector []*GPU

var _ gpu.Collector = Collector(nil)

// Collect implements [gpu.Collector].
func (c Collector) Collect(ctx context.Context, nonce [32]byte) ([]gpu.Device, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	devices := make([]gpu.Device, len(c))
	for i, g := range c {
		var err error
		if devices[i], err = g.Evidence(nonce); err != nil {
			return nil, err
		}
	}
	return devices, nil
}
