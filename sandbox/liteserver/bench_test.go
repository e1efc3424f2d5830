package liteserver_test

import (
	"testing"

	"github.com/xssnick/tonutils-go/ton"
)

// BenchmarkSecureGetAccount is what a strict client needs for one account: its
// state with the whole chain of proofs, fetched over ADNL and verified.
func BenchmarkSecureGetAccount(b *testing.B) {
	w := newWorld(b, 0)
	api := w.tonutils(b, ton.ProofCheckPolicySecure)
	master, err := api.GetMasterchainInfo(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := api.GetAccount(b.Context(), master, plain); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "accounts/s")
}

func BenchmarkGetMethod(b *testing.B) {
	w := newWorld(b, 0)
	api := w.tonutils(b, ton.ProofCheckPolicySecure)
	master, err := api.GetMasterchainInfo(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := api.RunGetMethod(b.Context(), master, calculator, "difference", 5, 3); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}
