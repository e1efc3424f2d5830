package gpu

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The documents of reference measurements come from one program and use little
// of XML. Only that little is read here, and it has one meaning: elements,
// attributes in double quotes, text; ASCII. There are no declarations, entities,
// comments, sections, references or xml: attributes, so nothing can expand, hide
// or be read in two ways, and what is checked against a signature is the tree
// that is used.
const (
	maxDocument   = 64 << 10
	maxDepth      = 8
	maxElements   = 256
	maxAttributes = 32
)

// name is an expanded XML name.
type name struct{ space, local string }

// element is an element with its names resolved.
type element struct {
	name
	prefix     string
	attributes []attribute
	namespaces []namespace // declared here
	content    []node
}

type attribute struct {
	name
	prefix string
	value  string
}

// namespace is a declaration; the prefix of a default one is empty.
type namespace struct{ prefix, uri string }

// node is text or an element.
type node struct {
	text  string
	child *element
}

var errXML = errors.New("not in the XML that reference measurements use")

// parseXML reads a document: its root, and line breaks after it.
func parseXML(b []byte) (*element, error) {
	if len(b) > maxDocument {
		return nil, fmt.Errorf("document of %d bytes", len(b))
	}
	for i, c := range b {
		if c != '\n' && c != '\t' && (c < ' ' || c > '~') || c == '&' {
			return nil, fmt.Errorf("%w: byte %#x at %d", errXML, c, i)
		}
	}
	p := &xmlParser{rest: string(b)}
	root, err := p.element(nil, 1)
	if err != nil {
		return nil, fmt.Errorf("%w at %d", err, len(b)-len(p.rest))
	}
	if strings.Trim(p.rest, "\n") != "" {
		return nil, fmt.Errorf("%w: content after the root", errXML)
	}
	return root, nil
}

type xmlParser struct {
	rest     string
	elements int
}

func (p *xmlParser) take(s string) bool {
	rest, ok := strings.CutPrefix(p.rest, s)
	if ok {
		p.rest = rest
	}
	return ok
}

// until returns what comes before a byte, and drops that byte.
func (p *xmlParser) until(end byte) (string, bool) {
	i := strings.IndexByte(p.rest, end)
	if i < 0 {
		return "", false
	}
	s := p.rest[:i]
	p.rest = p.rest[i+1:]
	return s, true
}

// qualified reads prefix:local or local.
func (p *xmlParser) qualified() (prefix, local string, ok bool) {
	local = p.simple()
	if local == "" || !p.take(":") {
		return "", local, local != ""
	}
	prefix, local = local, p.simple()
	return prefix, local, local != ""
}

// simple reads a name without a colon; empty if there is none.
func (p *xmlParser) simple() string {
	n := 0
	for n < len(p.rest) && nameByte(p.rest[n], n == 0) {
		n++
	}
	s := p.rest[:n]
	p.rest = p.rest[n:]
	return s
}

func nameByte(c byte, first bool) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || !first && (c >= '0' && c <= '9' || c == '-' || c == '.')
}

// element reads one element. scope holds the namespaces in force, nearest last.
func (p *xmlParser) element(scope []namespace, depth int) (*element, error) {
	if p.elements++; depth > maxDepth || p.elements > maxElements {
		return nil, fmt.Errorf("%w: too deep or too many elements", errXML)
	}
	e := &element{}
	var ok bool
	if !p.take("<") {
		return nil, fmt.Errorf("%w: no element", errXML)
	}
	if e.prefix, e.local, ok = p.qualified(); !ok {
		return nil, fmt.Errorf("%w: name of an element", errXML)
	}
	if err := p.attributes(e); err != nil {
		return nil, err
	}
	scope = append(slices.Clip(scope), e.namespaces...)
	if err := e.resolve(scope); err != nil {
		return nil, err
	}
	if p.take("/>") {
		return e, nil
	}
	if !p.take(">") {
		return nil, fmt.Errorf("%w: tag", errXML)
	}
	for {
		i := strings.IndexByte(p.rest, '<')
		if i < 0 || strings.Contains(p.rest[:i], ">") {
			return nil, fmt.Errorf("%w: text", errXML)
		}
		if i > 0 {
			e.content = append(e.content, node{text: p.rest[:i]})
			p.rest = p.rest[i:]
		}
		if p.take("</") {
			prefix, local, _ := p.qualified()
			if prefix != e.prefix || local != e.local || !p.take(">") {
				return nil, fmt.Errorf("%w: end of %q", errXML, e.local)
			}
			return e, nil
		}
		child, err := p.element(scope, depth+1)
		if err != nil {
			return nil, err
		}
		e.content = append(e.content, node{child: child})
	}
}

