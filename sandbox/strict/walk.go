package strict

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/ton"
)

// Options say how far a walk goes. Trusted is required.
type Options struct {
	// Trusted is the one block that is believed: a key block of the masterchain.
	Trusted *ton.BlockIDExt
	// Calls is how many calls to make at least. 0 makes one round.
	Calls int
	// Seed decides which blocks and accounts are looked at.
	Seed uint64
	// Accounts are read in every round, besides those found in blocks.
	Accounts []*address.Address
	// Methods are run on every account with code. Nil is "seqno" and "get_public_key".
	Methods []string
}

// Report is what a walk did.
type Report struct {
	// Calls by the name of the method, without "liteServer.".
	Calls map[string]int
	// What was verified. Key blocks are those between the trusted block and the
	// newest, both included.
	KeyBlocks, Blocks, Shards, Accounts, Absent, Transactions, Methods, Lookups int
}

// Total is the number of calls.
func (r Report) Total() int {
	n := 0
	for _, calls := range r.Calls {
		n += calls
	}
	return n
}

// ErrMismatch is two answers, or an answer and its proof, that contradict each
// other.
var ErrMismatch = errors.New("answers contradict each other")

func mismatch(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMismatch, fmt.Sprintf(format, args...))
}

// walker is one walk.
type walker struct {
	opt    Options
	client *counter
	api    *ton.APIClient
	rand   *rand.Rand
	report Report
	head   *ton.BlockIDExt // verified; the newest block of this round
}

// Walk verifies a chain over client, which an unmodified [ton.APIClient] is put
// on. It ends at the first thing that is wrong; what was done until then is in
// the report.
func Walk(ctx context.Context, client ton.LiteClient, o Options) (Report, error) {
	if o.Methods == nil {
		o.Methods = []string{"seqno", "get_public_key"}
	}
	w := &walker{
		opt: o, client: &counter{LiteClient: client, calls: make(map[string]int)},
		rand: rand.New(rand.NewPCG(o.Seed, 0)),
	}
	w.api = ton.NewAPIClient(w.client, ton.ProofCheckPolicySecure)
	w.api.SetTrustedBlock(o.Trusted)
	w.report.Calls = w.client.calls
	for {
		if err := w.round(ctx); err != nil {
			return w.report, err
		}
		if w.report.Total() >= o.Calls {
			return w.report, nil
		}
	}
}

func (w *walker) round(ctx context.Context) error {
	var err error
	// This verifies the chain up to the newest block.
	if w.head, err = w.api.GetMasterchainInfo(ctx); err != nil {
		return fmt.Errorf("newest block: %w", err)
	}
	if _, err = w.api.GetTime(ctx); err != nil {
		return fmt.Errorf("time: %w", err)
	}
	if err = w.chain(ctx); err != nil {
		return err
	}
	touched, err := w.blocks(ctx)
	if err != nil {
		return err
	}
	return w.accounts(ctx, append(touched, w.opt.Accounts...))
}
