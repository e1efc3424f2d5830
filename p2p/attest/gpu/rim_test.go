package gpu_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest/gpu"
	"github.com/tussah-network/tussah/p2p/attest/gpu/gpusim"
)

// replace returns an edit that must change something.
func replace(t *testing.T, from, to string) func(string) string {
	return func(s string) string {
		out := strings.Replace(s, from, to, 1)
		if out == s {
			t.Errorf("%q is not in the document", from)
		}
		return out
	}
}

// signature returns a document's signature element.
func signature(s string) string {
	i, j := strings.Index(s, "<ds:Signature "), strings.Index(s, "</ds:Signature>")
	return s[i : j+len("</ds:Signature>")]
}

// Whatever is changed in a document, and whatever XML allows beyond what
// documents use, is refused before any certificate is looked at.
func TestRefusesDocuments(t *testing.T) {
	l := newLab(t, gpusim.Options{})
	const resource = `<ns0:Resource type="Measurement" index="63"`
	for name, edit := range map[string]func(string) string{
		"empty":                 func(string) string { return "" },
		"text":                  func(string) string { return "RIM" },
		"cut off":               func(s string) string { return s[:len(s)-100] },
		"too large":             func(s string) string { return s + strings.Repeat("\n", 64<<10) },
		"declaration":           func(s string) string { return `<?xml version="1.0"?>` + s },
		"document type":         func(s string) string { return `<!DOCTYPE a [<!ENTITY b "c">]>` + s },
		"entity":                replace(t, `edition="GPU"`, `edition="G&#80;U"`),
		"comment in a value":    replace(t, "<ds:DigestValue>", "<ds:DigestValue><!-- -->"),
		"section":               replace(t, "<ds:DigestValue>", "<ds:DigestValue><![CDATA[]]>"),
		"instruction":           replace(t, "<ns0:Payload", "<?a b?><ns0:Payload"),
		"second root":           func(s string) string { return s + "<a/>" },
		"text after":            func(s string) string { return s + "a" },
		"carriage return":       replace(t, "\n", "\r\n"),
		"letters beyond ASCII":  replace(t, `name="Simulated"`, `name="Símulated"`),
		"single quotes":         replace(t, `edition="GPU"`, `edition='GPU'`),
		"attribute twice":       replace(t, `edition="GPU"`, `edition="GPU" edition="GPU"`),
		"unknown prefix":        replace(t, `<ns0:Payload`, `<ns9:Payload`),
		"default namespace off": replace(t, `<ns0:Entity`, `<ns0:Entity xmlns=""`),
		"prefix of xml":         replace(t, `<ns0:Entity`, `<ns0:Entity xmlns:xml="a"`),
		"xml attribute":         replace(t, `<ns0:Entity`, `<ns0:Entity xml:base="a"`),
		"wrong end":             replace(t, `</ns0:Payload>`, `</ns0:Meta>`),
		"deep":                  replace(t, `</ns0:Payload>`, strings.Repeat("<a>", 4000)+`</ns0:Payload>`),
		"many elements":         replace(t, `</ns0:Payload>`, strings.Repeat("<a/>", 4000)+`</ns0:Payload>`),
		"many attributes":       replace(t, `<ns0:Entity`, `<ns0:Entity`+strings.Repeat(` a="b"`, 4000)),
		"many colons":           replace(t, `<ns0:Entity`, `<`+strings.Repeat("a:", 20000)+`Entity`),

		"measurement changed": replace(t, `ns2:Hash0="`, `ns2:Hash0="00`),
		"measurement off":     replace(t, `active="True"`, `active="False"`),
		"measurement more":    replace(t, resource, resource+`/>`+resource),
		"index out of order":  replace(t, `index="3"`, `index="4"`),
		"more alternatives":   replace(t, `alternatives="1"`, `alternatives="2"`),
		"alternatives huge":   replace(t, `alternatives="1"`, `alternatives="1000000000"`),
		"alternatives -1":     replace(t, `alternatives="1"`, `alternatives="-1"`),
		"space in the text":   replace(t, "\n    <ns0:Meta", "\n     <ns0:Meta"),
		"text in the payload": replace(t, "    </ns0:Payload>", "a   </ns0:Payload>"),
		"supplemental":        replace(t, `supplemental="false"`, `supplemental="true"`),
		"of a switch":         replace(t, `edition="GPU"`, `edition="SWITCH"`),
		"of somebody else":    replace(t, `FirmwareManufacturerId="5703"`, `FirmwareManufacturerId="5704"`),

		"no signature":          func(s string) string { return strings.Replace(s, signature(s), "", 1) },
		"two signatures":        func(s string) string { return strings.Replace(s, signature(s), signature(s)+signature(s), 1) },
		"signature elsewhere":   func(s string) string { return moved(s, "<ns0:Payload") },
		"signature in payload":  func(s string) string { return moved(s, "    </ns0:Payload>") },
		"other canonical form":  replace(t, "http://www.w3.org/2006/12/xml-c14n11", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
		"other signature":       replace(t, "ecdsa-sha384", "ecdsa-sha256"),
		"other digest":          replace(t, `xmldsig-more#sha384"/><ds:DigestValue`, `xmldsig-more#sha224"/><ds:DigestValue`),
		"reference to an id":    replace(t, `URI=""`, `URI="#a"`),
		"reference with an id":  replace(t, `URI=""`, `URI="" Id="a"`),
		"signature with an id":  replace(t, `<ds:SignedInfo>`, `<ds:SignedInfo Id="a">`),
		"third transform":       replace(t, `</ds:Transforms>`, `<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/></ds:Transforms>`),
		"parameter of a method": replace(t, `xml-c14n11"/><ds:SignatureMethod`, `xml-c14n11"><a/></ds:CanonicalizationMethod><ds:SignatureMethod`),
		"two references":        func(s string) string { return between(s, "<ds:Reference", "</ds:Reference>", 2) },
		"object":                replace(t, "</ds:KeyInfo>", "</ds:KeyInfo><ds:Object/>"),
		"no certificates":       func(s string) string { return between(s, "<ds:X509Certificate>", "</ds:X509Certificate>", 0) },
		"certificate more":      replace(t, "<ds:X509Data>", "<ds:X509Data>"+strings.Repeat("<ds:X509Certificate>AAAA</ds:X509Certificate>", 7)),
		"key value":             replace(t, "<ds:X509Data>", "<ds:X509Data><ds:KeyValue/>"),
		"certificate is text":   replace(t, "<ds:X509Certificate>", "<ds:X509Certificate>AAAA"),

		// Wrapping: the signed document is still there, but not where values are read.
		"wrapped in another root": func(s string) string {
			return `<SoftwareIdentity xmlns="http://standards.iso.org/iso/19770/-2/2015/schema.xsd" corpus="false" patch="false" supplemental="false">` + strings.TrimSpace(s) + `</SoftwareIdentity>`
		},
		"second payload before": func(s string) string {
			payload := s[strings.Index(s, "<ns0:Payload"):strings.Index(s, "<ds:Signature ")]
			return strings.Replace(s, "<ns0:Payload", payload+"<ns0:Payload", 1)
		},
		"original kept in the signature": func(s string) string {
			payload := s[strings.Index(s, "<ns0:Payload"):strings.Index(s, "<ds:Signature ")]
			s = strings.Replace(s, `ns2:Hash0="`, `ns2:Hash0="ff`, 1)
			return strings.Replace(s, "</ds:KeyInfo>", "</ds:KeyInfo><ds:Object>"+payload+"</ds:Object>", 1)
		},
		"values under another prefix": func(s string) string {
			return strings.Replace(s, `<ns0:Payload xmlns:SHA384=`, `<ns0:Payload xmlns:ns0="urn:a" xmlns:SHA384=`, 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			l.edit(edit)
			l.refuses(t, gpu.ErrRIMFormat)
		})
	}
}

// moved moves a document's signature in front of what comes first with a text.
func moved(s, before string) string {
	sig := signature(s)
	return strings.Replace(strings.Replace(s, sig, "", 1), before, sig+before, 1)
}

// between repeats a part of a document; zero times removes all parts like it.
func between(s, from, to string, times int) string {
	i := strings.Index(s, from)
	if i < 0 {
		return s
	}
	j := i + strings.Index(s[i:], to) + len(to)
	if times == 0 {
		return between(s[:i]+s[j:], from, to, 0)
	}
	return s[:i] + strings.Repeat(s[i:j], times) + s[j:]
}

// Every byte before the certificates matters.
func TestRefusesDamagedDocuments(t *testing.T) {
	l := newLab(t, gpusim.Options{})
	good, err := l.manufacturer.RIM("NV_GPU_VBIOS_1010_0200_882_96009F0001")
	if err != nil {
		t.Fatal(err)
	}
	if err := gpu.CheckRIM(good); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for at := 0; at < bytes.Index(good, []byte("<ds:KeyInfo>")); at += stride(t, 17) {
		bad := bytes.Clone(good)
		bad[at] ^= 1 << (at % 8)
		if gpu.CheckRIM(bad) == nil {
			t.Fatalf("byte %d: %q accepted", at, bad[max(0, at-20):at+20])
		}
		tried++
	}
	t.Logf("%d bits of a document turned, 0 accepted", tried)
}

// A document is kept only if the manufacturer signed it: a simulated one is not.
func TestVerifyRIMIsForTheManufacturers(t *testing.T) {
	m, err := gpusim.NewManufacturer(gpusim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := m.NewGPU()
	if err != nil {
		t.Fatal(err)
	}
	driver, _ := m.Documents(g)
	document, err := m.Sign(driver)
	if err != nil {
		t.Fatal(err)
	}
	if gpu.VerifyRIM(document, time.Now()) == nil || gpu.VerifyRIM([]byte("<a/>"), time.Now()) == nil {
		t.Error("accepted")
	}
}
