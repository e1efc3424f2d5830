package kit

import (
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox/abi"
)

// ABI makes names of a contract's description, for [World.Describe] and
// [World.Code].
func ABI(c abi.Contract) Names { return described{c} }

type described struct{ abi.Contract }

// Body decodes a message.
func (d described) Body(body *cell.Cell) []Field {
	r, err := d.Decode(body)
	if err != nil {
		return nil
	}
	return fields(r)
}

// Storage decodes the contract's data, as it is after the contract ran or as it
// was deployed.
func (d described) Storage(data *cell.Cell) []Field {
	for _, t := range []abi.Type{d.Contract.Storage, d.StorageAtDeploy} {
		if t == nil {
			continue
		}
		v, err := abi.Unpack(t, data)
		if err != nil {
			continue
		}
		if r, ok := v.(abi.Record); ok {
			return fields(r)
		}
		return []Field{{Name: t.String(), Value: abi.Text(v)}}
	}
	return nil
}

func fields(r abi.Record) []Field {
	out := make([]Field, len(r.Fields))
	for i, f := range r.Fields {
		out[i] = Field{Name: f.Name, Value: abi.Text(f.Value)}
	}
	return out
}
