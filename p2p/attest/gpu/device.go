package gpu

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tussah-network/tussah/p2p/attest"
)

// device is one GPU of a candidate.
type device struct {
	*candidate
	evidence Device

	report *report
	chain  chain
	gpu    attest.GPU
	model  Model
	sku    string
	ids    [2]string // of the documents about driver and VBIOS
}

func (d *device) parseReport() (err error) {
	d.report, err = parseReport(d.evidence.Report)
	return err
}

func (d *device) parseChain() (err error) {
	d.chain, err = parseChain(d.evidence.Chain)
	return err
}

func (d *device) nonce() error {
	if !sameBytes(d.report.nonce[:], d.question.Nonce[:]) {
		return fmt.Errorf("nonce %x", d.report.nonce)
	}
	return nil
}

// simulated refuses a root that policy lists as simulated or that calls itself so.
func (d *device) simulated() error {
	if d.policy.AllowSimulated || KeyIDOf(d.chain.root()) == DeviceRoot {
		return nil
	}
	if slices.Contains(d.policy.SimulatedRoots, KeyIDOf(d.chain.root())) || simulated(d.chain.root()) {
		return fmt.Errorf("root %q", d.chain.root().Subject)
	}
	return nil
}

func (d *device) trustedRoot() error {
	if KeyIDOf(d.chain.root()) != DeviceRoot && !d.policy.simulates(d.chain) {
		return fmt.Errorf("root %q", d.chain.root().Subject)
	}
	return nil
}

// simulates tells whether a chain ends in a simulated root that policy admits.
func (p *Policy) simulates(c chain) bool {
	return p.AllowSimulated && slices.Contains(p.SimulatedRoots, KeyIDOf(c.root()))
}

func (d *device) profile() error   { return d.chain.profile() }
func (d *device) dates() error     { return d.chain.dates(d.now) }
func (d *device) certified() error { return d.chain.links() }
func (d *device) revoked() error   { return d.candidate.revoked(d.chain) }

func (d *device) signature() error {
	if !verifyRaw(d.chain.key(), d.report.signed, d.report.signature) {
		return errors.New("bad signature")
	}
	return nil
}

// firmware ties the key that signed to the firmware that the report names.
func (d *device) firmware() error {
	want, err := d.chain.fwid()
	if err != nil {
		return err
	}
	if got := d.report.opaque[opaqueFWID]; !sameBytes(got, want[:]) {
		return fmt.Errorf("report names %x, certificate %x", got, want)
	}
	return nil
}

func (d *device) allowedModel() error {
	model, err := d.chain.model()
	if err != nil {
		return err
	}
	var ok bool
	if d.model, ok = d.policy.Models[model]; !ok {
		return fmt.Errorf("model %q", model)
	}
	d.gpu = attest.GPU{ID: d.chain.deviceID(), Model: model}
	return nil
}

func (d *device) allowedSKU() (err error) {
	if d.sku, err = d.report.opaque.sku(); err != nil {
		return err
	}
	if !slices.Contains(d.model.SKUs, d.sku) {
		return fmt.Errorf("%s %s", d.gpu.Model, d.sku)
	}
	return nil
}

func (d *device) driverVersion() (err error) {
	if d.gpu.Driver, err = d.report.opaque.text(opaqueDriver); err != nil {
		return err
	}
	return atLeast(d.gpu.Driver, d.model.MinDriver, parseDriver)
}

func (d *device) vbiosVersion() (err error) {
	if d.gpu.VBIOS, err = d.report.opaque.vbios(); err != nil {
		return err
	}
	return atLeast(d.gpu.VBIOS, d.model.MinVBIOS, parseVBIOS)
}

// atLeast compares versions. A minimum that is missing or malformed is never met.
func atLeast(got, least string, parse func(string) (version, error)) error {
	v, err := parse(got)
	if err != nil {
		return err
	}
	minimum, err := parse(least)
	if err != nil {
		return fmt.Errorf("policy's minimum: %w", err)
	}
	if v.before(minimum) {
		return fmt.Errorf("%s, at least %s is wanted", got, least)
	}
	return nil
}

