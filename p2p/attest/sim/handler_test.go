package sim_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest/sim"
)

// answer is what one request to an authority's service brought.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// get asks a service over a real socket, and reads at most 1 MiB.
func get(t *testing.T, ctx context.Context, service http.Handler, path string) (answer, error) {
	t.Helper()
	server := httptest.NewServer(service)
	defer server.Close()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.Client().Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return answer{response.StatusCode, response.Header, body}, err
}

const (
	tcbInfoPath    = "/tdx/certification/v4/tcb?fmspc=90C06F000000"
	qeIdentityPath = "/tdx/certification/v4/qe/identity"
	pckCRLPath     = "/sgx/certification/v4/pckcrl?ca=platform&encoding=der"
)

func TestHandlerServesCollateral(t *testing.T) {
	ca := newCA(t)
	c, err := ca.Collateral()
	if err != nil {
		t.Fatal(err)
	}
	// Answers are issued anew, so they differ in dates and signatures; chains do not.
	start := func(b []byte) []byte { return b[:20] }
	for _, w := range []struct {
		path, kind, header string
		chain              []byte
		body               []byte // how the answer starts
		decode             func([]byte) []byte
	}{
		{path: tcbInfoPath, kind: "application/json", header: "TCB-Info-Issuer-Chain", chain: c.TCBInfoChain, body: start(c.TCBInfo)},
		{path: strings.ToLower(tcbInfoPath), kind: "application/json", header: "TCB-Info-Issuer-Chain", chain: c.TCBInfoChain, body: start(c.TCBInfo)},
		{path: qeIdentityPath, kind: "application/json", header: "SGX-Enclave-Identity-Issuer-Chain", chain: c.QEIdentityChain, body: start(c.QEIdentity)},
		{path: pckCRLPath, kind: "application/pkix-crl", header: "SGX-PCK-CRL-Issuer-Chain", chain: c.PCKCRLChain, body: c.PCKCRL[5:40],
			decode: func(b []byte) []byte { return b[5:] }},
		{path: "/sgx/certification/v4/pckcrl?ca=platform", kind: "application/x-pem-file", header: "SGX-PCK-CRL-Issuer-Chain", chain: c.PCKCRLChain, body: c.PCKCRL[5:40],
			decode: func(b []byte) []byte { block, _ := pem.Decode(b); return block.Bytes[5:] }},
		{path: "/sgx/certification/v4/rootcacrl", kind: "application/x-pem-file", body: c.RootCRL[5:40],
			decode: func(b []byte) []byte { der, _ := hex.DecodeString(string(b)); return der[5:] }},
		{path: "/IntelSGXRootCA.der", kind: "application/pkix-crl", body: c.RootCRL[5:40],
			decode: func(b []byte) []byte { return b[5:] }},
	} {
		t.Run(w.path, func(t *testing.T) {
			a, err := get(t, t.Context(), ca.Handler(sim.HandlerOptions{}), w.path)
			if err != nil {
				t.Fatal(err)
			}
			if a.status != http.StatusOK || a.header.Get("Content-Type") != w.kind {
				t.Errorf("status %d, type %q", a.status, a.header.Get("Content-Type"))
			}
			if w.header != "" {
				raw := a.header.Get(w.header)
				// Either way of decoding must do: there is no + to read as a blank.
				byQuery, err1 := url.QueryUnescape(raw)
				byPath, err2 := url.PathUnescape(raw)
				if err1 != nil || err2 != nil || byQuery != string(w.chain) || byPath != byQuery {
					t.Errorf("%s is not the chain: %.60q", w.header, raw)
				}
			}
			body := a.body
			if w.decode != nil {
				body = w.decode(body)
			}
			if !bytes.HasPrefix(body, w.body) {
				t.Errorf("body starts with %x, want %x", body[:min(len(body), len(w.body))], w.body)
			}
		})
	}
}

func TestHandlerRefuses(t *testing.T) {
	service := newCA(t).Handler(sim.HandlerOptions{})
	for path, want := range map[string]int{
		"/tdx/certification/v4/tcb?fmspc=90C06F0000":             http.StatusBadRequest,
		"/tdx/certification/v4/tcb?fmspc=00806F050000":           http.StatusNotFound,
		"/sgx/certification/v4/pckcrl?ca=processor&encoding=der": http.StatusBadRequest,
		"/sgx/certification/v4/tcb?fmspc=90C06F000000":           http.StatusNotFound,
	} {
		a, err := get(t, t.Context(), service, path)
		if err != nil || a.status != want || len(a.header["Content-Type"]) > 0 && want == http.StatusBadRequest {
			t.Errorf("%s: status %d, %v; want %d", path, a.status, err, want)
		}
	}
}

func TestHandlerFaults(t *testing.T) {
	ca := newCA(t)
	for _, c := range []struct {
		name  string
		fault sim.Fault
		check func(a answer, err error) bool
	}{
		{"not found", sim.NotFound, func(a answer, err error) bool { return err == nil && a.status == http.StatusNotFound }},
		{"unavailable", sim.Unavailable, func(a answer, err error) bool { return err == nil && a.status == http.StatusServiceUnavailable }},
		{"slow", sim.Slow, func(_ answer, err error) bool { return errors.Is(err, context.DeadlineExceeded) }},
		{"huge", sim.Huge, func(a answer, err error) bool { return err == nil && len(a.body) == 1<<20 }},
		{"truncated", sim.Truncated, func(_ answer, err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		{"wrong type", sim.WrongType, func(a answer, err error) bool { return err == nil && a.header.Get("Content-Type") == "text/html" }},
		{"no chain", sim.NoChain, func(a answer, err error) bool { return err == nil && a.header.Get("TCB-Info-Issuer-Chain") == "" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			patience := 30 * time.Second
			if c.fault == sim.Slow {
				patience = 50 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			service := ca.Handler(sim.HandlerOptions{Fault: func(*http.Request) sim.Fault { return c.fault }})
			if a, err := get(t, ctx, service, tcbInfoPath); !c.check(a, err) {
				t.Errorf("status %d, %d bytes, %v, %v", a.status, len(a.body), a.header, err)
			}
		})
	}
}
