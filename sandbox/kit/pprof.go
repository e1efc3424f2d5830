package kit

import (
	"compress/gzip"
	"encoding/binary"
	"io"
	"slices"
	"strings"
)

// pprof is a profile in the format of https://github.com/google/pprof
// (proto/profile.proto), as much of it as is needed: samples of gas and of
// instructions, whose stacks are names. The numbers in the code are those of
// the fields there.
type pprof struct {
	strings map[string]int64
	table   []string
	frames  map[string]uint64 // by name; a frame is a location and its function
	order   []string
	samples map[string]*sample // by stack
}

type sample struct {
	stack      []uint64
	gas, count int64
}

func newPprof() *pprof {
	p := &pprof{strings: map[string]int64{}, frames: map[string]uint64{}, samples: map[string]*sample{}}
	p.text("") // by definition the first
	return p
}

// add counts gas for a stack, innermost frame first.
func (p *pprof) add(gas int64, stack ...string) {
	id := strings.Join(stack, "\x00")
	s, ok := p.samples[id]
	if !ok {
		s = &sample{}
		for _, name := range stack {
			s.stack = append(s.stack, p.frame(name))
		}
		p.samples[id] = s
	}
	s.gas += gas
	s.count++
}

func (p *pprof) frame(name string) uint64 {
	id, ok := p.frames[name]
	if !ok {
		p.order = append(p.order, name)
		id = uint64(len(p.order)) // from 1
		p.frames[name] = id
	}
	return id
}

func (p *pprof) text(s string) int64 {
	i, ok := p.strings[s]
	if !ok {
		i = int64(len(p.table))
		p.strings[s], p.table = i, append(p.table, s)
	}
	return i
}

// write encodes the profile. The same samples make the same bytes.
func (p *pprof) write(w io.Writer) error {
	var out message
	for _, kind := range []struct{ name, unit string }{{"instructions", "count"}, {"gas", "gas"}} {
		var value message // ValueType
		value.number(1, p.text(kind.name))
		value.number(2, p.text(kind.unit))
		out.message(1, value)
	}
	ids := make([]string, 0, len(p.samples))
	for id := range p.samples {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		s := p.samples[id]
		var m message // Sample
		for _, frame := range s.stack {
			m.number(1, int64(frame))
		}
		m.number(2, s.count)
		m.number(2, s.gas)
		out.message(2, m)
	}
	for i, name := range p.order {
		id := int64(i + 1)
		var line, location, function message
		line.number(1, id)
		location.number(1, id)
		location.message(4, line)
		out.message(4, location)
		function.number(1, id)
		function.number(2, p.text(name))
		out.message(5, function)
	}
	gas := p.text("gas")
	for _, s := range p.table {
		out.bytes(6, []byte(s))
	}
	out.number(14, gas) // default_sample_type
	zip := gzip.NewWriter(w)
	if _, err := zip.Write(out); err != nil {
		return err
	}
	return zip.Close()
}

// message is a protobuf message being written.
type message []byte

func (m *message) number(field int, v int64) {
	*m = binary.AppendUvarint(*m, uint64(field)<<3)
	*m = binary.AppendUvarint(*m, uint64(v))
}

func (m *message) bytes(field int, v []byte) {
	*m = binary.AppendUvarint(*m, uint64(field)<<3|2)
	*m = binary.AppendUvarint(*m, uint64(len(v)))
	*m = append(*m, v...)
}

func (m *message) message(field int, v message) { m.bytes(field, v) }
