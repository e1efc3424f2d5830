package control

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// ErrValue says that a text is not the value it should be.
var ErrValue = errors.New("not a valid value")

// Address is an account's address.
type Address struct{ *address.Address }

type addressJSON struct {
	Friendly string `json:"friendly"`
	Raw      string `json:"raw"`
}

// MarshalJSON writes both forms.
func (a Address) MarshalJSON() ([]byte, error) {
	return json.Marshal(addressJSON{Friendly: a.String(), Raw: a.StringRaw()})
}

// UnmarshalJSON reads a text, or what MarshalJSON writes.
func (a *Address) UnmarshalJSON(data []byte) error {
	if !isObject(data) {
		return unmarshalString(data, a)
	}
	var both addressJSON
	if err := unmarshalObject(data, &both); err != nil {
		return err
	}
	return a.UnmarshalText([]byte(both.Raw))
}

// UnmarshalText reads an address in any of its forms.
func (a *Address) UnmarshalText(text []byte) error {
	read := string(text)
	if strings.Contains(read, ":") {
		parsed, err := address.ParseRawAddr(read)
		if err != nil {
			return fmt.Errorf("%w: %q is no address: %v", ErrValue, read, err)
		}
		a.Address = parsed
		return nil
	}
	url := strings.NewReplacer("+", "-", "/", "_").Replace(read)
	parsed, err := address.ParseAddr(url)
	// The library takes any tag byte; the four there are come out as they went in.
	if err != nil || parsed.String() != url {
		return fmt.Errorf("%w: %q is no address", ErrValue, read)
	}
	a.Address = parsed
	return nil
}

// IsZero is for optional parameters and fields.
func (a Address) IsZero() bool { return a.Address == nil }

// Amount is an amount of coins.
type Amount tlb.Nano

func (a Amount) String() string { return tlb.Nano(a).String() }

type amountJSON struct {
	Nano string `json:"nano"`
	Text string `json:"text"`
}

// MarshalJSON writes the amount for programs and for people.
func (a Amount) MarshalJSON() ([]byte, error) {
	return json.Marshal(amountJSON{Nano: strconv.FormatUint(uint64(a), 10), Text: a.String()})
}

// UnmarshalJSON reads a text, or what MarshalJSON writes. It reads no bare
// number: some would mean TON, others nanoTON.
func (a *Amount) UnmarshalJSON(data []byte) error {
	if !isObject(data) {
		return unmarshalString(data, a)
	}
	var both amountJSON
	if err := unmarshalObject(data, &both); err != nil {
		return err
	}
	return a.UnmarshalText([]byte(both.Nano + " nano"))
}

// UnmarshalText reads what [tlb.ParseNano] reads.
func (a *Amount) UnmarshalText(text []byte) error {
	n, err := tlb.ParseNano(string(text))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrValue, err)
	}
	*a = Amount(n)
	return nil
}

func isObject(data []byte) bool { return len(data) > 0 && data[0] == '{' }

func unmarshalObject(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: %v", ErrValue, err)
	}
	return nil
}

func unmarshalString(data []byte, text interface{ UnmarshalText([]byte) error }) error {
	var s string
	if len(data) == 0 || data[0] != '"' || json.Unmarshal(data, &s) != nil {
		return fmt.Errorf("%w: a string is expected", ErrValue)
	}
	return text.UnmarshalText([]byte(s))
}

// Cell is a cell with all below it.
type Cell struct{ *cell.Cell }

// MarshalJSON writes the BoC in base64.
func (c Cell) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }

func (c Cell) String() string { return base64.StdEncoding.EncodeToString(c.ToBOC()) }

// UnmarshalJSON reads a string as UnmarshalText does.
func (c *Cell) UnmarshalJSON(data []byte) error { return unmarshalString(data, c) }

