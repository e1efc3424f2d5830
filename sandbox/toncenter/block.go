package toncenter

import (
	"context"
	"fmt"
	"strconv"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
)

type masterchainInfoResult struct {
	Type  string  `json:"@type"`
	Last  blockID `json:"last"`
	State hash    `json:"state_root_hash"`
	Init  blockID `json:"init"`
}

func masterchainInfo(_ context.Context, chain Source, _ *params) (any, error) {
	head := chain.MasterHead()
	state, err := chain.State(head)
	if err != nil {
		return nil, err
	}
	zero, err := chain.Lookup(masterchain, wholeChain, Lookup{Mode: sandbox.BySeqno})
	if err != nil {
		return nil, err
	}
	init := viewBlockID(zero)
	init.Shard = "0" // a zero state belongs to no shard
	return masterchainInfoResult{
		Type: "blocks.masterchainInfo", Last: viewBlockID(head), State: state.Hash(), Init: init,
	}, nil
}

type blockSignatures struct {
	Type       string           `json:"@type"`
	ID         blockID          `json:"id"`
	Signatures []blockSignature `json:"signatures"`
}

type blockSignature struct {
	Type      string `json:"@type"`
	Node      hash   `json:"node_id_short"`
	Signature hash   `json:"signature"` // 64 bytes, in base64 as a hash is
}

func masterchainBlockSignatures(_ context.Context, chain Source, p *params) (any, error) {
	seqno := uint32(p.required("seqno", 1, 1<<31-1))
	if p.err != nil {
		return nil, p.err
	}
	id, err := chain.Lookup(masterchain, wholeChain, Lookup{Mode: sandbox.BySeqno, Seqno: seqno})
	if err != nil {
		return nil, err
	}
	list, err := chain.Signatures(seqno)
	if err != nil {
		return nil, err
	}
	out := blockSignatures{Type: "blocks.blockSignatures", ID: viewBlockID(id), Signatures: []blockSignature{}}
	for _, s := range list {
		out.Signatures = append(out.Signatures, blockSignature{Type: "blocks.signature", Node: s.Node[:], Signature: s.Signature})
	}
	return out, nil
}

type consensusBlockResult struct {
	Type      string `json:"@type"`
	Seqno     uint32 `json:"consensus_block"`
	Timestamp int64  `json:"timestamp"`
}

func consensusBlock(_ context.Context, chain Source, _ *params) (any, error) {
	return consensusBlockResult{
		Type: "ext.blocks.consensusBlock", Seqno: chain.MasterHead().SeqNo, Timestamp: chain.Now().Unix(),
	}, nil
}

func lookupBlock(_ context.Context, chain Source, p *params) (any, error) {
	workchain, shard := p.shard()
	var by Lookup
	given := 0
	if n, ok := p.number("seqno", 1, 1<<31-1); ok {
		by, given = Lookup{Mode: sandbox.BySeqno, Seqno: uint32(n)}, given+1
	}
	if n, ok := p.number("lt", 0, 1<<63-1); ok {
		by, given = Lookup{Mode: sandbox.ByLT, LT: uint64(n)}, given+1
	}
	if n, ok := p.number("unixtime", 0, 1<<31-1); ok {
		by, given = Lookup{Mode: sandbox.ByTime, Time: uint32(n)}, given+1
	}
	if given != 1 {
		return nil, badRequest("exactly one of seqno, lt, unixtime should be specified")
	}
	if p.err != nil {
		return nil, p.err
	}
	id, err := chain.Lookup(workchain, shard, by)
	if err != nil {
		return nil, err
	}
	return viewBlockID(id), nil
}

type shardsResult struct {
	Type   string    `json:"@type"`
	Shards []blockID `json:"shards"`
}

func listShards(_ context.Context, chain Source, p *params) (any, error) {
	seqno := uint32(p.required("seqno", 1, 1<<31-1))
	if p.err != nil {
		return nil, p.err
	}
	id, err := chain.Lookup(masterchain, wholeChain, Lookup{Mode: sandbox.BySeqno, Seqno: seqno})
	if err != nil {
		return nil, err
	}
	// Blocks are kept for longer than states.
	b, err := readBlock(chain, id)
	if err != nil {
		return nil, err
	}
	if b.Extra == nil || b.Extra.Custom == nil {
		return nil, fmt.Errorf("master block %d: no shards", seqno)
	}
	list, err := ton.LoadShardsFromHashes(b.Extra.Custom.ShardHashes, false)
	if err != nil {
		return nil, fmt.Errorf("master block %d: %w", seqno, err)
	}
	out := shardsResult{Type: "blocks.shards", Shards: []blockID{}}
	for _, id := range list {
		out.Shards = append(out.Shards, viewBlockID(*id))
	}
	return out, nil
}

// readBlock is a block taken apart.
func readBlock(chain Source, id BlockID) (*tontlb.Block, error) {
	root, err := chain.Block(id)
	if err != nil {
		return nil, err
	}
	return parseBlock(root)
}

