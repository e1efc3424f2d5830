package collateral

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
)

// The manufacturers' services.
const (
	IntelPCS      = "https://api.trustedservices.intel.com"
	IntelRootCRL  = "https://certificates.trustedservices.intel.com"
	AMDKDS        = "https://kdsintf.amd.com"
	NVIDIARIM     = "https://rim.attestation.nvidia.com"
	NVIDIAOCSP    = "https://ocsp.ndis.nvidia.com"
	rootCRLPath   = "/IntelSGXRootCA.der"
	ocspRequest   = "application/ocsp-request"
	ocspResponse  = "application/ocsp-response"
	jsonType      = "application/json"
	anyBinaryType = "application/octet-stream"
)

// endpoint is where a document is, and what its answer is like. Nothing in it but
// the checked fields of a [Name] varies.
type endpoint struct {
	base    string
	path    string // with its query
	request []byte // is posted if not nil
	types   []string
	header  string // that holds the issuer's certificates
	// decode turns the answer into the document, nil if it is one already.
	decode func(Name, []byte) ([]byte, error)
}

var (
	crlTypes         = []string{"application/pkix-crl", "application/x-pkcs7-crl", anyBinaryType, "binary/octet-stream"}
	certificateTypes = []string{"application/pkix-cert", "application/x-x509-ca-cert", "application/x-pem-file",
		"application/pem-certificate-chain", anyBinaryType, "binary/octet-stream", "text/plain"}
	// A PCCS sends its root list as text and does not care how it is labelled.
	hexTypes = []string{"application/x-pem-file", "text/html", "text/plain", "application/pkix-crl", anyBinaryType}
)

// endpoint tells where a document is.
func (c *Client) endpoint(n Name) (endpoint, error) {
	pccs := c.o.PCCS != ""
	intel := c.o.PCS
	if pccs {
		intel = c.o.PCCS
	}
	part := strings.Split(n.key, "/")
	switch n.kind {
	case KindTCBInfo:
		return endpoint{base: intel, path: "/tdx/certification/v4/tcb?fmspc=" + n.key, types: []string{jsonType}, header: "TCB-Info-Issuer-Chain"}, nil
	case KindQEIdentity:
		return endpoint{base: intel, path: "/tdx/certification/v4/qe/identity", types: []string{jsonType}, header: "SGX-Enclave-Identity-Issuer-Chain"}, nil
	case KindPCKCRL:
		e := endpoint{base: intel, path: "/sgx/certification/v4/pckcrl?ca=" + n.key + "&encoding=der", types: crlTypes, header: "SGX-PCK-CRL-Issuer-Chain"}
		if pccs {
			e.decode, e.types = decodeHex, append(hexTypes[:len(hexTypes):len(hexTypes)], crlTypes...)
		}
		return e, nil
	case KindRootCRL:
		if pccs {
			return endpoint{base: intel, path: "/sgx/certification/v4/rootcacrl", types: hexTypes, decode: decodeHex}, nil
		}
		return endpoint{base: c.o.RootCRL, path: rootCRLPath, types: crlTypes}, nil
	case KindVCEK:
		path := fmt.Sprintf("/vcek/v1/%s/%s?blSPL=%s&teeSPL=%s&snpSPL=%s&ucodeSPL=%s", part[0], part[1], part[2], part[3], part[4], part[5])
		if len(part) == 7 {
			path += "&fmcSPL=" + part[6]
		}
		return endpoint{base: c.o.KDS, path: path, types: certificateTypes}, nil
	case KindAMDChain:
		return endpoint{base: c.o.KDS, path: "/vcek/v1/" + n.key + "/cert_chain", types: certificateTypes}, nil
	case KindAMDCRL:
		return endpoint{base: c.o.KDS, path: "/vcek/v1/" + n.key + "/crl", types: crlTypes}, nil
	case KindRIM:
		return endpoint{base: c.o.RIM, path: "/v1/rim/" + n.key, types: []string{jsonType}, decode: decodeRIM}, nil
	case KindOCSP:
		request, err := hex.DecodeString(n.key)
		if err != nil {
			return endpoint{}, fmt.Errorf("%w: %s", ErrName, n)
		}
		return endpoint{base: c.o.OCSP, path: "/", request: request, types: []string{ocspResponse}}, nil
	}
	return endpoint{}, fmt.Errorf("%w: %q", ErrName, n)
}

// host is who is asked for a document.
func (c *Client) host(n Name) string {
	e, err := c.endpoint(n)
	if err != nil {
		return ""
	}
	return e.base
}

// method is POST where there is something to ask.
func (e endpoint) method() string {
	if e.request != nil {
		return http.MethodPost
	}
	return http.MethodGet
}

// decodeHex undoes what a PCCS does to revocation lists. A list in DER has at least
// 128 bytes, so its second byte has the highest bit set and is no text.
func decodeHex(_ Name, body []byte) ([]byte, error) {
	if len(body) > 1 && body[1] >= 0x80 {
		return body, nil
	}
	der, err := hex.DecodeString(strings.TrimSpace(string(body)))
	if err != nil || len(der) == 0 {
		return nil, fmt.Errorf("%w: revocation list is neither DER nor hexadecimal", ErrUpstream)
	}
	return der, nil
}