// exposed refuses protected PCIe: there, GPUs send plain text to each other
// through switches whose evidence is not part of this.
func (d *device) exposed() error {
	if feature := d.report.opaque.number(opaqueFeature); feature > 1 {
		return fmt.Errorf("feature %d", feature)
	}
	if _, present := d.report.opaque[opaquePPCIE]; !present {
		return nil // older firmware, which cannot do it
	}
	if on, ok := d.report.opaque.state(opaquePPCIE); on || !ok {
		return errors.New("protected PCIe")
	}
	return nil
}

// fetch finds the documents about the device.
func (d *device) fetch() error {
	if d.collateral.RIM == nil {
		return errors.New("there is no source")
	}
	d.ids = d.report.opaque.rimIDs(d.gpu.Model, d.sku, d.gpu.Driver, d.gpu.VBIOS)
	for _, id := range d.ids {
		if d.rims[id] != nil {
			continue
		}
		raw, err := d.collateral.RIM(id)
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		d.rims[id] = &rim{raw: raw}
	}
	return nil
}

// subject checks that the documents are about this device, and as simulated or
// genuine as it is. They do not carry their own id.
func (d *device) subject() error {
	for i, version := range []string{d.gpu.Driver, d.gpu.VBIOS} {
		r := d.rims[d.ids[i]]
		if r.product != d.gpu.Model || r.version != version {
			return fmt.Errorf("%s is about %q %q", d.ids[i], r.product, r.version)
		}
		if d.policy.simulates(r.chain) != d.policy.simulates(d.chain) {
			return fmt.Errorf("%s has the root %q", d.ids[i], r.chain.root().Subject)
		}
	}
	return nil
}

// nvdec0 is the one index with nothing to compare while that decoder is off.
const nvdec0 = 35

// measurements compares what the device measured with what the manufacturer
// expects. Documents count from 0, reports from 1.
func (d *device) measurements() error {
	driver, vbios := d.rims[d.ids[0]], d.rims[d.ids[1]]
	off := false
	if _, present := d.report.opaque[opaqueNVDEC0]; present {
		on, ok := d.report.opaque.state(opaqueNVDEC0)
		if !ok {
			return errors.New("state of NVDEC0")
		}
		off = !on
	}
	for i, got := range d.report.measurements {
		golden := driver.golden[i]
		if golden == nil {
			golden = vbios.golden[i]
		} else if vbios.golden[i] != nil {
			return fmt.Errorf("index %d is in both documents", i)
		}
		if golden == nil || i == nvdec0 && off {
			continue
		}
		if !slices.Contains(golden, got) {
			return fmt.Errorf("index %d is %x", i, got)
		}
	}
	return nil
}

func (d *device) allowed() error {
	if d.policy.Device == nil {
		return errors.New("policy allows no device")
	}
	if err := d.policy.Device(d.gpu); err != nil {
		return fmt.Errorf("%x: %w", d.gpu.ID, err)
	}
	return nil
}

// RIMs returns the manufacturer's ids of the documents of reference measurements
// that evidence will be judged by, for those who fetch them in time. They are
// read off evidence that nobody checked.
func RIMs(evidence []byte) ([]string, error) {
	devices, err := Decode(evidence)
	if err != nil {
		return nil, err
	}
	var all []string
	for i, e := range devices {
		d := &device{evidence: e}
		if err := d.names(); err != nil {
			return nil, fmt.Errorf("gpu: device %d: %w", i, err)
		}
		all = append(all, d.ids[:]...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func (d *device) names() error {
	if err := errors.Join(d.parseReport(), d.parseChain()); err != nil {
		return err
	}
	o := d.report.opaque
	model, err1 := d.chain.model()
	sku, err2 := o.sku()
	driver, err3 := o.text(opaqueDriver)
	vbios, err4 := o.vbios()
	d.ids = o.rimIDs(model, sku, driver, vbios)
	return errors.Join(err1, err2, err3, err4)
}
