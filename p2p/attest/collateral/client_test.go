package collateral

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// at is a client of one server for everything.
func at(t *testing.T, handler http.Handler, change func(*ClientOptions)) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	o := ClientOptions{PCS: server.URL, RootCRL: server.URL, KDS: server.URL, RIM: server.URL, OCSP: server.URL}
	if change != nil {
		change(&o)
	}
	return must(NewClient(o))
}

func TestAnswersSpoiled(t *testing.T) {
	ca := must(sim.NewCA())
	for fault, want := range map[sim.Fault]error{
		sim.NotFound: ErrNotFound, sim.Unavailable: ErrUpstream, sim.Slow: ErrUpstream, sim.Huge: ErrTooLarge,
		sim.Truncated: ErrUpstream, sim.WrongType: ErrContentType, sim.NoChain: ErrChain,
	} {
		client := at(t, ca.Handler(sim.HandlerOptions{Fault: func(*http.Request) sim.Fault { return fault }}), func(o *ClientOptions) {
			if fault == sim.Slow {
				o.Timeout = 50 * time.Millisecond
			}
		})
		for _, n := range (platform{simulated, tdx.PlatformCA}).names() {
			if fault == sim.NoChain && n == RootCRL() {
				continue // it has none
			}
			body, chain, err := client.Fetch(t.Context(), n)
			if !errors.Is(err, want) || body != nil || chain != nil {
				t.Errorf("fault %d, %s: got %v, want %v", fault, n, err, want)
			}
		}
	}
}

// A cache differs in its root list, which is hexadecimal text. What it serves
// verifies like the manufacturer's own.
func TestCachingService(t *testing.T) {
	ca := must(sim.NewCA())
	for _, useCache := range []bool{false, true} {
		client := at(t, ca.Handler(sim.HandlerOptions{}), func(o *ClientOptions) {
			if useCache {
				o.PCCS, o.PCS, o.RootCRL = o.PCS, "", ""
			}
		})
		var docs set
		for i, n := range (platform{simulated, tdx.PlatformCA}).names() {
			body, chain, err := client.Fetch(t.Context(), n)
			if err != nil {
				t.Fatal(err)
			}
			docs[i] = &document{name: n, body: body, chain: chain}
		}
		if _, err := tdx.ParseCollateral(docs.raw(), must(certificatesIn(docs[tcbInfo].chain))[1:], time.Now()); err != nil {
			t.Errorf("cache %v: %v", useCache, err)
		}
	}
}

// Every request there is: method, path and query come from names only.
func TestRequests(t *testing.T) {
	var got []string
	client := at(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, fmt.Sprintf("%s %s %x", r.Method, r.URL, body))
		http.NotFound(w, r)
	}), nil)
	chip := make([]byte, 64)
	for _, n := range []Name{
		TCBInfo(simulated), QEIdentity(), PCKCRL(tdx.ProcessorCA), RootCRL(),
		must(VCEK("Genoa", chip, SNPVersion{3, 0, 20, 209, 0})), must(VCEK("Turin", chip[:8], SNPVersion{1, 2, 3, 4, 5})),
		must(AMDChain("Genoa")), must(AMDCRL("Genoa")), must(RIM("NV_GPU_DRIVER_GH100_550.90.07")), must(OCSP([]byte{0x30, 0x00})),
	} {
		if _, _, err := client.Fetch(t.Context(), n); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", n, err)
		}
	}
	want := []string{
		"GET /tdx/certification/v4/tcb?fmspc=90c06f000000 ",
		"GET /tdx/certification/v4/qe/identity ",
		"GET /sgx/certification/v4/pckcrl?ca=processor&encoding=der ",
		"GET /IntelSGXRootCA.der ",
		"GET /vcek/v1/Genoa/" + strings.Repeat("00", 64) + "?blSPL=3&teeSPL=0&snpSPL=20&ucodeSPL=209 ",
		"GET /vcek/v1/Turin/" + strings.Repeat("00", 8) + "?blSPL=1&teeSPL=2&snpSPL=3&ucodeSPL=4&fmcSPL=5 ",
		"GET /vcek/v1/Genoa/cert_chain ",
		"GET /vcek/v1/Genoa/crl ",
		"GET /v1/rim/NV_GPU_DRIVER_GH100_550.90.07 ",
		"POST / 3000",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, _, err := client.Fetch(t.Context(), Name{}); !errors.Is(err, ErrName) {
		t.Errorf("no name: %v", err)
	}
}

