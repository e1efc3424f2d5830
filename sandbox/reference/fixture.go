package reference

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"github.com/xssnick/tonutils-go/tvm/tuple"
)

const (
	// FixtureVersion is the version of the format; any other is refused.
	FixtureVersion = 1
	// MaxFixture bounds a file: mainnet's configuration has 200 KB, its public
	// libraries 1 MB, and base64 adds a third.
	MaxFixture = 16 << 20
)

// ErrFixture means that a file is no fixture.
var ErrFixture = errors.New("not a transaction fixture")

// A Fixture is one transaction to execute again, as a file.
type Fixture struct {
	// Version is [FixtureVersion].
	Version int `json:"version"`
	// Name says where the transaction is from.
	Name string `json:"name,omitempty"`

	Account   *address.Address `json:"account"` // in its user-friendly form
	Before    BoC              `json:"before"`  // ShardAccount
	Message   BoC              `json:"message"`
	Config    BoC              `json:"config"` // dictionary of parameters
	GlobalID  int32            `json:"global_id,omitempty"`
	Libraries []BoC            `json:"libraries,omitempty"`
	Now       uint32           `json:"now"`
	BlockLT   uint64           `json:"block_lt"`
	LT        uint64           `json:"lt"`
	Seed      Seed             `json:"seed"`               // the block's
	Previous  *BoC             `json:"previous,omitempty"` // a tuple, as VmStackValue

	Expected Expected `json:"expected"`
}

// Expected is what the transaction should come to.
type Expected struct {
	// Refused: an external message that the account does not accept. There is
	// nothing else then.
	Refused     bool `json:"refused,omitempty"`
	Transaction *BoC `json:"transaction,omitempty"`
	// After is the ShardAccount. It may be left out, since the transaction
	// names the account's hash.
	After *BoC `json:"after,omitempty"`
}

// NewFixture makes a fixture of an execution and what it should come to.
func NewFixture(e Execution, expected Outcome) (Fixture, error) {
	f := Fixture{
		Version: FixtureVersion, Account: e.Account, Before: BoC{e.Before}, Message: BoC{e.Message}, Config: BoC{e.Config},
		GlobalID: e.GlobalID, Now: e.Now, BlockLT: e.BlockLT, LT: e.LT, Seed: e.Seed,
		Expected: Expected{Refused: expected.Transaction == nil},
	}
	for _, l := range e.Libraries {
		f.Libraries = append(f.Libraries, BoC{l})
	}
	if expected.Transaction != nil {
		f.Expected.Transaction = &BoC{expected.Transaction}
	}
	if expected.After != nil {
		f.Expected.After = &BoC{expected.After}
	}
	if e.Previous.Len() > 0 {
		previous, err := storeTuple(e.Previous)
		if err != nil {
			return Fixture{}, err
		}
		f.Previous = &BoC{previous}
	}
	return f, nil
}

// Execution is what the fixture says to execute.
func (f Fixture) Execution() (Execution, error) {
	e := Execution{
		Account: f.Account, Before: f.Before.Cell, Message: f.Message.Cell, Config: f.Config.Cell,
		GlobalID: f.GlobalID, Now: f.Now, BlockLT: f.BlockLT, LT: f.LT, Seed: f.Seed,
	}
	for _, l := range f.Libraries {
		e.Libraries = append(e.Libraries, l.Cell)
	}
	if f.Previous != nil {
		var err error
		if e.Previous, err = loadTuple(f.Previous.Cell); err != nil {
			return Execution{}, fmt.Errorf("%w: previous blocks: %w", ErrFixture, err)
		}
	}
	return e, nil
}

