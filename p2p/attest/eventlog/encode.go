package eventlog

import (
	"encoding/binary"
	"fmt"
)

// Encode is the log as firmware writes it, without filling. It is an error when
// an event's digests are not those that the log declares.
func (l *Log) Encode() ([]byte, error) {
	le := binary.LittleEndian
	spec := le.AppendUint32([]byte(specSignature), l.Header.Class)
	spec = append(spec, 0, 2, l.Header.Errata, l.Header.Word)
	spec = le.AppendUint32(spec, uint32(len(l.Algorithms)))
	for _, a := range l.Algorithms {
		spec = le.AppendUint16(spec, uint16(a))
		spec = le.AppendUint16(spec, uint16(a.size()))
	}
	spec = append(spec, 0)

	b := le.AppendUint32(nil, l.Header.Index)
	b = le.AppendUint32(b, uint32(NoAction))
	b = append(b, make([]byte, 20)...)
	b = le.AppendUint32(b, uint32(len(spec)))
	b = append(b, spec...)
	for i, e := range l.Events {
		b = le.AppendUint32(b, e.Index)
		b = le.AppendUint32(b, uint32(e.Type))
		b = le.AppendUint32(b, uint32(len(e.Digests)))
		if len(e.Digests) != len(l.Algorithms) {
			return nil, fmt.Errorf("encode event %d: %w", i, ErrDigests)
		}
		for j, d := range e.Digests {
			if d.Algorithm != l.Algorithms[j] || len(d.Value) != d.Algorithm.size() {
				return nil, fmt.Errorf("encode event %d: %w", i, ErrDigests)
			}
			b = le.AppendUint16(b, uint16(d.Algorithm))
			b = append(b, d.Value...)
		}
		b = le.AppendUint32(b, uint32(len(e.Data)))
		b = append(b, e.Data...)
	}
	return b, nil
}
