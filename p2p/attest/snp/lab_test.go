package snp_test

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/snp"
	"github.com/tussah-network/tussah/p2p/attest/snp/snpsim"
)

var errHook = errors.New("hook says no")

// authorities are made once: RSA keys are slow to make.
var authorities = map[snp.Product]func() (*snpsim.CA, error){
	snp.Milan: sync.OnceValues(func() (*snpsim.CA, error) { return snpsim.NewCA(snp.Milan) }),
	snp.Genoa: sync.OnceValues(func() (*snpsim.CA, error) { return snpsim.NewCA(snp.Genoa) }),
	snp.Turin: sync.OnceValues(func() (*snpsim.CA, error) { return snpsim.NewCA(snp.Turin) }),
}

// lab is an authority, a launch and a policy that accepts what was launched so.
type lab struct {
	ca     *snpsim.CA
	good   snpsim.Launch
	data   [64]byte
	policy attest.Policy
}

func newLab(t testing.TB, product snp.Product) *lab {
	t.Helper()
	ca, err := authorities[product]()
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{ca: ca, good: snpsim.Measure("good"), data: [64]byte{1, 2, 3}}
	l.policy = attest.Policy{
		AllowSimulated: true,
		EventsLater:    true,
		Image: func(image [32]byte) error {
			if image != l.good.Image() {
				return errHook
			}
			return nil
		},
		Platform: attest.AnyPlatform,
	}
	return l
}

func (l *lab) evidence(t testing.TB, launch snpsim.Launch, f snpsim.Faults) attest.Evidence {
	t.Helper()
	e, err := l.ca.FaultyPlatform("machine", f).VM(launch).Evidence(context.Background(), l.data)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (l *lab) appraise(report []byte) (attest.Appraisal, error) {
	return l.ca.Verifier().Appraise(attest.Evidence{TEE: attest.SNP, Report: report}, l.data, l.policy, time.Now())
}

// crls are one list for all products, or the reason why there is none.
type crls struct {
	list *x509.RevocationList
	err  error
}

func (c crls) CRL(string) (*x509.RevocationList, error) { return c.list, c.err }

func (l *lab) crl(t testing.TB, edit func(*x509.RevocationList)) crls {
	t.Helper()
	list, err := l.ca.FaultyCRL(edit)
	if err != nil {
		t.Fatal(err)
	}
	return crls{list: list}
}

func put(report []byte, at int, b ...byte) []byte {
	report = slices.Clone(report)
	copy(report[at:], b)
	return report
}

func flipped(report []byte, at int, bit uint) []byte { return put(report, at, report[at]^1<<bit) }

var other = sync.OnceValues(func() (*snpsim.CA, error) { return snpsim.NewCA(snp.Genoa) })
