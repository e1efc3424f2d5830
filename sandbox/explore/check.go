package explore

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// Check does random things to a model, in random order, and fails the test if
// an invariant does not hold after one of them. What was done is then made as
// short and simple as it can be, and shown. A number has it again:
// TUSSAH_SEED=N go test.
func Check(t TB, m Model) {
	t.Helper()
	m, who := m.prepared()
	p := player{model: m, who: who, ctx: t.Context()}
	seed, checks, err := m.seeds()
	if err != nil {
		t.Fatalf("%v", err)
		return
	}
	done := 0
	for i := range checks {
		steps := m.draft(seed + i)
		done += len(steps)
		if b := p.play(steps); b != nil {
			t.Fatalf("%s\nagain: TUSSAH_SEED=%d go test -run '%s'", p.shrink(steps, b), seed+i, pattern(t.Name()))
			return
		}
	}
	t.Logf("%d steps in %d sequences", done, checks)
}

// seeds are the seed of the first sequence, and how many there are.
func (m Model) seeds() (first, n int, err error) {
	if s := os.Getenv("TUSSAH_SEED"); s != "" {
		first, err = strconv.Atoi(s)
		if err != nil {
			return 0, 0, fmt.Errorf("TUSSAH_SEED %q: %w", s, ErrNumber)
		}
		return first, 1, nil
	}
	if m.Seed != 0 {
		return m.Seed, m.Checks, nil
	}
	return int(time.Now().UnixNano() % 1_000_000_000), m.Checks, nil
}

// castAddress is the address of somebody every model has.
func castAddress(name string) *address.Address {
	h := sha256.Sum256([]byte("explore " + name))
	return address.NewAddress(0, 0, h[:])
}

// takes is code that takes everything; throws throws at everything, with exit
// code 111.
var (
	takes  = cell.BeginCell().EndCell()
	throws = cell.BeginCell().MustStoreUInt(0xf2c000|111, 24).EndCell() // 111 THROW
)

// prepared fills in defaults, and adds who every model has.
func (m Model) prepared() (Model, directory) {
	if m.MaxValue == 0 {
		m.MaxValue = 10 * tlb.TON
	}
	if m.MaxJump == 0 {
		m.MaxJump = 365 * 24 * time.Hour
	}
	if m.Checks == 0 {
		m.Checks = 100
	}
	if m.MaxSteps == 0 {
		m.MaxSteps = 40
	}
	if m.Chain.Now == nil {
		m.Chain.Now = func() time.Time { return epoch }
	}
	m.Senders = slices.Clone(m.Senders)
	m.Chain.Genesis = slices.Clone(m.Chain.Genesis)
	for _, one := range []struct {
		name string
		code *cell.Cell
	}{{"alice", takes}, {"bob", takes}, {"mallory", throws}, {"nobody", nil}} {
		a := castAddress(one.name)
		m.Senders = append(m.Senders, Account{Address: a, Name: one.name})
		if one.code != nil {
			m.Chain.Genesis = append(m.Chain.Genesis, sandbox.GenesisAccount{Address: a, Balance: tlb.TON, Code: one.code})
		}
	}
	who := directory(slices.Clone(m.Senders))
	for _, t := range m.Targets {
		who = append(who, Account{Address: t.Address, Name: t.Name, Contract: t.ABI})
	}
	return m, who
}

// player plays plans.
type player struct {
	model Model
	who   directory
	ctx   context.Context
}

// broken is an invariant that does not hold, after some steps.
type broken struct {
	invariant string
	err       error
	world     *World
}

func (b *broken) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s does not hold after %d steps: %v", b.invariant, len(b.world.Steps), b.err)
	for n, s := range b.world.Steps {
		fmt.Fprintf(&out, "\n%4d  %s", n+1, strings.ReplaceAll(s.Text, "\n", "\n    "))
	}
	return out.String()
}

// play does what is planned on a chain of its own, until an invariant does not
// hold; nil if all do.
func (p player) play(steps []planned) *broken {
	w := &World{ctx: p.ctx, who: p.who, sent: map[int]func(){}}
	chain, err := sandbox.Open(p.model.Chain)
	if err != nil {
		return &broken{"the chain", err, w}
	}
	defer chain.Close()
	w.Chain = chain
	if b := p.hold(w); b != nil {
		return b
	}
	for _, s := range steps {
		w.now = s.id
		s.do(w)
		if b := p.hold(w); b != nil {
			return b
		}
	}
	return nil
}

func (p player) hold(w *World) *broken {
	for _, i := range p.model.Invariants {
		if err := i.Holds(w); err != nil {
			return &broken{i.Name, err, w}
		}
	}
	return nil
}