// ReadFixture reads one fixture and nothing else. An unknown field is an error.
func ReadFixture(r io.Reader) (Fixture, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxFixture+1))
	if err != nil {
		return Fixture{}, err
	}
	if len(text) > MaxFixture {
		return Fixture{}, fmt.Errorf("%w: more than %d bytes", ErrFixture, MaxFixture)
	}
	var f Fixture
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil {
		return Fixture{}, fmt.Errorf("%w: %w", ErrFixture, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Fixture{}, fmt.Errorf("%w: something follows it", ErrFixture)
	}
	if err := f.check(); err != nil {
		return Fixture{}, fmt.Errorf("%w: %w", ErrFixture, err)
	}
	return f, nil
}

func (f Fixture) check() error {
	if f.Version != FixtureVersion {
		return fmt.Errorf("version %d, want %d", f.Version, FixtureVersion)
	}
	if f.Account == nil || f.Account.Type() != address.StdAddress {
		return errors.New("no account")
	}
	for name, c := range map[string]*cell.Cell{"before": f.Before.Cell, "message": f.Message.Cell, "config": f.Config.Cell} {
		if c == nil {
			return fmt.Errorf("no %s", name)
		}
	}
	if f.Now == 0 || f.LT == 0 || f.Seed == (Seed{}) {
		return errors.New("no time, no logical time or no seed") // executors take a zero for "choose one"
	}
	if f.Expected.Refused != (f.Expected.Transaction == nil) {
		return errors.New("expected is a transaction or a refusal")
	}
	if f.Expected.Refused && f.Expected.After != nil {
		return errors.New("a refusal leaves no account behind")
	}
	_, err := f.Execution()
	return err
}

// Write writes the fixture as a file.
func (f Fixture) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(f)
}

// BoC is a tree of cells, in JSON as the base64 of a bag of cells.
type BoC struct{ Cell *cell.Cell }

func (b BoC) MarshalText() ([]byte, error) {
	if b.Cell == nil {
		return nil, errors.New("no cell")
	}
	return []byte(base64.StdEncoding.EncodeToString(b.Cell.ToBOC())), nil
}

func (b *BoC) UnmarshalText(text []byte) error {
	raw, err := base64.StdEncoding.Strict().DecodeString(string(text))
	if err != nil {
		return err
	}
	c, err := cell.FromBOC(raw)
	if err != nil {
		return err
	}
	if c.LevelMask().Mask != 0 {
		return errors.New("a part of a proof")
	}
	b.Cell = c
	return nil
}

// Seed is 256 bits of chance, in JSON hexadecimal.
type Seed [32]byte

func (s Seed) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, s[:]), nil }

func (s *Seed) UnmarshalText(text []byte) error {
	if len(text) != 2*len(s) {
		return fmt.Errorf("a seed has %d digits", 2*len(s))
	}
	_, err := hex.Decode(s[:], text)
	return err
}

// storeTuple writes a tuple as VmStackValue.
func storeTuple(t tuple.Tuple) (*cell.Cell, error) {
	b := cell.BeginCell()
	if err := tontlb.SerializeStackValue(b, list(t)); err != nil {
		return nil, err
	}
	return b.EndCell(), nil
}

func list(value any) any {
	t, ok := value.(tuple.Tuple)
	if !ok {
		return value
	}
	out := make([]any, t.Len())
	for i := range out {
		item, err := t.RawIndex(i)
		if err != nil {
			panic("reference: internal error: tuple shorter than its length: " + err.Error())
		}
		out[i] = list(item)
	}
	return out
}

var errNoTuple = errors.New("not a tuple")

func loadTuple(c *cell.Cell) (tuple.Tuple, error) {
	s, err := c.BeginParse()
	if err != nil {
		return tuple.Tuple{}, err
	}
	value, err := tontlb.ParseStackValue(s)
	if err != nil {
		return tuple.Tuple{}, err
	}
	t, ok := tupleOf(value).(tuple.Tuple)
	if !ok {
		return tuple.Tuple{}, errNoTuple
	}
	return t, nil
}

func tupleOf(value any) any {
	items, ok := value.([]any)
	if !ok {
		return value
	}
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = tupleOf(item)
	}
	return tuple.NewTupleOwned(out)
}
