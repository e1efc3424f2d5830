package sim

import (
	"encoding/hex"
	"encoding/pem"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// The paths of collateral: the manufacturer's own service and caching services
// have the same, except that the former has its root's list on another host and
// the latter serve it as hex text.
const (
	tcbInfoPath    = "/tdx/certification/v4/tcb"
	qeIdentityPath = "/tdx/certification/v4/qe/identity"
	pckCRLPath     = "/sgx/certification/v4/pckcrl"
	rootCRLHexPath = "/sgx/certification/v4/rootcacrl"
	rootCRLPath    = "/IntelSGXRootCA.der"
)

// Fault is how a service spoils an answer, for tests of what fetches it.
type Fault int

// The faults.
const (
	NoFault     Fault = iota
	NotFound          // 404, as for an unknown platform
	Unavailable       // 503
	Slow              // no answer until the client gives up
	Huge              // the answer, and then bytes without end
	Truncated         // half of what its length promised
	WrongType         // a page in HTML, as of a login in between
	NoChain           // without the header that has the issuer's certificates
)

// HandlerOptions makes a service that lies. The zero value is an honest one.
type HandlerOptions struct {
	// Collateral edits what is served, see [CA.FaultyCollateral].
	Collateral CollateralFaults
	// Fault chooses how an answer is spoiled. It must be safe for concurrent use.
	Fault func(*http.Request) Fault
}

// Handler serves the authority's collateral under the paths, in the forms and
// with the headers of the manufacturer's service and of a caching service. Every
// answer is issued anew.
func (ca *CA) Handler(o HandlerOptions) http.Handler {
	mux := http.NewServeMux()
	for path, answer := range map[string]func(*CA, CollateralFaults, url.Values) (response, error){
		tcbInfoPath:    (*CA).serveTCBInfo,
		qeIdentityPath: (*CA).serveQEIdentity,
		pckCRLPath:     (*CA).servePCKCRL,
		rootCRLHexPath: (*CA).serveRootCRLHex,
		rootCRLPath:    (*CA).serveRootCRL,
	} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			a, err := answer(ca, o.Collateral, r.URL.Query())
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			fault := NoFault
			if o.Fault != nil {
				fault = o.Fault(r)
			}
			a.write(w, r, fault)
		})
	}
	return mux
}

// response is an answer before it is spoiled. Without a body it is an error.
type response struct {
	status      int
	kind        string
	chainHeader string
	chain       []byte
	body        []byte
}

func (ca *CA) serveTCBInfo(f CollateralFaults, q url.Values) (response, error) {
	switch fmspc, err := hex.DecodeString(q.Get("fmspc")); {
	case err != nil || len(fmspc) != len(model.FMSPC):
		return response{status: http.StatusBadRequest}, nil
	case [6]byte(fmspc) != model.FMSPC:
		return response{status: http.StatusNotFound}, nil
	}
	c, err := ca.FaultyCollateral(f)
	return response{http.StatusOK, "application/json", "TCB-Info-Issuer-Chain", c.TCBInfoChain, c.TCBInfo}, err
}

func (ca *CA) serveQEIdentity(f CollateralFaults, _ url.Values) (response, error) {
	c, err := ca.FaultyCollateral(f)
	return response{http.StatusOK, "application/json", "SGX-Enclave-Identity-Issuer-Chain", c.QEIdentityChain, c.QEIdentity}, err
}

func (ca *CA) servePCKCRL(f CollateralFaults, q url.Values) (response, error) {
	if q.Get("ca") != "platform" {
		// There is no processor CA here.
		return response{status: http.StatusBadRequest}, nil
	}
	c, err := ca.FaultyCollateral(f)
	r := response{http.StatusOK, "application/pkix-crl", "SGX-PCK-CRL-Issuer-Chain", c.PCKCRLChain, c.PCKCRL}
	if q.Get("encoding") != "der" {
		r.kind, r.body = "application/x-pem-file", pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: c.PCKCRL})
	}
	return r, err
}

func (ca *CA) serveRootCRLHex(f CollateralFaults, _ url.Values) (response, error) {
	c, err := ca.FaultyCollateral(f)
	return response{status: http.StatusOK, kind: "application/x-pem-file", body: []byte(hex.EncodeToString(c.RootCRL))}, err
}

func (ca *CA) serveRootCRL(f CollateralFaults, _ url.Values) (response, error) {
	c, err := ca.FaultyCollateral(f)
	return response{status: http.StatusOK, kind: "application/pkix-crl", body: c.RootCRL}, err
}

func (a response) write(w http.ResponseWriter, r *http.Request, fault Fault) {
	switch fault {
	case NotFound:
		a = response{status: http.StatusNotFound}
	case Unavailable:
		a = response{status: http.StatusServiceUnavailable}
	case Slow:
		<-r.Context().Done()
		return
	case WrongType:
		a.kind, a.body = "text/html", []byte("<!DOCTYPE html><title>Sign in</title>")
	case NoChain:
		a.chainHeader = ""
	case Truncated:
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
		a.body = a.body[:len(a.body)/2]
	}
	if len(a.body) == 0 {
		w.WriteHeader(a.status)
		return
	}
	w.Header().Set("Content-Type", a.kind)
	if a.chainHeader != "" {
		w.Header().Set(a.chainHeader, escape(a.chain))
	}
	w.WriteHeader(a.status)
	_, err := w.Write(a.body)
	for junk := make([]byte, 64<<10); fault == Huge && err == nil; {
		_, err = w.Write(junk)
	}
}

// escape is percent encoding as browsers do it: blanks are %20, not +.
func escape(chain []byte) string {
	return strings.ReplaceAll(url.QueryEscape(string(chain)), "+", "%20")
}
