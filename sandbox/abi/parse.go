package abi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

const (
	// SchemaVersion is the version of the JSON this package reads.
	SchemaVersion = "1.0"
	// MaxSchema bounds the JSON. All else is bounded by it, since what is made
	// of it is no larger than the JSON.
	MaxSchema = 4 << 20
)

// Parse reads the ABI JSON of the Tolk compiler.
func Parse(data []byte) (Contract, error) {
	if len(data) > MaxSchema {
		return Contract{}, fmt.Errorf("abi of %d bytes: %w", len(data), ErrTooLarge)
	}
	in := json.NewDecoder(bytes.NewReader(data))
	in.DisallowUnknownFields()
	var raw jsonContract
	if err := in.Decode(&raw); err != nil {
		return Contract{}, fmt.Errorf("%w: %v", ErrSchema, err) // the library's text only
	}
	if in.More() {
		return Contract{}, fmt.Errorf("more after the JSON: %w", ErrSchema)
	}
	if raw.SchemaVersion != SchemaVersion {
		return Contract{}, fmt.Errorf("schema version %q, not %q: %w", raw.SchemaVersion, SchemaVersion, ErrSchema)
	}
	p := &parser{raw: raw, types: make([]Type, len(raw.Types)), busy: make([]bool, len(raw.Types))}
	c, err := p.contract()
	if err != nil {
		return Contract{}, fmt.Errorf("abi of %q: %w", raw.Name, err)
	}
	return c, nil
}

// parser makes types of their descriptions, each once, since they refer to
// each other by number.
type parser struct {
	raw   jsonContract
	types []Type
	busy  []bool // being made: a type that needs itself now never ends

	declared  map[string]*jsonDeclaration
	structsOf map[int]*jsonStructOf
	aliasesOf map[int]*jsonAliasOf
}

func bad(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrSchema)...)
}

func (p *parser) contract() (Contract, error) {
	if err := p.index(); err != nil {
		return Contract{}, err
	}
	// All types are made, used or not: those that nothing refers to are still
	// described, and description is checked.
	for i := range p.types {
		if _, err := p.typ(&i); err != nil {
			return Contract{}, err
		}
	}
	c := Contract{Name: p.raw.Name, Author: p.raw.Author, Version: p.raw.Version, Description: p.raw.Description}
	var err error
	if c.Storage, err = p.optional(p.raw.Storage.Type); err != nil {
		return Contract{}, err
	}
	if c.StorageAtDeploy, err = p.optional(p.raw.Storage.AtDeploy); err != nil {
		return Contract{}, err
	}
	for _, list := range []struct {
		from []jsonMessage
		to   *[]Message
	}{{p.raw.Incoming, &c.Incoming}, {p.raw.External, &c.External}, {p.raw.Outgoing, &c.Outgoing}, {p.raw.Events, &c.Events}} {
		for _, m := range list.from {
			message, err := p.message(m)
			if err != nil {
				return Contract{}, err
			}
			*list.to = append(*list.to, message)
		}
	}
	for _, g := range p.raw.Getters {
		getter := Getter{Name: g.Name, ID: g.ID, Description: g.Description}
		if getter.Params, err = p.fields(g.Params); err != nil {
			return Contract{}, err
		}
		if getter.Returns, err = p.typ(g.Returns); err != nil {
			return Contract{}, err
		}
		c.Getters = append(c.Getters, getter)
	}
	for _, e := range p.raw.Errors {
		c.Errors = append(c.Errors, ThrownError{Code: e.Code, Name: e.Name, Description: e.Description})
	}
	c.Code, err = p.code()
	return c, err
}

func (p *parser) code() (*cell.Cell, error) {
	if len(p.raw.Code) == 0 {
		return nil, nil
	}
	code, err := cell.FromBOC(p.raw.Code)
	if err == nil {
		err = tlb.CheckCell(code)
	}
	if err != nil {
		return nil, bad("code: %v", err)
	}
	return code, nil
}