func parseBlock(root *cell.Cell) (*tontlb.Block, error) {
	b := new(tontlb.Block)
	if err := tontlb.Parse(b, root); err != nil {
		return nil, fmt.Errorf("block: %w", err)
	}
	return b, nil
}

// blockOf is the block that a call names by workchain, shard and seqno. If it
// also names hashes, they have to be those of the block.
func blockOf(chain Source, p *params) (BlockID, error) {
	workchain, shard := p.shard()
	seqno := uint32(p.required("seqno", 1, 1<<31-1))
	root, file := p.hash("root_hash"), p.hash("file_hash")
	if p.err != nil {
		return BlockID{}, p.err
	}
	if root != nil && file != nil {
		return BlockID{Workchain: workchain, Shard: shard, SeqNo: seqno, RootHash: root, FileHash: file}, nil
	}
	return chain.Lookup(workchain, shard, Lookup{Mode: sandbox.BySeqno, Seqno: seqno})
}

type blockHeaderResult struct {
	Type              string    `json:"@type"`
	ID                blockID   `json:"id"`
	GlobalID          int32     `json:"global_id"`
	Version           uint32    `json:"version"`
	AfterMerge        bool      `json:"after_merge"`
	AfterSplit        bool      `json:"after_split"`
	BeforeSplit       bool      `json:"before_split"`
	WantMerge         bool      `json:"want_merge"`
	WantSplit         bool      `json:"want_split"`
	ValidatorListHash int32     `json:"validator_list_hash_short"`
	CatchainSeqno     uint32    `json:"catchain_seqno"`
	MinRefMcSeqno     uint32    `json:"min_ref_mc_seqno"`
	KeyBlock          bool      `json:"is_key_block"`
	PrevKeyBlockSeqno uint32    `json:"prev_key_block_seqno"`
	StartLT           string    `json:"start_lt"`
	EndLT             string    `json:"end_lt"`
	Time              uint32    `json:"gen_utime"`
	Prev              []blockID `json:"prev_blocks"`
}

func blockHeader(_ context.Context, chain Source, p *params) (any, error) {
	id, err := blockOf(chain, p)
	if err != nil {
		return nil, err
	}
	b, err := readBlock(chain, id)
	if err != nil {
		return nil, err
	}
	h := b.BlockInfo
	out := blockHeaderResult{
		Type: "blocks.header", ID: viewBlockID(id), GlobalID: b.GlobalID, Version: h.Version,
		AfterMerge: h.AfterMerge, AfterSplit: h.AfterSplit, BeforeSplit: h.BeforeSplit, WantMerge: h.WantMerge, WantSplit: h.WantSplit,
		ValidatorListHash: int32(h.GenValidatorListHashShort), CatchainSeqno: h.GenCatchainSeqno, MinRefMcSeqno: h.MinRefMcSeqno,
		KeyBlock: h.KeyBlock, PrevKeyBlockSeqno: h.PrevKeyBlockSeqno, Time: h.GenUtime,
		StartLT: strconv.FormatUint(h.StartLt, 10), EndLT: strconv.FormatUint(h.EndLt, 10), Prev: []blockID{},
	}
	prev, err := ton.GetParentBlocks(&h)
	if err != nil {
		return nil, fmt.Errorf("block header: %w", err)
	}
	for _, id := range prev {
		out.Prev = append(out.Prev, viewBlockID(*id))
	}
	return out, nil
}

type queueSizesResult struct {
	Type   string      `json:"@type"`
	Shards []queueSize `json:"shards"`
	Limit  int         `json:"ext_msg_queue_size_limit"`
}

type queueSize struct {
	Type string  `json:"@type"`
	ID   blockID `json:"id"`
	Size uint64  `json:"size"`
}

func queueSizes(_ context.Context, chain Source, _ *params) (any, error) {
	m, err := at(chain, 0)
	if err != nil {
		return nil, err
	}
	shards, err := m.shards()
	if err != nil {
		return nil, err
	}
	out := queueSizesResult{Type: "blocks.outMsgQueueSizes", Shards: []queueSize{}, Limit: sandbox.MaxPool}
	for _, id := range append([]BlockID{m.block}, shards...) {
		size, err := queueLength(chain, id)
		if err != nil {
			return nil, err
		}
		out.Shards = append(out.Shards, queueSize{Type: "blocks.outMsgQueueSize", ID: viewBlockID(id), Size: size})
	}
	return out, nil
}

// queueLength is how many messages left a shard and were not yet delivered.
func queueLength(chain Source, id BlockID) (uint64, error) {
	root, err := chain.State(id)
	if err != nil {
		return 0, err
	}
	var state tontlb.ShardStateUnsplit
	if err := tontlb.Parse(&state, root); err != nil {
		return 0, fmt.Errorf("state of block %d: %w", id.SeqNo, err)
	}
	var queue tontlb.OutMsgQueueInfo
	if err := tontlb.Parse(&queue, state.OutMsgQueueInfo); err != nil {
		return 0, fmt.Errorf("queue of block %d: %w", id.SeqNo, err)
	}
	if queue.Extra == nil || queue.Extra.OutQueueSize == nil {
		return 0, nil
	}
	return *queue.Extra.OutQueueSize, nil
}
