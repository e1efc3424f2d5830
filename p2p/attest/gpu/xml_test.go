package gpu

import "testing"

// The rules of Canonical XML 1.1 that documents need, each with what it does.
func TestCanonical(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"empty element", `<a/>`, `<a></a>`},
		{"white space in tags", "<a>\n <b/>\t</a>\n", "<a>\n <b></b>\t</a>"},
		{"attributes by name", `<a c="1" b="2"/>`, `<a b="2" c="1"></a>`},
		{"upper before lower case", `<a b="1" C="2"/>`, `<a C="2" b="1"></a>`},
		{"namespaces before attributes", `<a b="1" xmlns:d="u" xmlns="v"/>`, `<a xmlns="v" xmlns:d="u" b="1"></a>`},
		{"attributes by namespace, not by prefix", `<a xmlns:x="2" xmlns:y="1" x:b="p" y:b="q" z="r"/>`, `<a xmlns:x="2" xmlns:y="1" z="r" y:b="q" x:b="p"></a>`},
		{"namespace said again", `<a xmlns:x="u"><b xmlns:x="u"/></a>`, `<a xmlns:x="u"><b></b></a>`},
		{"namespace changed and changed back", `<a xmlns:x="u"><b xmlns:x="v"><c xmlns:x="u"/></b></a>`, `<a xmlns:x="u"><b xmlns:x="v"><c xmlns:x="u"></c></b></a>`},
		{"namespace that nothing uses", `<a xmlns:x="u"/>`, `<a xmlns:x="u"></a>`},
	} {
		root, err := parseXML([]byte(c.in))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := string(root.canonical(nil, nil)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// A part of a document repeats the namespaces in force around it.
func TestCanonicalPart(t *testing.T) {
	root, err := parseXML([]byte(`<a xmlns="u" xmlns:x="v"><x:b xmlns:y="w"><y:c/></x:b></a>`))
	if err != nil {
		t.Fatal(err)
	}
	b := root.content[0].child
	inherited := append(append([]namespace{}, root.namespaces...), b.namespaces...)
	if got, want := string(b.content[0].child.canonical(inherited, nil)), `<y:c xmlns="u" xmlns:x="v" xmlns:y="w"></y:c>`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := string(root.canonical(nil, b)), `<a xmlns="u" xmlns:x="v"></a>`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// One name is one namespace and one local name, whatever the prefix.
func TestAttributeTwice(t *testing.T) {
	if _, err := parseXML([]byte(`<a xmlns:x="u" xmlns:y="u" x:b="1" y:b="2"/>`)); err == nil {
		t.Error("accepted")
	}
}
