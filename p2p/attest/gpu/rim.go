package gpu

import (
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A document of reference measurements (RIM) is a SWID tag by TCG's information
// model with a signature in it: root SoftwareIdentity with Entity, Meta, Payload
// and, last, ds:Signature over everything else.
const (
	spaceSWID   = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
	spaceTCG    = "https://trustedcomputinggroup.org/resource/tcg-reference-integrity-manifest-rim-information-model/"
	spaceSHA384 = "http://www.w3.org/2001/04/xmlenc#sha384"
	spaceDS     = "http://www.w3.org/2000/09/xmldsig#"

	algorithmC14N      = "http://www.w3.org/2006/12/xml-c14n11"
	algorithmEnveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
	algorithmSignature = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
	algorithmDigest    = "http://www.w3.org/2001/04/xmldsig-more#sha384"

	manufacturer    = "5703" // NVIDIA's private enterprise number
	maxAlternatives = 16
)

// rim is a parsed document.
type rim struct {
	raw       []byte
	product   string           // the chip
	version   string           // of driver or VBIOS
	golden    [blocks][]digest // by index; nil where the document says nothing
	chain     chain
	signed    []byte // canonical SignedInfo
	signature []byte
}

// parse reads a document and checks that the digest in its signature is the
// digest of all that was read. Who signed it is for later steps.
func (r *rim) parse(*candidate) error {
	root, err := parseXML(r.raw)
	if err != nil {
		return err
	}
	if root.name != (name{spaceSWID, "SoftwareIdentity"}) {
		return fmt.Errorf("root is %q", root.local)
	}
	for _, flag := range []string{"corpus", "patch", "supplemental"} {
		if v, _ := root.attribute("", flag); v != "false" {
			return fmt.Errorf("%s is %q", flag, v)
		}
	}
	parts, err := root.children(name{spaceSWID, "Entity"}, name{spaceSWID, "Meta"}, name{spaceSWID, "Payload"}, name{spaceDS, "Signature"})
	if err != nil {
		return err
	}
	if err := r.readMeta(parts[1]); err != nil {
		return err
	}
	if err := r.readPayload(parts[2]); err != nil {
		return err
	}
	if err := r.readSignature(root, parts[3]); err != nil {
		return fmt.Errorf("signature: %w", err)
	}
	return nil
}

// trustedRoot is the manufacturer's, or a simulated one where that is allowed.
func (r *rim) trustedRoot(c *candidate) error {
	root := r.chain.root()
	if KeyIDOf(root) != RIMRoot && !c.policy.simulates(r.chain) {
		return fmt.Errorf("root %q", root.Subject)
	}
	return nil
}

func (r *rim) certificates(*candidate) error {
	if err := r.chain.profile(); err != nil {
		return err
	}
	return r.chain.links()
}

func (r *rim) dates(c *candidate) error   { return r.chain.dates(c.now) }
func (r *rim) revoked(c *candidate) error { return c.revoked(r.chain) }

func (r *rim) verify(*candidate) error {
	if !verifyRaw(r.chain.key(), r.signed, r.signature) {
		return errors.New("bad signature")
	}
	return nil
}

func (r *rim) readMeta(e *element) error {
	for _, want := range []struct {
		name
		value string
	}{
		{name{"", "edition"}, "GPU"},
		{name{"", "PayloadType"}, "direct"},
		{name{spaceTCG, "FirmwareManufacturerId"}, manufacturer},
	} {
		if v, _ := e.attribute(want.space, want.local); v != want.value {
			return fmt.Errorf("%s is %q", want.local, v)
		}
	}
	r.product, _ = e.attribute("", "product")
	r.version, _ = e.attribute("", "colloquialVersion")
	_, err := e.children()
	return err
}

// readPayload reads one Resource for each index, in order.
func (r *rim) readPayload(e *element) error {
	want := make([]name, blocks)
	for i := range want {
		want[i] = name{spaceSWID, "Resource"}
	}
	resources, err := e.children(want...)
	if err != nil {
		return err
	}
	some := false
	for i, resource := range resources {
		if r.golden[i], err = readResource(resource, i); err != nil {
			return fmt.Errorf("measurement %d: %w", i, err)
		}
		some = some || r.golden[i] != nil
	}
	if !some {
		return errors.New("no measurements")
	}
	return nil
}

// readResource returns the values an index may have; nil if the document says
// nothing about it.
func readResource(e *element, index int) ([]digest, error) {
	if _, err := e.children(); err != nil {
		return nil, err
	}
	plain := map[string]string{}
	for _, local := range []string{"type", "index", "active", "alternatives", "size", "name"} {
		v, ok := e.attribute("", local)
		if !ok {
			return nil, fmt.Errorf("no %s", local)
		}
		plain[local] = v
	}
	n, err := strconv.Atoi(plain["alternatives"])
	if err != nil || n < 1 || n > maxAlternatives || plain["alternatives"] != strconv.Itoa(n) || len(e.attributes) != len(plain)+n {
		return nil, fmt.Errorf("%q alternatives", plain["alternatives"])
	}
	if plain["type"] != "Measurement" || plain["index"] != strconv.Itoa(index) || plain["size"] != strconv.Itoa(digestSize) {
		return nil, fmt.Errorf("type %q, index %q, size %q", plain["type"], plain["index"], plain["size"])
	}
	values := make([]digest, n)
	for i := range values {
		text, _ := e.attribute(spaceSHA384, "Hash"+strconv.Itoa(i))
		b, err := hex.DecodeString(text)
		if err != nil || len(b) != digestSize {
			return nil, fmt.Errorf("value %d is %q", i, text)
		}
		values[i] = digest(b)
	}
	switch plain["active"] {
	case "True":
		return values, nil
	case "False":
		return nil, nil
	}
	return nil, fmt.Errorf("active is %q", plain["active"])
}

// readSignature accepts the one form of signature in use: over the whole
// document without the signature itself.
func (r *rim) readSignature(root, e *element) error {
	parts, err := e.only().children(name{spaceDS, "SignedInfo"}, name{spaceDS, "SignatureValue"}, name{spaceDS, "KeyInfo"})
	if err != nil {
		return err
	}
	info, err := parts[0].only().children(name{spaceDS, "CanonicalizationMethod"}, name{spaceDS, "SignatureMethod"}, name{spaceDS, "Reference"})
	if err != nil {
		return err
	}
	reference, err := info[2].only("URI", "").children(name{spaceDS, "Transforms"}, name{spaceDS, "DigestMethod"}, name{spaceDS, "DigestValue"})
	if err != nil {
		return err
	}
	transforms, err := reference[0].only().children(name{spaceDS, "Transform"}, name{spaceDS, "Transform"})
	if err != nil {
		return err
	}
	for _, a := range []struct {
		e    *element
		want string
	}{
		{info[0], algorithmC14N}, {info[1], algorithmSignature}, {transforms[0], algorithmEnveloped},
		{transforms[1], algorithmC14N}, {reference[1], algorithmDigest},
	} {
		if _, err := a.e.only("Algorithm", a.want).children(); err != nil {
			return err
		}
	}
	want, err := reference[2].only().base64()
	if err != nil {
		return err
	}
	if got := sha512.Sum384(root.canonical(nil, e)); subtle.ConstantTimeCompare(got[:], want) != 1 {
		return errors.New("digest differs")
	}
	if r.signature, err = parts[1].only().base64(); err != nil {
		return err
	}
	if r.chain, err = readKeyInfo(parts[2].only()); err != nil {
		return err
	}
	r.signed = parts[0].canonical(append(append([]namespace{}, root.namespaces...), e.namespaces...), nil)
	return nil
}

func readKeyInfo(e *element) (chain, error) {
	data, err := e.children(name{spaceDS, "X509Data"})
	if err != nil {
		return nil, err
	}
	var der [][]byte
	for _, n := range data[0].only().content {
		if n.child == nil || n.child.name != (name{spaceDS, "X509Certificate"}) || len(der) == maxCertificates {
			return nil, errors.New("content of X509Data")
		}
		b, err := n.child.only().base64()
		if err != nil {
			return nil, err
		}
		der = append(der, b)
	}
	return parseChain(der)
}

// attribute returns an attribute's value.
func (e *element) attribute(space, local string) (string, bool) {
	for _, a := range e.attributes {
		if a.name == (name{space, local}) {
			return a.value, true
		}
	}
	return "", false
}

// children returns an element's children if they are the named ones in order,
// with nothing but white space between them.
func (e *element) children(want ...name) ([]*element, error) {
	var all []*element
	for _, n := range e.content {
		switch {
		case n.child == nil && strings.Trim(n.text, " \n\t") != "":
			return nil, fmt.Errorf("text in %q", e.local)
		case n.child == nil:
		case len(all) == len(want) || n.child.name != want[len(all)]:
			return nil, fmt.Errorf("%q in %q", n.child.local, e.local)
		default:
			all = append(all, n.child)
		}
	}
	if len(all) != len(want) {
		return nil, fmt.Errorf("%d children in %q", len(all), e.local)
	}
	return all, nil
}

// only returns the element itself if its attributes are the given ones, and one
// that no further check accepts if not.
func (e *element) only(pairs ...string) *element {
	if len(e.attributes) == len(pairs)/2 {
		if len(pairs) == 0 {
			return e
		}
		if v, ok := e.attribute("", pairs[0]); ok && v == pairs[1] {
			return e
		}
	}
	return &element{name: e.name, content: []node{{text: "unexpected attributes"}}}
}

// base64 decodes an element's text, in which lines may be broken.
func (e *element) base64() ([]byte, error) {
	if len(e.content) != 1 || e.content[0].child != nil {
		return nil, fmt.Errorf("content of %q", e.local)
	}
	b, err := base64.StdEncoding.Strict().DecodeString(e.content[0].text)
	if err != nil {
		return nil, fmt.Errorf("content of %q: %w", e.local, err)
	}
	return b, nil
}