// UnmarshalText reads a BoC in hex or base64.
func (c *Cell) UnmarshalText(text []byte) error {
	boc, err := parseBytes(string(text))
	if err == nil {
		c.Cell, err = cell.FromBOC(boc)
	}
	if err != nil {
		return fmt.Errorf("%w: no BoC in hex or base64: %v", ErrValue, err)
	}
	return nil
}

// IsZero is for optional parameters and fields.
func (c Cell) IsZero() bool { return c.Cell == nil }

// parseBytes reads hex, base64 or base64url. No BoC and no hash is valid as
// more than one of them: in base64 a BoC begins with "te", and a hash of 32
// bytes has another length.
func parseBytes(text string) ([]byte, error) {
	if b, err := hex.DecodeString(text); err == nil {
		return b, nil
	}
	plain := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(text), "=")
	return base64.RawStdEncoding.DecodeString(plain)
}

// Hash of a message, transaction or block.
type Hash [32]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes hex.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads hex or base64.
func (h *Hash) UnmarshalText(text []byte) error {
	b, err := parseBytes(string(text))
	if err != nil || len(b) != len(h) {
		return fmt.Errorf("%w: %q is no hash in hex or base64", ErrValue, text)
	}
	copy(h[:], b)
	return nil
}

// IsZero is for optional parameters and fields.
func (h Hash) IsZero() bool { return h == Hash{} }

// Time of a block: whole seconds.
type Time struct{ time.Time }

func (t Time) String() string { return t.UTC().Format(time.RFC3339) }

// MarshalJSON writes RFC 3339, in UTC.
func (t Time) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }

// UnmarshalJSON reads a string as UnmarshalText does, or a number of seconds.
func (t *Time) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] >= '0' && data[0] <= '9' {
		return t.UnmarshalText(data)
	}
	return unmarshalString(data, t)
}

// UnmarshalText reads RFC 3339 or Unix seconds.
func (t *Time) UnmarshalText(text []byte) error {
	if unix, err := strconv.ParseUint(string(text), 10, 32); err == nil {
		t.Time = time.Unix(int64(unix), 0).UTC()
		return nil
	}
	parsed, err := time.Parse(time.RFC3339, string(text))
	if err != nil || parsed.Unix() < 0 || parsed.Unix() > math.MaxUint32 {
		return fmt.Errorf("%w: %q is no time in RFC 3339 or Unix seconds", ErrValue, text)
	}
	t.Time = parsed
	return nil
}

// Duration is written as Go does: "1h30m".
type Duration time.Duration

func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes what UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what [time.ParseDuration] reads.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%w: %q is no duration such as 1h30m", ErrValue, text)
	}
	*d = Duration(parsed)
	return nil
}

// Mode says when blocks are made: instant, interval or manual.
type Mode sandbox.Mode

var modeNames = [...]string{sandbox.Instant: "instant", sandbox.Interval: "interval", sandbox.Manual: "manual"}

func (m Mode) String() string {
	if int(m) < len(modeNames) {
		return modeNames[m]
	}
	return fmt.Sprintf("Mode(%d)", uint8(m))
}

// MarshalText writes the mode's name.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads a mode's name.
func (m *Mode) UnmarshalText(text []byte) error {
	for i, name := range modeNames {
		if name == string(text) {
			*m = Mode(i)
			return nil
		}
	}
	return fmt.Errorf("%w: %q is no mode; there are instant, interval and manual", ErrValue, text)
}

// ParseFile reads a BoC as files have it: as it is, in hex or in base64.
func ParseFile(data []byte) (Cell, error) {
	var c Cell
	if !bytes.HasPrefix(data, bocMagic) {
		err := c.UnmarshalText(bytes.TrimSpace(data))
		return c, err
	}
	root, err := cell.FromBOC(data)
	if err != nil {
		return Cell{}, fmt.Errorf("%w: no BoC: %v", ErrValue, err)
	}
	return Cell{root}, nil
}

var bocMagic = []byte{0xb5, 0xee, 0x9c, 0x72}
