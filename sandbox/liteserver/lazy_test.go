package liteserver

import (
	"errors"
	"testing"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// errDisk is what a disk says that fails.
var errDisk = errors.New("disk on fire")

// diskSource has the states of a chain on a disk, which fails after some reads.
type diskSource struct {
	Source
	left int // reads until it fails
	read int
}

func (s *diskSource) State(id BlockID) (*cell.Cell, error) {
	root, err := s.Source.State(id)
	if err != nil {
		return nil, err
	}
	return s.lazily(root)
}

// lazily is a cell whose references are read from the disk when they are opened.
func (s *diskSource) lazily(c *cell.Cell) (*cell.Cell, error) {
	below := make(map[cell.Hash]*cell.Cell)
	var refs []cell.LazyRef
	for i := range int(c.RefsNum()) {
		ref, err := c.PeekRef(i)
		if err != nil {
			return nil, err
		}
		below[ref.HashKey()] = ref
		refs = append(refs, cell.LazyRef{Hashes: ref.Hash(), Depths: []uint16{ref.Depth()}})
	}
	body := make([]byte, c.SerializedBOCBodySize())
	c.SerializeBOCBodyTo(body)
	d1, d2 := uint16(c.RefsNum()), uint16(c.BitsSize()/8+(c.BitsSize()+7)/8)
	return cell.CreateWithLazyRefsUnsafe(d1<<8|d2, body, c.Hash(), []uint16{c.Depth()}, refs, func(hash cell.Hash) (*cell.Cell, error) {
		if s.read++; s.read > s.left {
			return nil, errDisk
		}
		return s.lazily(below[hash])
	})
}

// A strict client reads states on disk like any others.
func TestStatesOnDiskAreProven(t *testing.T) {
	_, chain := testChain(t)
	disk := &diskSource{Source: chain, left: 1 << 20}
	api := ton.NewAPIClient(connect(t, start(t, disk, Options{})), ton.ProofCheckPolicySecure)
	api.SetTrustedBlock(mustLookup(t, chain, 1))
	ctx := t.Context()
	head, err := api.GetMasterchainInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for a, exists := range map[*address.Address]bool{
		numbered(1): true, numbered(crowd + 1): false, address.NewAddress(0, 0xff, make([]byte, 32)): true,
	} {
		acc, err := api.GetAccount(ctx, head, a)
		if err != nil || (acc.State != nil) != exists {
			t.Errorf("account %s: %+v, %v", a, acc, err)
		}
	}
	result, err := api.RunGetMethod(ctx, head, numbered(1), "one")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := result.Int(0); err != nil || n.Int64() != 1 {
		t.Errorf("get method: %v, %v", n, err)
	}
	if _, err = api.GetBlockchainConfig(ctx, head); err != nil {
		t.Error(err)
	}
	if _, err = api.GetBlockchainConfig(ctx, head, 8, 34); err != nil {
		t.Error(err)
	}
	if _, err = api.GetBlockOutMsgQueueSize(ctx, head); err != nil {
		t.Error(err)
	}
	if err = api.VerifyProofChain(ctx, head, mustLookup(t, chain, 1)); err != nil {
		t.Error(err)
	}
}

// Whatever is asked, a disk that fails at any point is an error, neither a panic
// nor an answer.
func TestStatesOnDisk(t *testing.T) {
	inMemory, chain := testChain(t)
	head := chain.MasterHead()
	account := ton.AccountID{ID: numbered(1).Data()}
	for name, q := range map[string]any{
		"account":         ton.GetAccountState{ID: &head, Account: account},
		"account, pruned": ton.GetAccountStatePruned{ID: &head, Account: account},
		"absent account":  ton.GetAccountState{ID: &head, Account: ton.AccountID{ID: numbered(crowd + 1).Data()}},
		"no workchain":    ton.GetAccountState{ID: &head, Account: ton.AccountID{Workchain: 7, ID: make([]byte, 32)}},
		"get method":      ton.RunSmcMethod{Mode: 7, ID: &head, Account: account, MethodID: 1},
		"configuration":   ton.GetConfigAll{BlockID: &head, Mode: configPrevBlocks},
		"parameters":      ton.GetConfigParams{BlockID: &head, Params: []int32{8, 34}},
		"shard":           ton.GetShardInfo{ID: &head, Shard: masterShard},
		"block proof":     ton.GetBlockProof{Mode: 1, KnownBlock: &head, TargetBlock: mustLookup(t, chain, 1)},
		"libraries":       ton.GetLibrariesWithProof{ID: &head, LibraryList: [][]byte{make([]byte, 32)}},
		"queues":          ton.GetOutMsgQueueSizes{},
		"queue":           ton.GetBlockOutMsgQueueSize{Mode: 1, ID: &head, WantProof: &ton.True{}},
		"deferred":        ton.GetDispatchQueueInfo{Mode: 1, ID: &head, MaxAccounts: 1, WantProof: &ton.True{}},
		"state":           ton.GetState{ID: &head},
	} {
		want, err := inMemory.answer(t.Context(), q)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		disk := &diskSource{Source: chain, left: 1 << 20}
		got, err := newAnswerer(disk, 1, 1).answer(t.Context(), q)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		// Proofs may differ in leaves nobody opened: in memory they take no more
		// room than what stands for a pruned one.
		if got, want := len(serialized(t, got)), len(serialized(t, want)); got > want+want/2 {
			t.Errorf("%s: an answer of %d bytes, from memory it has %d", name, got, want)
		}
		for left := range min(disk.read, 60) {
			bad := &diskSource{Source: chain, left: left}
			got, err := newAnswerer(bad, 1, 1).answer(t.Context(), q)
			if err == nil {
				_, err = tl.Serialize(got, true)
			}
			if err == nil {
				t.Errorf("%s: answered although the disk failed after %d of %d reads", name, left, disk.read)
				break
			}
		}
	}
}

func mustLookup(t testing.TB, src Source, seqno uint32) *BlockID {
	t.Helper()
	id, err := src.Lookup(masterchain, masterShard, Lookup{Seqno: seqno})
	if err != nil {
		t.Fatal(err)
	}
	return &id
}

func serialized(t testing.TB, answer tl.Serializable) []byte {
	t.Helper()
	data, err := tl.Serialize(answer, true)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A state that is not small is refused before it is read to the end.
func TestLargeStateIsRefused(t *testing.T) {
	_, chain := testChain(t)
	head := chain.MasterHead()
	root, err := chain.State(head)
	if err != nil {
		t.Fatal(err)
	}
	disk := &diskSource{Source: chain, left: 1 << 20}
	lazy, err := disk.lazily(root)
	if err != nil {
		t.Fatal(err)
	}
	if err = countCells(lazy, 10); !errors.Is(err, ErrTooLarge) || disk.read > 20 {
		t.Errorf("%v after %d reads", err, disk.read)
	}
}
