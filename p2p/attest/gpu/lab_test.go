package gpu_test

import (
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/gpu"
	"github.com/tussah-network/tussah/p2p/attest/gpu/gpusim"
)

// lab is a simulated GPU, what its evidence is judged by, and a policy that
// accepts it. A test changes one thing.
type lab struct {
	manufacturer *gpusim.Manufacturer
	gpu          *gpusim.GPU
	question     gpu.Question
	collateral   gpu.Collateral
	policy       gpu.Policy
	now          time.Time
	// damage changes evidence before it is encoded.
	damage func([]gpu.Device) []gpu.Device
}

func newLab(t testing.TB, o gpusim.Options) *lab {
	t.Helper()
	m, err := gpusim.NewManufacturer(o)
	if err != nil {
		t.Fatal(err)
	}
	g, err := m.NewGPU()
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{manufacturer: m, gpu: g, now: time.Now()}
	l.question = gpu.Question{Nonce: [32]byte{1, 2, 3}, Asked: l.now.Add(-time.Second), CC: gpu.CCOn}
	l.collateral = gpu.Collateral{RIM: m.RIM, Revocations: &gpu.Revocations{Date: l.now.Add(-time.Hour), IDs: map[[32]byte]struct{}{}}}
	l.policy = gpu.Policy{
		Models:         map[string]gpu.Model{"GH100": {SKUs: []string{"1010_0200_882"}, MinDriver: "550.90.07", MinVBIOS: "96.00.9F.00.01"}},
		Device:         gpu.AnyDevice,
		AllowSimulated: true,
		SimulatedRoots: m.Roots(),
	}
	return l
}

func (l *lab) evidence(t testing.TB) []byte {
	t.Helper()
	d, err := l.gpu.Evidence(l.question.Nonce)
	if err != nil {
		t.Fatal(err)
	}
	devices := []gpu.Device{d}
	if l.damage != nil {
		devices = l.damage(devices)
	}
	b, err := gpu.Encode(devices)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (l *lab) appraise(evidence []byte) (attest.GPUs, error) {
	return gpu.Appraise(evidence, l.question, l.collateral, l.policy, l.now)
}

// refuses checks that evidence is refused by the step of this refusal.
func (l *lab) refuses(t *testing.T, want *attest.Refusal) {
	t.Helper()
	got, err := l.appraise(l.evidence(t))
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
	if first, ok := errors.AsType[*attest.Refusal](err); !ok || first != want {
		t.Errorf("code of %v", first)
	}
	if len(got.Devices) != 0 {
		t.Errorf("a refusal came with %+v", got)
	}
}

// document publishes a changed version of one of the GPU's documents.
func (l *lab) document(t *testing.T, change func(driver, vbios *gpusim.Document)) {
	t.Helper()
	driver, vbios := l.manufacturer.Documents(l.gpu)
	change(&driver, &vbios)
	for _, d := range []gpusim.Document{driver, vbios} {
		if err := l.manufacturer.Publish(d); err != nil {
			t.Fatal(err)
		}
	}
}

// edit replaces text in all documents after they were signed.
func (l *lab) edit(change func(string) string) {
	l.collateral.RIM = func(id string) ([]byte, error) {
		b, err := l.manufacturer.RIM(id)
		return []byte(change(string(b))), err
	}
}

func TestAccepts(t *testing.T) {
	l := newLab(t, gpusim.Options{})
	evidence := l.evidence(t)
	got, err := l.appraise(evidence)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := gpu.DeviceIDs(evidence)
	if err != nil {
		t.Fatal(err)
	}
	want := attest.GPU{ID: ids[0], Model: "GH100", Driver: "550.90.07", VBIOS: "96.00.9F.00.01"}
	if got.Evidence != gpu.Digest(evidence) || len(got.Devices) != 1 || got.Devices[0] != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// Eight devices share two documents.
func TestAcceptsSeveral(t *testing.T) {
	l := newLab(t, gpusim.Options{})
	c := gpusim.Collector{l.gpu}
	for len(c) < 8 {
		g, err := l.manufacturer.NewGPU()
		if err != nil {
			t.Fatal(err)
		}
		c = append(c, g)
	}
	devices, err := c.Collect(t.Context(), l.question.Nonce)
	if err != nil {
		t.Fatal(err)
	}
	evidence, err := gpu.Encode(devices)
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	l.collateral.RIM = func(id string) ([]byte, error) { read++; return l.manufacturer.RIM(id) }
	got, err := l.appraise(evidence)
	if err != nil || len(got.Devices) != 8 || read != 2 {
		t.Errorf("%v: %d devices, %d documents", err, len(got.Devices), read)
	}
}

// editAt returns options that change the certificates of one place.
func editAt(place gpusim.Place, change func(*x509.Certificate)) gpusim.Options {
	return gpusim.Options{Edit: func(p gpusim.Place, c *x509.Certificate) {
		if p == place {
			change(c)
		}
	}}
}
