package gpusim

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Document is reference measurements before they are signed.
type Document struct {
	ID      string
	Product string
	Version string
	// Golden are the values that an index may have; an index without any is not
	// active.
	Golden [64][][48]byte
}

// Documents are those that suit a GPU as it is: of its driver and of its VBIOS.
func (m *Manufacturer) Documents(g *GPU) (driver, vbios Document) {
	version := fmt.Sprintf("%02X.%02X.%02X.%02X.%02X", g.VBIOS[0], g.VBIOS[1], g.VBIOS[2], g.VBIOS[3], g.VBIOS[4])
	driver = Document{ID: "NV_GPU_DRIVER_" + Model + "_" + g.Driver, Product: Model, Version: g.Driver}
	vbios = Document{Product: Model, Version: version,
		ID: strings.Join([]string{"NV_GPU_VBIOS", g.Project, g.ProjectSKU, g.ChipSKU, strings.ReplaceAll(version, ".", "")}, "_")}
	for i, value := range g.Measurements[:driverMeasurements] {
		if i < vbiosMeasurements {
			vbios.Golden[i] = [][48]byte{value}
		} else { // the true value is not the only one
			driver.Golden[i] = [][48]byte{sha512.Sum384(value[:]), value}
		}
	}
	return driver, vbios
}

// Publish signs a document and keeps it under its id.
func (m *Manufacturer) Publish(d Document) error {
	b, err := m.Sign(d)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.documents[d.ID] = b
	return nil
}

// RIM returns a published document.
func (m *Manufacturer) RIM(id string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.mu.documents[id]
	if !ok {
		return nil, fmt.Errorf("gpusim: no document %q", id)
	}
	return b, nil
}

const (
	swid   = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
	sha384 = "http://www.w3.org/2001/04/xmlenc#sha384"
	dsig   = "http://www.w3.org/2000/09/xmldsig#"
	tcg    = "https://trustedcomputinggroup.org/resource/tcg-reference-integrity-manifest-rim-information-model/"
	end    = "</SoftwareIdentity>"
)

// Sign writes a signed document.
func (m *Manufacturer) Sign(d Document) ([]byte, error) {
	digest := sha512.Sum384([]byte(d.body(true) + end))
	signed := sha512.Sum384([]byte(signedInfo(digest[:], true)))
	r, s, err := ecdsa.Sign(rand.Reader, m.rims[2].key, signed[:])
	if err != nil {
		return nil, err
	}
	signature := append(r.FillBytes(make([]byte, 48)), s.FillBytes(make([]byte, 48))...)

	var b strings.Builder
	b.WriteString(d.body(false))
	b.WriteString(`<ds:Signature xmlns:ds="` + dsig + `">` + signedInfo(digest[:], false))
	b.WriteString(`<ds:SignatureValue>` + base64.StdEncoding.EncodeToString(signature) + `</ds:SignatureValue><ds:KeyInfo><ds:X509Data>`)
	for _, c := range m.Certificates() {
		b.WriteString(`<ds:X509Certificate>` + lines(base64.StdEncoding.EncodeToString(c.Raw)) + `</ds:X509Certificate>`)
	}
	b.WriteString(`</ds:X509Data></ds:KeyInfo></ds:Signature>` + end + "\n")
	return []byte(b.String()), nil
}

// body writes all but signature and end, as delivered or as signed.
func (d Document) body(canonical bool) string {
	var b strings.Builder
	b.WriteString(tag("SoftwareIdentity", false, canonical, "xmlns", swid, "xmlns:ns0", swid, "xmlns:ns2", sha384,
		"corpus", "false", "name", d.Product, "patch", "false", "supplemental", "false", "tagId", d.ID, "version", "1.0", "tagVersion", "0"))
	b.WriteString("\n    " + tag("ns0:Entity", true, canonical, "name", "Simulated", "role", "softwareCreator tagCreator"))
	b.WriteString("\n    " + tag("ns0:Meta", true, canonical, "xmlns:ns1", tcg, "colloquialVersion", d.Version, "edition", "GPU",
		"product", d.Product, "revision", "r1", "PayloadType", "direct", "ns1:PlatformModel", d.Product, "ns1:FirmwareManufacturerId", "5703"))
	b.WriteString("\n    " + tag("ns0:Payload", false, canonical, "xmlns:SHA384", sha384) + "\n")
	for i, values := range d.Golden {
		active := "True"
		if len(values) == 0 {
			active, values = "False", make([][48]byte, 1)
		}
		attributes := []string{"type", "Measurement", "index", strconv.Itoa(i), "active", active, "alternatives", strconv.Itoa(len(values))}
		for j, v := range values {
			attributes = append(attributes, "ns2:Hash"+strconv.Itoa(j), hex.EncodeToString(v[:]))
		}
		attributes = append(attributes, "name", "Measurement_"+strconv.Itoa(i), "size", "48")
		b.WriteString("        " + tag("ns0:Resource", true, canonical, attributes...) + "\n")
	}
	b.WriteString("    </ns0:Payload>\n")
	return b.String()
}

func signedInfo(digest []byte, canonical bool) string {
	var inherited []string
	if canonical {
		inherited = []string{"xmlns", swid, "xmlns:ds", dsig, "xmlns:ns0", swid, "xmlns:ns2", sha384}
	}
	algorithm := func(name, uri string) string { return tag("ds:"+name, true, canonical, "Algorithm", uri) }
	return tag("ds:SignedInfo", false, canonical, inherited...) +
		algorithm("CanonicalizationMethod", "http://www.w3.org/2006/12/xml-c14n11") +
		algorithm("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384") +
		tag("ds:Reference", false, canonical, "URI", "") + "<ds:Transforms>" +
		algorithm("Transform", "http://www.w3.org/2000/09/xmldsig#enveloped-signature") +
		algorithm("Transform", "http://www.w3.org/2006/12/xml-c14n11") + "</ds:Transforms>" +
		algorithm("DigestMethod", "http://www.w3.org/2001/04/xmldsig-more#sha384") +
		"<ds:DigestValue>" + base64.StdEncoding.EncodeToString(digest) + "</ds:DigestValue></ds:Reference></ds:SignedInfo>"
}

// tag writes a start tag, or a whole element that is empty. The canonical form
// has no short form of empty elements, and sorts: namespaces, then attributes
// without prefix, then those with one.
func tag(name string, empty, canonical bool, pairs ...string) string {
	attributes := slices.Collect(slices.Chunk(pairs, 2))
	if canonical {
		slices.SortStableFunc(attributes, func(a, b []string) int {
			return strings.Compare(sortKey(a[0]), sortKey(b[0]))
		})
	}
	var b strings.Builder
	b.WriteString("<" + name)
	for _, a := range attributes {
		b.WriteString(" " + a[0] + `="` + a[1] + `"`)
	}
	switch {
	case empty && canonical:
		b.WriteString("></" + name + ">")
	case empty:
		b.WriteString("/>")
	default:
		b.WriteString(">")
	}
	return b.String()
}

func sortKey(attribute string) string {
	switch {
	case strings.HasPrefix(attribute, "xmlns"):
		return "0" + attribute
	case strings.Contains(attribute, ":"):
		return "2" + attribute
	}
	return "1" + attribute
}

// lines breaks text as the manufacturer does.
func lines(s string) string {
	var b strings.Builder
	for part := range slices.Chunk([]byte(s), 64) {
		b.Write(part)
		b.WriteByte('\n')
	}
	return b.String()
}
