package toncenter_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tussah-network/tussah/sandbox/toncenter"
)

// BenchmarkCall is the time from request to answer, without a network.
func BenchmarkCall(b *testing.B) {
	w := newWorld(b)
	api := toncenter.New(w.Chain, toncenter.Options{})
	a := w.counter.String()
	for _, call := range []struct {
		method string
		p      object
	}{
		{"getMasterchainInfo", object{}},
		{"getAddressInformation", object{"address": a}},
		{"getTransactions", object{"address": a}},
		{"runGetMethod", object{"address": a, "method": "counter", "stack": []any{}}},
	} {
		body := string(encode(b, object{"method": call.method, "params": call.p}))
		b.Run(call.method, func(b *testing.B) {
			for b.Loop() {
				w := httptest.NewRecorder()
				api.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/api/v2/jsonRPC", strings.NewReader(body)))
				if w.Code != http.StatusOK {
					b.Fatal(w.Body)
				}
			}
		})
	}
}
