package abi

import "math"

// extent is the room values of a type take: least and most bits, and most
// references. endless stands for what has no bound but the cell's.
type extent struct{ least, most, refs int }

const endless = math.MaxInt32

func (e extent) plus(o extent) extent {
	return extent{min(e.least+o.least, endless), min(e.most+o.most, endless), min(e.refs+o.refs, endless)}
}

func (e extent) or(o extent) extent {
	return extent{min(e.least, o.least), max(e.most, o.most), max(e.refs, o.refs)}
}

// fixed is the number of bits if it is always the same and there are no
// references, as keys of a dictionary need.
func (e extent) fixed() (uint, bool) {
	return uint(max(e.most, 0)), e.least == e.most && e.refs == 0 && e.most > 0 && e.most <= 1023
}

// measurer bounds the work: types may contain themselves, or others very often.
type measurer struct{ steps, depth int }

const (
	maxMeasureSteps = 10_000
	maxMeasureDepth = 100
)

func measure(t Type) extent { return new(measurer).of(t) }

func (m *measurer) of(t Type) extent {
	m.steps++
	m.depth++
	defer func() { m.depth-- }()
	if t == nil || m.steps > maxMeasureSteps || m.depth > maxMeasureDepth {
		return extent{0, endless, endless}
	}
	return t.measure(m)
}

func exactly(bits int) extent { return extent{bits, bits, 0} }

func (t Simple) measure(*measurer) extent {
	switch t {
	case Coins:
		return extent{4, 124, 0}
	case Bool:
		return exactly(1)
	case Cell, String:
		return extent{0, 0, 1}
	case Address:
		return exactly(267)
	case AddressOpt:
		return extent{2, 267, 0}
	case AddressExt:
		return extent{11, 11 + 511, 0}
	case AddressAny:
		return extent{2, 2 + 9 + 512, 0} // as the compiler has it
	case Null:
		return extent{}
	}
	return extent{0, endless, endless}
}

func (t Int) measure(*measurer) extent       { return exactly(int(t)) }
func (t Uint) measure(*measurer) extent      { return exactly(int(t)) }
func (t VarInt) measure(*measurer) extent    { return variable(uint8(t)) }
func (t VarUint) measure(*measurer) extent   { return variable(uint8(t)) }
func (t BitString) measure(*measurer) extent { return exactly(int(t)) }

func variable(n uint8) extent {
	bits := lengthBits(n)
	return extent{int(bits), int(bits) + 8*(max(int(n), 1)-1), 0}
}

func (t Optional) measure(m *measurer) extent {
	return exactly(1).plus(m.of(t.Of).or(extent{}))
}

func (t Ref) measure(*measurer) extent   { return extent{0, 0, 1} }
func (t Array) measure(*measurer) extent { return extent{9, 9, 1} }
func (t List) measure(*measurer) extent  { return extent{0, 0, 1} }
func (t Map) measure(*measurer) extent   { return extent{1, 1, 1} }

func (t Tuple) measure(m *measurer) (sum extent) {
	for _, item := range t.Items {
		sum = sum.plus(m.of(item))
	}
	return sum
}

func (t *Enum) measure(m *measurer) extent { return m.of(t.As) }

func (t *Struct) measure(m *measurer) (sum extent) {
	if t.Prefix != nil {
		sum = exactly(int(t.Prefix.Bits))
	}
	for _, f := range t.Fields {
		sum = sum.plus(m.of(f.Type))
	}
	return sum
}

func (t *Union) measure(m *measurer) (all extent) {
	for i, v := range t.Variants {
		one := m.of(v.Type)
		if v.Implicit {
			one = one.plus(exactly(int(v.Prefix.Bits)))
		}
		if i == 0 {
			all = one
		}
		all = all.or(one)
	}
	return all
}

func (t Opaque) measure(*measurer) extent { return extent{0, endless, endless} }
func (t Stack) measure(*measurer) extent  { return extent{0, endless, endless} }

// perCell is how many values of a type the compiler puts into one cell of an
// array: a bit and a reference of it lead to the next.
func perCell(t Type) int {
	e := measure(t)
	n := 255
	if e.most > 0 {
		n = min(n, 1022/e.most)
	}
	if e.refs > 0 {
		n = min(n, 3/e.refs)
	}
	return max(n, 1)
}