func TestRedirects(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { t.Error("it was followed") }))
	defer elsewhere.Close()
	for name, c := range map[string]struct {
		to   string
		want error
	}{
		"another host":   {elsewhere.URL + "/x", ErrRedirect},
		"in a circle":    {"/vcek/v1/Genoa/cert_chain", ErrRedirect},
		"same host":      {"/moved", nil},
		"not an address": {"http://%zz", ErrUpstream},
	} {
		client := at(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/moved" {
				w.Header().Set("Content-Type", anyBinaryType)
				io.WriteString(w, "here")
				return
			}
			w.Header().Set("Location", c.to)
			w.WriteHeader(http.StatusFound)
		}), nil)
		if _, _, err := client.Fetch(t.Context(), must(AMDChain("Genoa"))); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestManifests(t *testing.T) {
	const id = "NV_GPU_DRIVER_GH100_550.90.07"
	rim := base64.StdEncoding.EncodeToString([]byte("<SoftwareIdentity/>"))
	for name, c := range map[string]struct {
		answer string
		want   error
	}{
		"good":                 {`{"id":"` + id + `","rim":"` + rim + `","sha256":"00","request":{"a":[1]}}`, nil},
		"of another":           {`{"id":"NV_GPU_DRIVER_GH100_1","rim":"` + rim + `"}`, ErrUpstream},
		"key in other letters": {`{"ID":"` + id + `","rim":"` + rim + `"}`, ErrUpstream},
		"key twice":            {`{"id":"` + id + `","rim":"` + rim + `","rim":"` + rim + `"}`, ErrUpstream},
		"something after":      {`{"id":"` + id + `","rim":"` + rim + `"}{}`, ErrUpstream},
		"not base64":           {`{"id":"` + id + `","rim":"!"}`, ErrUpstream},
		"empty":                {`{"id":"` + id + `","rim":""}`, ErrUpstream},
		"no object":            {`[]`, ErrUpstream},
		"cut":                  {`{"id":"` + id + `","rim":"`, ErrUpstream},
	} {
		client := at(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			io.WriteString(w, c.answer)
		}), nil)
		body, _, err := client.Fetch(t.Context(), must(RIM(id)))
		if !errors.Is(err, c.want) || (err == nil) != (string(body) == "<SoftwareIdentity/>") {
			t.Errorf("%s: got %q, %v, want %v", name, body, err, c.want)
		}
	}
}

func TestAddresses(t *testing.T) {
	for _, good := range []string{"", "https://pccs.example:8081", "http://localhost:8081/", "https://a.example/pccs/"} {
		if _, err := NewClient(ClientOptions{PCCS: good}); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"pccs.example", "file:///etc", "https://", "https://u:p@a.example", "https://a.example/?x=", "https://a.example/#x", "https://%zz", "ftp://a.example"} {
		if _, err := NewClient(ClientOptions{PCCS: bad}); err == nil {
			t.Errorf("%q is taken for an address", bad)
		}
	}
}

func TestChains(t *testing.T) {
	c := must(must(sim.NewCA()).Collateral())
	pem := string(c.TCBInfoChain)
	first := pem[:strings.Index(pem, "-----END")+len("-----END CERTIFICATE-----\n")]
	escape := func(s string) string {
		return strings.NewReplacer("\n", "%0A", " ", "%20", "+", "%2B", "=", "%3D", "/", "%2F").Replace(s)
	}
	for name, header := range map[string]string{
		"escaped": escape(pem), "plus signs as they are": strings.ReplaceAll(escape(pem), "%2B", "+"), "lines end in CRLF": escape(strings.ReplaceAll(pem, "\n", "\r\n")),
	} {
		if got, err := parseChain(header); err != nil || string(got) != pem {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, header := range map[string]string{
		"empty": "", "one": escape(first), "three": escape(pem + first), "text before": escape("x" + pem), "text between": escape(first + "x\n" + first),
		"text after": escape(pem + "x"), "bad escape": escape(pem) + "%zz", "too long": strings.Repeat("%0A", maxChain+1),
		"headers": escape(strings.Replace(pem, "CERTIFICATE-----\n", "CERTIFICATE-----\nA: b\n\n", 1)),
		"a key":   escape(strings.ReplaceAll(first, "CERTIFICATE", "PRIVATE KEY") + first), "cut": escape(pem[:len(pem)-30]),
		"nested": escape("-----BEGIN CERTIFICATE-----\n" + pem),
	} {
		if _, err := parseChain(header); !errors.Is(err, ErrChain) {
			t.Errorf("%s: got %v, want %v", name, err, ErrChain)
		}
	}
}