func (p *parser) index() error {
	p.declared = map[string]*jsonDeclaration{}
	for i := range p.raw.Declarations {
		d := &p.raw.Declarations[i]
		if d.Name == "" || p.declared[d.Name] != nil {
			return bad("declaration %q twice, or without a name", d.Name)
		}
		p.declared[d.Name] = d
	}
	p.structsOf = map[int]*jsonStructOf{}
	for i := range p.raw.StructInstances {
		of := &p.raw.StructInstances[i]
		if of.Type == nil || p.structsOf[*of.Type] != nil {
			return bad("struct instance %q twice, or of no type", of.Name)
		}
		p.structsOf[*of.Type] = of
	}
	p.aliasesOf = map[int]*jsonAliasOf{}
	for i := range p.raw.AliasInstances {
		of := &p.raw.AliasInstances[i]
		if of.Type == nil || p.aliasesOf[*of.Type] != nil {
			return bad("alias instance %q twice, or of no type", of.Name)
		}
		p.aliasesOf[*of.Type] = of
	}
	return nil
}

func (p *parser) message(m jsonMessage) (Message, error) {
	body, err := p.typ(m.Body)
	if err != nil {
		return Message{}, err
	}
	out := Message{Body: body, Description: m.Description}
	if raw := p.raw.Types[*m.Body]; raw.Kind == "AliasRef" {
		out.Name = raw.Alias
	}
	if s, ok := body.(*Struct); ok && out.Description == "" {
		out.Description = s.Description
	}
	return out, nil
}

func (p *parser) fields(from []jsonField) ([]Field, error) {
	var out []Field
	for _, f := range from {
		number := f.Type
		if f.Client != nil {
			number = f.Client
		}
		t, err := p.typ(number)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		out = append(out, Field{Name: f.Name, Type: t, Description: f.Description})
	}
	return out, nil
}

func (p *parser) optional(number *int) (Type, error) {
	if number == nil {
		return nil, nil
	}
	return p.typ(number)
}

// typ is the type with a number.
func (p *parser) typ(number *int) (Type, error) {
	if number == nil || *number < 0 || *number >= len(p.types) {
		return nil, bad("no such type")
	}
	i := *number
	if p.types[i] != nil {
		return p.types[i], nil
	}
	if p.busy[i] {
		return nil, bad("type %d contains itself", i)
	}
	p.busy[i] = true
	defer func() { p.busy[i] = false }()
	t, err := p.build(i, p.raw.Types[i])
	if err != nil {
		return nil, fmt.Errorf("type %d: %w", i, err)
	}
	p.types[i] = t
	return t, nil
}

var simpleKinds = map[string]Type{
	"coins": Coins, "bool": Bool, "cell": Cell, "string": String, "remaining": Remaining, "slice": Remaining,
	"builder": Remaining, "address": Address, "addressOpt": AddressOpt, "addressExt": AddressExt, "addressAny": AddressAny,
	"nullLiteral": Null, "void": Null, "int": Stack{"int"}, "callable": Stack{"continuation"}, "unknown": Stack{"unknown"},
}

func (p *parser) build(i int, raw jsonType) (Type, error) {
	if t, ok := simpleKinds[raw.Kind]; ok {
		return t, nil
	}
	within := func(low, high int) error {
		if raw.N < low || raw.N > high {
			return bad("%s of %d bits", raw.Kind, raw.N)
		}
		return nil
	}
	switch raw.Kind {
	case "intN":
		return Int(raw.N), within(1, 257)
	case "uintN":
		return Uint(raw.N), within(1, 256)
	case "varintN":
		return VarInt(raw.N), within(16, 32)
	case "varuintN":
		return VarUint(raw.N), within(16, 32)
	case "bitsN":
		return BitString(raw.N), within(1, 1023)
	case "genericT":
		return Stack{raw.Generic}, nil
	case "nullable":
		return p.nullable(raw)
	case "cellOf":
		of, err := p.typ(raw.Inner)
		return Ref{of}, err
	case "arrayOf":
		of, err := p.typ(raw.Inner)
		return Array{of}, err
	case "lispListOf":
		of, err := p.typ(raw.Inner)
		return List{of}, err
	case "tensor", "shapedTuple":
		var t Tuple
		for _, item := range raw.Items {
			of, err := p.typ(&item)
			if err != nil {
				return nil, err
			}
			t.Items = append(t.Items, of)
		}
		return t, nil
	case "mapKV":
		key, err := p.typ(raw.Key)
		if err != nil {
			return nil, err
		}
		value, err := p.typ(raw.Value)
		return Map{key, value}, err
	case "union":
		return p.union(raw)
	case "StructRef":
		return p.structOf(i, raw)
	case "AliasRef":
		return p.alias(i, raw)
	case "EnumRef":
		return p.enum(raw)
	}
	return nil, bad("kind %q", raw.Kind)
}

