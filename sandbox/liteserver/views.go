package liteserver

import (
	"sync"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// maxViews is how many blocks' views are kept. Clients ask about the newest
// blocks over and over; each view holds on to one state.
const maxViews = 64

// view is what answers about the state after one block have in common.
type view struct {
	block *block
	state *cell.Cell
	// link proves, from the block's hash, which state it leads to.
	link *cell.Cell

	mu     sync.Mutex
	shards map[shardName]*shardEntry // of a masterchain block; filled on demand
}

type shardName struct {
	workchain int32
	shard     int64
}

// views keeps the latest views, the oldest leaving first.
type views struct {
	sync.Mutex
	byHash map[string]*view
	order  []string
}

// view returns the view of a block, which a client may have named.
func (a *answerer) view(id *BlockID) (*view, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	if isMaster(id) && id.SeqNo == ^uint32(0) {
		head := a.src.MasterHead()
		id = &head
	}
	a.views.Lock()
	v := a.views.byHash[string(id.RootHash)]
	a.views.Unlock()
	if v != nil {
		if !v.block.id.Equals(id) {
			return nil, ErrNotFound
		}
		return v, nil
	}

	b, err := a.block(id)
	if err != nil {
		return nil, err
	}
	state, err := a.state(b)
	if err != nil {
		return nil, err
	}
	if v, err = newView(b, state); err != nil {
		return nil, err
	}
	a.views.keep(v)
	return v, nil
}

func newView(b *block, state *cell.Cell) (*view, error) {
	link, err := prove(b.root, visitStateHash)
	if err != nil {
		return nil, err
	}
	return &view{block: b, state: state, link: link, shards: make(map[shardName]*shardEntry)}, nil
}

// masterView is the view of a masterchain block a client refers to.
func (a *answerer) masterView(id *BlockID) (*view, error) {
	if id != nil && !isMaster(id) {
		return nil, badQuery("reference block is not of the masterchain")
	}
	return a.view(id)
}

func (vs *views) keep(v *view) {
	key := string(v.block.id.RootHash)
	vs.Lock()
	defer vs.Unlock()
	if vs.byHash == nil {
		vs.byHash = make(map[string]*view)
	}
	if _, ok := vs.byHash[key]; ok {
		return // another query made it meanwhile
	}
	if len(vs.order) == maxViews {
		delete(vs.byHash, vs.order[0])
		vs.order = vs.order[1:]
	}
	vs.byHash[key] = v
	vs.order = append(vs.order, key)
}

// stateProof is the pair of roots most answers carry: block to state, and state
// to whatever visit opens.
func (v *view) stateProof(visit func(state *cell.Cell) error) ([]*cell.Cell, error) {
	inner, err := prove(v.state, func(state *cell.Cell) error {
		if err := openState(state); err != nil {
			return err
		}
		return visit(state)
	})
	if err != nil {
		return nil, err
	}
	return []*cell.Cell{v.link, inner}, nil
}