// attributes reads attributes and namespace declarations, one space before each.
func (p *xmlParser) attributes(e *element) error {
	for p.take(" ") {
		prefix, local, ok := p.qualified()
		if !ok || !p.take(`="`) {
			return fmt.Errorf("%w: attribute", errXML)
		}
		value, ok := p.until('"')
		if !ok || strings.ContainsAny(value, "<\n\t") {
			return fmt.Errorf("%w: value of %q", errXML, local)
		}
		if len(e.attributes)+len(e.namespaces) == maxAttributes {
			return fmt.Errorf("%w: too many attributes", errXML)
		}
		switch {
		case prefix == "" && local == "xmlns":
			e.namespaces = append(e.namespaces, namespace{"", value})
		case prefix == "xmlns":
			e.namespaces = append(e.namespaces, namespace{local, value})
		default:
			e.attributes = append(e.attributes, attribute{name{"", local}, prefix, value})
		}
	}
	return nil
}

// resolve expands names, and refuses what is declared or set twice.
func (e *element) resolve(scope []namespace) error {
	for i, n := range e.namespaces {
		if n.uri == "" || strings.HasPrefix(n.prefix, "xml") {
			return fmt.Errorf("%w: namespace %q", errXML, n.prefix)
		}
		for _, other := range e.namespaces[:i] {
			if other.prefix == n.prefix {
				return fmt.Errorf("%w: namespace %q twice", errXML, n.prefix)
			}
		}
	}
	var ok bool
	if e.space, ok = lookup(scope, e.prefix); !ok {
		return fmt.Errorf("%w: prefix %q", errXML, e.prefix)
	}
	for i := range e.attributes {
		a := &e.attributes[i]
		if a.prefix != "" { // a default namespace does not apply to attributes
			if a.space, ok = lookup(scope, a.prefix); !ok {
				return fmt.Errorf("%w: prefix %q", errXML, a.prefix)
			}
		}
		for _, other := range e.attributes[:i] {
			if other.name == a.name {
				return fmt.Errorf("%w: attribute %q twice", errXML, a.local)
			}
		}
	}
	return nil
}

func lookup(scope []namespace, prefix string) (string, bool) {
	for _, n := range slices.Backward(scope) {
		if n.prefix == prefix {
			return n.uri, true
		}
	}
	return "", prefix == ""
}

// canonical writes an element as Canonical XML 1.1 has it, without one of the
// root's children. inherited are the namespaces in force around it, which the
// canonical form of a part of a document repeats.
func (e *element) canonical(inherited []namespace, without *element) []byte {
	var b bytes.Buffer
	e.write(&b, inherited, nil, without)
	return b.Bytes()
}

// write writes one element. fresh are namespaces in force and not yet written,
// written those that are.
func (e *element) write(b *bytes.Buffer, fresh, written []namespace, without *element) {
	var out []namespace
	for _, n := range slices.Backward(append(slices.Clip(fresh), e.namespaces...)) {
		uri, _ := lookup(written, n.prefix)
		if uri != n.uri && !slices.ContainsFunc(out, func(o namespace) bool { return o.prefix == n.prefix }) {
			out = append(out, n)
		}
	}
	slices.SortFunc(out, func(a, b namespace) int { return strings.Compare(a.prefix, b.prefix) })
	sorted := slices.Clone(e.attributes)
	slices.SortFunc(sorted, func(a, b attribute) int {
		if c := strings.Compare(a.space, b.space); c != 0 {
			return c
		}
		return strings.Compare(a.local, b.local)
	})

	tag := qualifiedName(e.prefix, e.local)
	b.WriteString("<" + tag)
	for _, n := range out {
		if n.prefix == "" {
			b.WriteString(` xmlns="` + n.uri + `"`)
		} else {
			b.WriteString(` xmlns:` + n.prefix + `="` + n.uri + `"`)
		}
	}
	for _, a := range sorted {
		b.WriteString(" " + qualifiedName(a.prefix, a.local) + `="` + a.value + `"`)
	}
	b.WriteString(">")
	written = append(slices.Clip(written), out...)
	for _, n := range e.content {
		switch {
		case n.child == nil:
			b.WriteString(n.text)
		case n.child != without:
			n.child.write(b, nil, written, without)
		}
	}
	b.WriteString("</" + tag + ">")
}

func qualifiedName(prefix, local string) string {
	if prefix == "" {
		return local
	}
	return prefix + ":" + local
}
