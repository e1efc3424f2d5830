package reference_test

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/reference"
)

// goVM is the executor under test.
func goVM(e reference.Execution) (reference.Outcome, error) {
	o, err := sandbox.Execution(e).Run(nil)
	return reference.Outcome(o), err
}

// Transactions of mainnet, with the states before them, are in the test data of
// tonutils-go, which is in the module cache. Their hashes are what the network
// agreed on, so they judge every executor.
func TestMainnetGo(t *testing.T) {
	t.Parallel()
	replayAll(t, goVM, mainnet(t))
}

func replayAll(t *testing.T, run reference.Executor, fixtures []reference.Fixture) {
	t.Helper()
	for _, f := range fixtures {
		r, err := reference.Replay(f, run)
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		for _, d := range r.Differences {
			t.Errorf("%s at %d: %s", f.Name, r.LT, d)
		}
	}
	t.Logf("%d transactions of mainnet", len(fixtures))
}

// missing is for what a test needs and the machine may lack.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("TUSSAH_CI") == "1" {
		t.Fatal("nothing was compared: ", what)
	}
	t.Skip("SKIPPED, nothing was compared: ", what)
}

var tonutils = sync.OnceValue(func() string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/xssnick/tonutils-go").Output()
	if err != nil {
		return ""
	}
	return filepath.Join(strings.TrimSpace(string(out)), "tvm", "testdata")
})

