package kit

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// TB is the part of testing.TB that the kit needs.
type TB interface {
	Helper()
	Name() string
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// World is a chain with names: for accounts, for what their messages and exit
// codes mean, and for what is to be told about them when a test fails. Its
// methods may be called from any goroutine of the test.
type World struct {
	t     TB
	chain *sandbox.Chain

	mu struct {
		sync.Mutex
		names      map[key]string
		addresses  map[string]*address.Address // the other way round
		meanings   map[key]Names
		codes      map[cell.Hash]kind
		treasuries map[string]*Treasury
	}
}

// key is what makes two addresses the same account.
type key struct {
	workchain int32
	hash      [32]byte
}

func keyOf(a *address.Address) (k key, ok bool) {
	if tlb.CheckAddress(a) != nil {
		return key{}, false
	}
	return key{a.Workchain(), [32]byte(a.Data())}, true
}

// kind is what is known of all contracts with the same code.
type kind struct {
	name     string
	meanings Names
}

// Names tells what the numbers and cells of a contract mean. [ABI] makes one
// from a compiler's ABI; [World.Describe] and [World.Code] put it to use.
type Names interface {
	// Message names the message with the given op code.
	Message(op uint32) (name string, ok bool)
	// Exit names an exit code of the contract's own.
	Exit(code int32) (name string, ok bool)
	// Body decodes the body of a message to or from the contract; nil if it is
	// none of those it knows.
	Body(body *cell.Cell) []Field
	// Storage decodes the contract's data; nil if it cannot.
	Storage(data *cell.Cell) []Field
}

// Field is a decoded value, for people to read.
type Field struct{ Name, Value string }

// New returns a world on a chain, usually one that sandbox.New made. What goes
// wrong is reported to t.
func New(t TB, chain *sandbox.Chain) *World {
	w := &World{t: t, chain: chain}
	w.mu.names = map[key]string{}
	w.mu.addresses = map[string]*address.Address{}
	w.mu.meanings = map[key]Names{}
	w.mu.codes = map[cell.Hash]kind{}
	w.mu.treasuries = map[string]*Treasury{}
	w.Name(sandbox.Giver(), "giver")
	return w
}

// Chain is the chain the world is on.
func (w *World) Chain() *sandbox.Chain { return w.chain }

// Name gives an account a name, which stands in all that is printed and which
// matchers take. An account has one name, and a name one account.
func (w *World) Name(a *address.Address, name string) *Account {
	w.t.Helper()
	k, ok := keyOf(a)
	if !ok {
		w.t.Fatalf("kit: name %q for %v: not the address of an account", name, a)
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if other, taken := w.mu.addresses[name]; name == "" || taken && !other.Equals(a) {
		w.t.Fatalf("kit: name %q is empty or taken by another account", name)
		return nil
	}
	delete(w.mu.addresses, w.mu.names[k])
	w.mu.names[k], w.mu.addresses[name] = name, a
	return &Account{Address: a, Name: name, world: w}
}

// Describe says what the numbers and cells of one contract mean.
func (w *World) Describe(a *address.Address, n Names) {
	w.t.Helper()
	k, ok := keyOf(a)
	if !ok {
		w.t.Fatalf("kit: describe %v: not the address of an account", a)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.meanings[k] = n
}

// Code names all contracts with this code that have no name of their own, and
// says what their numbers and cells mean; n may be nil. It is for contracts
// that contracts deploy, like the wallets of a jetton.
func (w *World) Code(code *cell.Cell, name string, n Names) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.codes[code.HashKey()] = kind{name, n}
}

// Random makes an address nobody has, the same for the same name, and names it
// so.
func (w *World) Random(name string) *Account {
	w.t.Helper()
	hash := sha256.Sum256([]byte("address " + name))
	return w.Name(address.NewAddress(0, 0, hash[:]), name)
}

// addressNamed finds an account by its name.
func (w *World) addressNamed(name string) (*address.Address, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a, ok := w.mu.addresses[name]; ok {
		return a, nil
	}
	return nil, fmt.Errorf("nobody is named %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(w.mu.addresses)), ", "))
}

// isTreasury tells the test's own wallets from what it tests.
func (w *World) isTreasury(a *address.Address) bool {
	k, _ := keyOf(a)
	w.mu.Lock()
	defer w.mu.Unlock()
	t, ok := w.mu.treasuries[w.mu.names[k]]
	return ok && t.Address.Equals(a)
}

// people are the names that hold while a result is rendered: those of the
// world, and those that follow from the codes seen in it.
type people struct {
	world *World
	codes map[key]cell.Hash
}

// learn notes which code an account has.
func (p people) learn(a *address.Address, code *cell.Cell) {
	if k, ok := keyOf(a); ok && code != nil {
		p.codes[k] = code.HashKey()
	}
}

// name is what an account is called in print.
func (p people) name(a *address.Address) string {
	k, ok := keyOf(a)
	if !ok {
		return "outside"
	}
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	if name, ok := p.world.mu.names[k]; ok {
		return name
	}
	if kind, ok := p.world.mu.codes[p.codes[k]]; ok {
		return kind.name + " " + short(a)
	}
	return short(a)
}

// short is an address people can tell from others at a glance.
func short(a *address.Address) string {
	s := a.String()
	return s[:6] + ".." + s[len(s)-4:]
}

// of finds what the numbers of an account mean.
func (p people) of(a *address.Address) Names {
	k, ok := keyOf(a)
	if !ok {
		return unknown{}
	}
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	if n := p.world.mu.meanings[k]; n != nil {
		return n
	}
	if kind, ok := p.world.mu.codes[p.codes[k]]; ok && kind.meanings != nil {
		return kind.meanings
	}
	return unknown{}
}

// unknown is a contract nobody described.
type unknown struct{}

func (unknown) Message(uint32) (string, bool) { return "", false }
func (unknown) Exit(int32) (string, bool)     { return "", false }
func (unknown) Body(*cell.Cell) []Field       { return nil }
func (unknown) Storage(*cell.Cell) []Field    { return nil }