// nullable refuses what is null already: a null within could not be told from
// one without.
func (p *parser) nullable(raw jsonType) (Type, error) {
	of, err := p.typ(raw.Inner)
	if err != nil {
		return nil, err
	}
	if _, twice := of.(Optional); twice || of == Null || of == AddressOpt {
		return nil, bad("%s is null twice", of)
	}
	return Optional{of}, nil
}

func (p *parser) union(raw jsonType) (Type, error) {
	t := &Union{}
	names := map[string]bool{}
	for _, v := range raw.Variants {
		of, err := p.typ(v.Type)
		if err != nil {
			return nil, err
		}
		if v.PrefixLen > 64 || v.PrefixLen < 64 && v.PrefixNum>>v.PrefixLen != 0 {
			return nil, bad("prefix %d of %d bits", v.PrefixNum, v.PrefixLen)
		}
		if names[of.String()] {
			return nil, bad("union of %s twice", of)
		}
		names[of.String()] = true
		t.Variants = append(t.Variants, Option{Type: of, Prefix: Prefix{v.PrefixNum, v.PrefixLen}, Implicit: v.Implicit})
	}
	if len(t.Variants) < 2 {
		return nil, bad("union of %d types", len(t.Variants))
	}
	return t, nil
}

func (p *parser) declaration(kind, name string) (*jsonDeclaration, error) {
	d := p.declared[name]
	if d == nil || d.Kind != kind {
		return nil, bad("%s %q is not declared", kind, name)
	}
	return d, nil
}

func (p *parser) structOf(i int, raw jsonType) (Type, error) {
	d, err := p.declaration("struct", raw.Struct)
	if err != nil {
		return nil, err
	}
	fields, custom, called := d.Fields, d.Custom.any(), d.Name
	if of := p.structsOf[i]; of != nil {
		if len(of.Fields) != len(fields) {
			return nil, bad("%s has %d fields, not %d", of.Name, len(fields), len(of.Fields))
		}
		custom, called = custom || of.Custom.any(), of.Name
		fields = append([]jsonField(nil), fields...)
		for f := range fields {
			fields[f].Type = &of.Fields[f]
		}
	}
	if custom {
		return Opaque{called}, nil
	}
	t := &Struct{Name: called, Description: d.Description}
	if d.Prefix != nil {
		if d.Prefix.Bits < 1 || d.Prefix.Bits > 64 || d.Prefix.Bits < 64 && d.Prefix.Num>>d.Prefix.Bits != 0 {
			return nil, bad("prefix %d of %d bits", d.Prefix.Num, d.Prefix.Bits)
		}
		t.Prefix = &Prefix{d.Prefix.Num, d.Prefix.Bits}
	}
	// The struct is there for its own fields to refer to.
	p.types[i] = t
	if t.Fields, err = p.fields(fields); err != nil {
		return nil, fmt.Errorf("struct %s: %w", called, err)
	}
	seen := map[string]bool{}
	for _, f := range t.Fields {
		if seen[f.Name] {
			return nil, bad("struct %s has two fields %q", called, f.Name)
		}
		seen[f.Name] = true
	}
	return t, nil
}

func (p *parser) alias(i int, raw jsonType) (Type, error) {
	d, err := p.declaration("alias", raw.Alias)
	if err != nil {
		return nil, err
	}
	target, custom := d.Target, d.Custom.any()
	if of := p.aliasesOf[i]; of != nil {
		target, custom = of.Target, custom || of.Custom.any()
	}
	if custom {
		return Opaque{d.Name}, nil
	}
	return p.typ(target)
}

func (p *parser) enum(raw jsonType) (Type, error) {
	d, err := p.declaration("enum", raw.Enum)
	if err != nil {
		return nil, err
	}
	if d.Custom.any() {
		return Opaque{d.Name}, nil
	}
	as, err := p.typ(d.EncodedAs)
	if err != nil {
		return nil, err
	}
	t := &Enum{Name: d.Name, As: as}
	seen := map[string]bool{}
	for _, m := range d.Members {
		value, ok := new(big.Int).SetString(m.Value.String(), 10)
		if !ok || value.BitLen() > 257 || seen[m.Name] {
			return nil, bad("member %q of %s twice, or not a number", m.Name, d.Name)
		}
		seen[m.Name] = true
		t.Members = append(t.Members, Member{m.Name, value})
	}
	if len(t.Members) == 0 {
		return nil, bad("enum %s without members", d.Name)
	}
	return t, nil
}
