package toncenter

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// params are the named parameters of a call. Its methods read one each, in
// whatever form toncenter takes it, and remember the first that is wrong; the
// method may go on with the zero value, since its result is then dropped.
type params struct {
	values map[string]any // string, json.Number, bool, []any, map[string]any
	err    error
}

func newParams(values map[string]any) *params { return &params{values: values} }

// readParams takes the parameters of a REST call: the query, or an object.
func readParams(w http.ResponseWriter, r *http.Request) (*params, error) {
	if r.Method == http.MethodGet {
		values := map[string]any{}
		for name, all := range r.URL.Query() {
			list := make([]any, len(all))
			for i, v := range all {
				list[i] = v
			}
			if values[name] = list; len(list) == 1 {
				values[name] = list[0]
			}
		}
		return newParams(values), nil
	}
	body, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return newParams(nil), nil
	}
	return parseParams(body)
}

// parseParams reads one JSON object and nothing else. Numbers keep their
// digits: a shard or a logical time does not fit into a float.
func parseParams(data []byte) (*params, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var values map[string]any
	if err := d.Decode(&values); err != nil {
		return nil, badRequest("%v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, badRequest("more than one JSON value")
	}
	return newParams(values), nil
}

func (p *params) fail(name, format string, args ...any) {
	if p.err == nil {
		p.err = badRequest("%s: %s", name, fmt.Sprintf(format, args...))
	}
}

// value is a parameter that is there. An empty text counts as absent, as it
// does with toncenter's clients.
func (p *params) value(name string) (any, bool) {
	v, ok := p.values[name]
	return v, ok && v != nil && v != ""
}

func (p *params) text(name string) string {
	v, ok := p.value(name)
	if !ok {
		p.fail(name, "field required")
		return ""
	}
	s, ok := v.(string)
	if !ok {
		p.fail(name, "expected a string")
	}
	return s
}

// number is an integer that may also be written as a string; ok says whether
// it is there.
func (p *params) number(name string, low, high int64) (n int64, ok bool) {
	v, ok := p.value(name)
	if !ok {
		return 0, false
	}
	var text string
	switch v := v.(type) {
	case string:
		text = v
	case json.Number:
		text = v.String()
	default:
		p.fail(name, "expected an integer")
		return 0, true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		p.fail(name, "%q is not an integer", clip(text))
		return 0, true
	}
	if n < low || n > high {
		p.fail(name, "should be in %d … %d", low, high)
		return 0, true
	}
	return n, true
}

func (p *params) required(name string, low, high int64) int64 {
	n, ok := p.number(name, low, high)
	if !ok {
		p.fail(name, "field required")
	}
	return n
}

// seqno is an optional sequence number, 0 if absent.
func (p *params) seqno(name string) uint32 {
	n, _ := p.number(name, 1, math.MaxInt32)
	return uint32(n)
}

// lt is an optional logical time, 0 if absent.
func (p *params) lt(name string) uint64 {
	n, _ := p.number(name, 0, math.MaxInt64)
	return uint64(n)
}

// shard reads workchain and shard. The id of a shard is a signed number in
// this API; some write it unsigned, which is unmistakable too.
func (p *params) shard() (workchain int32, shard int64) {
	workchain = int32(p.required("workchain", math.MinInt32, math.MaxInt32))
	v, _ := p.value("shard")
	if text := fmt.Sprint(v); len(text) <= 20 {
		if n, err := strconv.ParseUint(text, 10, 64); err == nil {
			return workchain, int64(n)
		}
	}
	return workchain, p.required("shard", math.MinInt64, math.MaxInt64)
}

// flag is an optional boolean in any of the spellings toncenter takes.
func (p *params) flag(name string, absent bool) bool {
	v, ok := p.value(name)
	if !ok {
		return absent
	}
	switch strings.ToLower(fmt.Sprint(v)) {
	case "y", "yes", "t", "true", "on", "1":
		return true
	case "n", "no", "f", "false", "off", "0":
		return false
	}
	p.fail(name, "expected a boolean")
	return absent
}

// address is a required account address in any form.
func (p *params) address(name string) *address.Address {
	a, err := parseAddress(p.text(name))
	if err != nil {
		p.fail(name, "%v", err)
		return nil
	}
	return a
}

// hash is an optional hash in base64, base64url or hex; nil if absent.
func (p *params) hash(name string) hash {
	if _, ok := p.value(name); !ok {
		return nil
	}
	h, err := parseHash(p.text(name))
	if err != nil {
		p.fail(name, "%v", err)
		return nil
	}
	return h
}

// bytes is base64 in one of its two alphabets.
func (p *params) bytes(name string) []byte {
	data, err := decodeBase64(p.text(name))
	if err != nil {
		p.fail(name, "invalid base64 encoded bytes")
	}
	return data
}

// cell is a required tree of cells in base64.
func (p *params) cell(name string, maxBytes int) *cell.Cell {
	c, err := parseCell(p.bytes(name), maxBytes)
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("%s: %w", name, err)
	}
	return c
}

// optionalCell is [params.cell], or nil if absent.
func (p *params) optionalCell(name string, maxBytes int) *cell.Cell {
	if _, ok := p.value(name); !ok {
		return nil
	}
	return p.cell(name, maxBytes)
}

// parseCell reads a tree of ordinary cells.
func parseCell(data []byte, maxBytes int) (*cell.Cell, error) {
	if len(data) > maxBytes {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrBOC, maxBytes)
	}
	c, err := cell.FromBOCWithOptions(data, cell.BOCParseOptions{MaxCells: maxCells})
	if err == nil {
		err = tlb.CheckCell(c)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrBOC, err) // clients branch on the first words
	}
	return c, nil
}

func parseHash(text string) (hash, error) {
	var data []byte
	var err error
	switch len(text) {
	case 64:
		data, err = hex.DecodeString(text)
	case 43:
		data, err = base64.RawURLEncoding.Strict().DecodeString(text)
	case 44:
		data, err = decodeBase64(text)
	}
	if err != nil || len(data) != 32 {
		return nil, fmt.Errorf("invalid hash %q", clip(text))
	}
	return data, nil
}

// decodeBase64 takes both alphabets, and tolerates line ends.
func decodeBase64(text string) ([]byte, error) {
	if strings.ContainsAny(text, "-_") {
		return base64.URLEncoding.DecodeString(text)
	}
	return base64.StdEncoding.DecodeString(text)
}

// clip shortens what a client sent, to be quoted in an error.
func clip(text string) string {
	const most = 80
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
