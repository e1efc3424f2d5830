package tdx_test

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// realCollateral reads answers of the manufacturer, kept outside the repository.
func realCollateral(t testing.TB, name string) tdx.Collateral {
	t.Helper()
	var kept map[string]string
	if err := json.Unmarshal(vector(t, name), &kept); err != nil {
		t.Fatal(err)
	}
	der := func(key string) []byte {
		b, err := hex.DecodeString(kept[key])
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	answer := func(name, key string) []byte {
		return []byte(`{"` + name + `":` + kept[key] + `,"signature":"` + kept[key+"_signature"] + `"}`)
	}
	return tdx.Collateral{
		TCBInfo:         answer("tcbInfo", "tcb_info"),
		TCBInfoChain:    []byte(kept["tcb_info_issuer_chain"]),
		QEIdentity:      answer("enclaveIdentity", "qe_identity"),
		QEIdentityChain: []byte(kept["qe_identity_issuer_chain"]),
		RootCRL:         der("root_ca_crl"),
		PCKCRL:          der("pck_crl"),
		PCKCRLChain:     []byte(kept["pck_crl_issuer_chain"]),
	}
}

// Dates inside of which everything in a file of real collateral is in force.
var (
	july2025  = time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC)
	march2026 = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
)

func TestRealCollateral(t *testing.T) {
	root := intelRoot(t, canonical(t, vector(t, "tdx_quote")))
	for _, c := range []struct {
		file       string
		now        time.Time
		fmspc      [6]byte
		evaluation uint32
		expires    time.Time
	}{
		{"tdx_quote_collateral.json", july2025, [6]byte{0xb0, 0xc0, 0x6f}, 17, time.Date(2025, 7, 19, 10, 0, 35, 0, time.UTC)},
		{"tdx_quote_outdated_collateral.json", march2026, [6]byte{0x90, 0xc0, 0x6f}, 18, time.Date(2026, 3, 20, 10, 41, 15, 0, time.UTC)},
	} {
		t.Run(c.file, func(t *testing.T) {
			raw := realCollateral(t, c.file)
			v, err := tdx.ParseCollateral(raw, []*x509.Certificate{root}, c.now)
			if err != nil {
				t.Fatal(err)
			}
			if v.FMSPC() != c.fmspc || v.PCEID() != [2]byte{} || v.CA() != tdx.PlatformCA || v.TCBEvaluation() != c.evaluation ||
				v.QEEvaluation() != c.evaluation || v.RootCRLNumber() != 1 || v.PCKCRLNumber() != 1 {
				t.Errorf("verified as FMSPC %x, PCEID %x, %s CA, evaluations %d and %d, lists %d and %d", v.FMSPC(), v.PCEID(), v.CA(),
					v.TCBEvaluation(), v.QEEvaluation(), v.RootCRLNumber(), v.PCKCRLNumber())
			}
			if !v.Expires().Equal(c.expires) {
				t.Errorf("expires %v, want %v", v.Expires(), c.expires)
			}
			for name, now := range map[string]time.Time{"before": v.Issued().Add(-time.Hour), "after": v.Expires().Add(time.Hour)} {
				if _, err := tdx.ParseCollateral(raw, []*x509.Certificate{root}, now); !errors.Is(err, tdx.ErrCollateralDates) {
					t.Errorf("%s: got %v, want %v", name, err, tdx.ErrCollateralDates)
				}
			}
			if _, err := tdx.ParseCollateral(raw, nil, c.now); err != nil {
				t.Errorf("Intel's root is known by its key: %v", err)
			}
			if _, err := v.Collateral(c.fmspc, tdx.ProcessorCA); !errors.Is(err, attest.ErrNoCollateral) {
				t.Errorf("other CA: got %v, want %v", err, attest.ErrNoCollateral)
			}
		})
	}
}