// loadTestdata decodes one of tonutils-go's files.
func loadTestdata(t testing.TB, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(tonutils(), name))
	if err != nil {
		missing(t, err.Error())
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

func mainnet(t testing.TB) []reference.Fixture {
	t.Helper()
	return slices.Concat(mainnetBlock(t), mainnetSingles(t), mainnetMismatches(t))
}

// surroundings are what all transactions of a block have in common.
type surroundings struct {
	Config    reference.BoC   `json:"config_root_boc_base64"`
	Previous  reference.BoC   `json:"prev_blocks_stack_boc_base64"`
	Libraries []reference.BoC `json:"libraries_boc_base64"`
}

func (s surroundings) fixture(name string, before, message, transaction *cell.Cell) reference.Fixture {
	return reference.Fixture{
		Version: reference.FixtureVersion, Name: "mainnet, " + name,
		Before: reference.BoC{Cell: before}, Message: reference.BoC{Cell: message}, Config: s.Config, Libraries: s.Libraries, Previous: &s.Previous,
		Expected: reference.Expected{Transaction: &reference.BoC{Cell: transaction}},
	}
}

type blockEntry struct {
	Account     string `json:"account"`
	LT          uint64 `json:"lt"`
	Now         uint32 `json:"now"`
	BlockLT     uint64 `json:"block_lt"`
	LogicalTime uint64 `json:"logical_time"`
}

// mainnetBlock are the 269 transactions of (0,8000000000000000,71398501).
func mainnetBlock(t testing.TB) (out []reference.Fixture) {
	t.Helper()
	var file struct {
		Block    reference.BoC `json:"block_boc_base64"`
		Accounts []struct {
			Account string        `json:"account"`
			Before  reference.BoC `json:"shard_account_boc_base64"`
		} `json:"previous_accounts"`
		Surroundings surroundings `json:"config"`
		Transactions []blockEntry `json:"transaction_configs"`
	}
	loadTestdata(t, "tvm_replay_fat_block_66519406.json", &file)
	var block tontlb.Block
	if err := tontlb.Parse(&block, file.Block.Cell); err != nil {
		t.Fatal(err)
	}
	states := make(map[string]*cell.Cell)
	for _, a := range file.Accounts {
		states[a.Account] = a.Before.Cell
	}
	order := file.Transactions
	slices.SortFunc(order, func(a, b blockEntry) int { return cmp.Compare(a.LT, b.LT) })
	for _, c := range order {
		a := address.MustParseRawAddr(c.Account)
		tx := blockTransaction(t, &block, a.Data(), c.LT)
		f := file.Surroundings.fixture("block 71398501", states[c.Account], inMessage(t, tx), tx)
		f.Account, f.Now, f.BlockLT, f.LT, f.Seed = a, c.Now, c.BlockLT, c.LogicalTime, reference.Seed(block.Extra.RandSeed)
		out = append(out, f)
		// The next transaction of the account follows from what this one leaves.
		in, err := f.Execution()
		if err != nil {
			t.Fatal(err)
		}
		o, err := goVM(in)
		if err != nil {
			t.Fatal(err)
		}
		states[c.Account] = o.After
	}
	if len(out) != 269 {
		t.Errorf("%d transactions, want 269", len(out))
	}
	return out
}

// mainnetSingles are two transactions whose block is not known, only the seed
// of the account. Neither contract asks for chance, so any seed will do.
func mainnetSingles(t testing.TB) (out []reference.Fixture) {
	t.Helper()
	var file struct {
		Surroundings surroundings `json:"config"`
		Accounts     []struct {
			Account string       `json:"address"`
			Before  accountProof `json:"from_shard_account_boc_base64"`
			After   accountProof `json:"to_shard_account_boc_base64"`
			First   struct {
				Transaction reference.BoC `json:"expected_tx_boc_base64"`
				Now         uint32        `json:"now"`
				BlockLT     uint64        `json:"block_lt"`
				LogicalTime uint64        `json:"logical_time"`
			} `json:"first_tx"`
		} `json:"accounts"`
	}
	loadTestdata(t, "transaction_replay_regression.json", &file)
	for _, a := range file.Accounts {
		tx := a.First.Transaction.Cell
		f := file.Surroundings.fixture("single", a.Before.Cell, inMessage(t, tx), tx)
		f.Account, f.Now, f.BlockLT, f.LT = address.MustParseRawAddr(a.Account), a.First.Now, a.First.BlockLT, a.First.LogicalTime
		f.Seed, f.Expected.After = anySeed, &reference.BoC{Cell: a.After.Cell}
		out = append(out, f)
	}
	return out
}

// accountProof is a ShardAccount cut from a proof, of which it still has the
// level. It is read as the ShardAccount it was.
type accountProof struct{ Cell *cell.Cell }

func (p *accountProof) UnmarshalText(text []byte) error {
	raw, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil {
		return err
	}
	root, err := cell.FromBOC(raw)
	if err != nil {
		return err
	}
	account, err := root.PeekRef(0)
	if err != nil {
		return err
	}
	last, err := root.MustBeginParse().LoadSlice(256 + 64)
	if err != nil {
		return err
	}
	p.Cell = cell.BeginCell().MustStoreRef(account).MustStoreSlice(last, 256+64).EndCell()
	return nil
}

var anySeed = reference.Seed{31: 1}

// mainnetMismatches are transactions that tonutils-go once got wrong.
func mainnetMismatches(t testing.TB) (out []reference.Fixture) {
	t.Helper()
	var file struct {
		Accounts []struct {
			Account string        `json:"address"`
			Before  reference.BoC `json:"from_shard_account_boc_base64"`
			First   struct {
				Transaction  reference.BoC `json:"expected_tx_boc_base64"`
				Message      reference.BoC `json:"in_msg_boc_base64"`
				Surroundings struct {
					surroundings
					Now         uint32 `json:"now"`
					BlockLT     uint64 `json:"block_lt"`
					LogicalTime uint64 `json:"logical_time"`
				} `json:"config"`
			} `json:"first_tx"`
		} `json:"accounts"`
	}
	loadTestdata(t, "tvm_replay_mismatch_regression.json", &file)
	for _, a := range file.Accounts {
		s := a.First.Surroundings
		f := s.fixture("once wrong", a.Before.Cell, a.First.Message.Cell, a.First.Transaction.Cell)
		f.Account, f.Now, f.BlockLT, f.LT, f.Seed = address.MustParseRawAddr(a.Account), s.Now, s.BlockLT, s.LogicalTime, anySeed
		out = append(out, f)
	}
	return out
}

// blockTransaction finds a transaction in a block by account and logical time.
func blockTransaction(t testing.TB, block *tontlb.Block, account []byte, lt uint64) *cell.Cell {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	var all tontlb.ShardAccountBlocks
	must(tontlb.Parse(&all, block.Extra.ShardAccountBlocks))
	value, err := all.Accounts.LoadValue(cell.BeginCell().MustStoreSlice(account, 256).EndCell())
	must(err)
	var of tontlb.AccountBlock
	must(tontlb.LoadFromCell(&of, value))
	value, err = of.Transactions.LoadValue(cell.BeginCell().MustStoreUInt(lt, 64).EndCell())
	must(err)
	tx, err := value.LoadRefCell()
	must(err)
	return tx
}

// inMessage is the message a transaction received.
func inMessage(t testing.TB, tx *cell.Cell) *cell.Cell {
	t.Helper()
	messages, err := tx.PeekRef(0)
	if err != nil {
		t.Fatal(err)
	}
	in, err := messages.PeekRef(0)
	if err != nil {
		t.Fatal(err)
	}
	return in
}
