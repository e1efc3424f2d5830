package lite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

func masterID(seqno uint32, root, file [32]byte) *blockID {
	return &blockID{Workchain: masterchain, Shard: masterShard, SeqNo: seqno, RootHash: root[:], FileHash: file[:]}
}

func idOf(b tlb.Block) *blockID { return masterID(b.Seqno, b.RootHash, b.FileHash) }

func isMaster(id *blockID) bool { return id.Workchain == masterchain && id.Shard == masterShard }

// freshFor is how old, by this machine's clock, the newest block of a server may be
// before another server is asked too. Blocks of the main network come every few
// seconds and take some more to reach a liteserver, so that an honest server's
// newest is rarely older; sandboxes are faster. It bounds how long a server that
// replays old answers can hide what others know.
const freshFor = 10 * time.Second

// Head returns the newest masterchain block. It costs one round trip, unless key
// blocks came since the last call, or the newest block is some seconds old: then
// one more server is asked, each call another one. It never goes back: if the
// servers are behind the newest block known, that one is returned.
func (c *Client) Head(ctx context.Context) (tlb.Block, error) {
	err := c.each(ctx, func(ctx context.Context, ask asker) error { return c.advance(ctx, ask, nil) })
	head := c.known()
	if errors.Is(err, ErrBehind) && head != (tlb.Block{}) {
		return head, nil // every server was asked
	}
	if err != nil {
		return tlb.Block{}, fmt.Errorf("newest block: %w", err)
	}
	// A time ahead of ours means that our clock is wrong and says nothing about age.
	if age := time.Since(head.Time); age.Abs() > freshFor {
		c.askAnother(ctx)
	}
	return c.known(), nil
}

// known is the newest block proven so far; zero before the first.
func (c *Client) known() tlb.Block {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.head
}

// askAnother asks one server besides the preferred one for its newest block, in
// turns, and prefers it if it is ahead. That it may fail does not matter: the
// preferred one has answered.
func (c *Client) askAnother(ctx context.Context) {
	others := len(c.servers) - 1
	if others == 0 {
		return
	}
	n := (int(c.preferred.Load()) + 1 + int(c.turn.Add(1)%uint32(others))) % len(c.servers)
	before := c.known()
	err := c.on(ctx, c.servers[n], 0, func(ctx context.Context, ask asker) error { return c.advance(ctx, ask, nil) })
	if err == nil && c.known().Seqno > before.Seqno {
		c.preferred.Store(int64(n))
	}
}

const (
	// waitStep is how long a server is asked to wait for a block at a time. A block
	// comes within it on any network, so a server that lets it pass may be stuck.
	waitStep = 5 * time.Second
	// waitPause keeps Wait from asking all the time where servers do not wait.
	waitPause = 100 * time.Millisecond
)

// Wait returns when the masterchain has reached a block, or when ctx ends.
func (c *Client) Wait(ctx context.Context, seqno uint32) error {
	for {
		before := c.known()
		if before.Seqno >= seqno {
			return nil
		}
		prefix := waitPrefix(seqno, waitStep)
		err := c.eachFor(ctx, waitStep, func(ctx context.Context, ask asker) error {
			return c.advance(ctx, ask, prefix)
		})
		if err == nil && c.known().Seqno == before.Seqno {
			c.askAnother(ctx) // this one answered without waiting, and has nothing
		}
		var refusal *RefusalError
		if errors.As(err, &refusal) || errors.Is(err, ErrBehind) {
			err = nil // it says that there is no such block yet
		}
		if err == nil && c.known().Seqno == before.Seqno {
			err = pause(ctx, waitPause)
		}
		if err != nil {
			return fmt.Errorf("wait for block %d: %w", seqno, err)
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// waitPrefix makes a server hold back the query behind it until it has a block.
func waitPrefix(seqno uint32, d time.Duration) []byte {
	return encode(ton.WaitMasterchainSeqno{Seqno: int32(seqno), Timeout: int32(d / time.Millisecond)})
}

// advance moves the head to the newest block of one server. Each answer leads past
// up to 16 key blocks, of which the main network makes a few a day. The time that
// the server has for the whole call bounds how many are asked for; the next call
// goes on from the newest key block that was proven.
func (c *Client) advance(ctx context.Context, ask asker, prefix []byte) error {
	if err := c.pin(ctx, ask); err != nil {
		return err
	}
	c.mu.Lock()
	key := c.mu.key.id()
	c.mu.Unlock()
	for {
		query := slices.Concat(prefix, encode(ton.GetBlockProof{KnownBlock: key}))
		prefix = nil
		answer, err := ask(ctx, query)
		if err != nil {
			return err
		}
		proof, err := readBlockProof(answer)
		if err != nil {
			return err
		}
		done, err := c.follow(ctx, ask, key, proof)
		if done || err != nil {
			return err
		}
		c.mu.Lock()
		next := c.mu.key.id()
		c.mu.Unlock()
		if next.SeqNo <= key.SeqNo {
			return fmt.Errorf("%w: unfinished proof leads nowhere", ErrProof)
		}
		key = next
	}
}

// follow checks the links of a proof from a key block on, and moves head and key
// block to its end. done is false if the proof is only the first part of the way.
func (c *Client) follow(ctx context.Context, ask asker, key *blockID, p *blockProof) (done bool, err error) {
	if !p.from.Equals(key) || !isMaster(&p.to) {
		return false, fmt.Errorf("%w: proof from or to another block", ErrAnswer)
	}
	switch known := c.known(); {
	case known == tlb.Block{} || !p.complete:
	case p.to.Equals(idOf(known)):
		return true, nil
	case p.to.SeqNo < known.Seqno:
		return true, fmt.Errorf("%w: at block %d, known is %d", ErrBehind, p.to.SeqNo, known.Seqno)
	}

	at, header := key, (*tontlb.BlockHeader)(nil)
	for _, link := range p.links {
		if header != nil && !header.KeyBlock {
			return false, fmt.Errorf("%w: link from a block that is no key block", ErrProof)
		}
		if header, err = c.forward(at, &link); err != nil {
			return false, err
		}
		at = &link.to
		if header.KeyBlock {
			c.setKey(keyBlock(at))
		}
	}
	if !at.Equals(&p.to) {
		return false, fmt.Errorf("%w: links end at block %d instead of %d", ErrAnswer, at.SeqNo, p.to.SeqNo)
	}
	if !p.complete {
		return false, nil
	}
	if header == nil { // the head is the key block itself
		if header, err = c.fetchHeader(ctx, ask, at); err != nil {
			return false, err
		}
	}
	return true, c.setHead(tlb.Block{
		Seqno: at.SeqNo, RootHash: [32]byte(at.RootHash), FileHash: [32]byte(at.FileHash),
		Time: time.Unix(int64(header.GenUtime), 0), LT: header.EndLt,
	})
}

// setHead moves the head, unless a concurrent call has moved it further.
func (c *Client) setHead(b tlb.Block) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b.Seqno == c.mu.head.Seqno && (b.RootHash != c.mu.head.RootHash || b.FileHash != c.mu.head.FileHash) {
		return fmt.Errorf("%w: block %d", ErrFork, b.Seqno)
	}
	if b.Seqno > c.mu.head.Seqno {
		c.mu.head = b
	}
	return nil
}

func (c *Client) setKey(k KeyBlock) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.Seqno <= c.mu.key.Seqno {
		return
	}
	c.mu.key = k
	if c.o.OnTrust != nil {
		c.o.OnTrust(k)
	}
}

// forward checks that the validators named by the key block from signed a later
// block, and returns its header.
func (c *Client) forward(from *blockID, l *link) (*tontlb.BlockHeader, error) {
	if !l.from.Equals(from) || !isMaster(&l.to) || l.to.SeqNo <= from.SeqNo {
		return nil, fmt.Errorf("%w: link from or to another block", ErrAnswer)
	}
	proof, err := parseOne(l.dest)
	if err != nil {
		return nil, err
	}
	dest, err := c.block(proof, &l.to)
	if err != nil {
		return nil, err
	}
	// Without this, a server could leave out a key block that changed the configuration but not the validators.
	if dest.header.PrevKeyBlockSeqno != from.SeqNo {
		return nil, fmt.Errorf("%w: link from key block %d to %d, which is signed by the validators of %d", ErrProof,
			from.SeqNo, l.to.SeqNo, dest.header.PrevKeyBlockSeqno)
	}
	configProof, err := parseOne(l.config)
	if err != nil {
		return nil, err
	}
	if err = c.checkValidators(configProof, from); err != nil {
		return nil, err
	}
	if err = ton.CheckForwardBlockProof(from, &l.to, dest.header.KeyBlock, configProof, proof, l.signatures); err != nil {
		return nil, fmt.Errorf("%w: block %d: %v", ErrSignatures, l.to.SeqNo, err)
	}
	return &dest.header, nil
}

// checkValidators makes sure that the proof of a key block shows its validators and
// the rules of choosing among them in full. The library's check of signatures would
// not notice validators that were pruned away.
func (c *Client) checkValidators(proof *cell.Cell, id *blockID) error {
	b, err := c.block(proof, id)
	if err != nil {
		return err
	}
	extra, err := read(b.extra)
	if err != nil {
		return fmt.Errorf("key block %d: %w", id.SeqNo, err)
	}
	var parsed tontlb.BlockExtra
	if err = tontlb.LoadFromCellAsProof(&parsed, extra); err != nil {
		return fmt.Errorf("%w: key block %d: %v", ErrProof, id.SeqNo, err)
	}
	if !b.header.KeyBlock || parsed.Custom == nil || parsed.Custom.ConfigParams == nil || parsed.Custom.ConfigParams.Config.Params == nil {
		return fmt.Errorf("%w: block %d is shown without a configuration", ErrProof, id.SeqNo)
	}
	const catchainConfig, validatorSet = 28, 34
	for _, n := range []int64{catchainConfig, validatorSet} {
		if _, err = param(parsed.Custom.ConfigParams.Config.Params.AsCell(), n); err != nil {
			return fmt.Errorf("key block %d: %w", id.SeqNo, err)
		}
	}
	return nil
}

// fetchHeader asks for the header of a block that is known by its hash.
func (c *Client) fetchHeader(ctx context.Context, ask asker, id *blockID) (*tontlb.BlockHeader, error) {
	answer, err := ask(ctx, encode(ton.GetBlockHeader{ID: id}))
	if err != nil {
		return nil, err
	}
	r, err := open(answer, tagBlockHeader)
	if err != nil {
		return nil, err
	}
	got, _, data := r.block(), r.uint32(), r.bytes()
	if err = r.close(); err != nil {
		return nil, err
	}
	if !got.Equals(id) {
		return nil, fmt.Errorf("%w: header of another block", ErrAnswer)
	}
	proof, err := parseOne(data)
	if err != nil {
		return nil, err
	}
	b, err := c.block(proof, id)
	if err != nil {
		return nil, err
	}
	return &b.header, nil
}

// pin trusts on first use: with nothing to trust yet, it takes the newest key block
// that the server knows. It must be of the right network and in the history of the
// server's newest block; more there is not to check.
func (c *Client) pin(ctx context.Context, ask asker) error {
	c.mu.Lock()
	pinned := c.mu.key != (KeyBlock{})
	c.mu.Unlock()
	if pinned {
		return nil
	}
	answer, err := ask(ctx, encode(ton.GetMasterchainInf{}))
	if err != nil {
		return err
	}
	r, err := open(answer, tagMasterchainInfo)
	if err != nil {
		return err
	}
	last := r.block()
	_, _, _, _ = r.hash(), r.int32(), r.hash(), r.hash() // state, zero state
	if err = r.close(); err != nil {
		return err
	}
	if !isMaster(&last) {
		return fmt.Errorf("%w: newest block is not of the masterchain", ErrAnswer)
	}
	header, err := c.fetchHeader(ctx, ask, &last)
	if err != nil {
		return err
	}
	key := last
	if !header.KeyBlock {
		if header.PrevKeyBlockSeqno == 0 {
			return fmt.Errorf("%w: the network has none yet", ErrTrust)
		}
		if key, err = lookUp(ctx, ask, header.PrevKeyBlockSeqno); err != nil {
			return err
		}
		if err = c.backward(ctx, ask, &last, &key); err != nil {
			return err
		}
	}
	trusted := keyBlock(&key)
	c.o.Log.Warn("trusting a key block on first use; keep it in the configuration", "trusted_block", trusted.String())
	c.setKey(trusted)
	return nil
}

// lookUp asks for the name of a masterchain block, unproven.
func lookUp(ctx context.Context, ask asker, seqno uint32) (blockID, error) {
	short := &ton.BlockInfoShort{Workchain: masterchain, Shard: masterShard, Seqno: int32(seqno)}
	answer, err := ask(ctx, encode(ton.LookupBlock{Mode: 1, ID: short}))
	if err != nil {
		return blockID{}, err
	}
	r, err := open(answer, tagBlockHeader)
	if err != nil {
		return blockID{}, err
	}
	id := r.block()
	r.uint32()
	r.bytes()
	if err = r.close(); err != nil {
		return blockID{}, err
	}
	if !isMaster(&id) || id.SeqNo != seqno {
		return blockID{}, fmt.Errorf("%w: looked up another block", ErrAnswer)
	}
	return id, nil
}

// backward makes a server prove that a key block is in the history of a block.
func (c *Client) backward(ctx context.Context, ask asker, from, key *blockID) error {
	answer, err := ask(ctx, encode(ton.GetBlockProof{Mode: 1, KnownBlock: from, TargetBlock: key}))
	if err != nil {
		return err
	}
	p, err := readBlockProof(answer)
	if err != nil {
		return err
	}
	if len(p.links) != 1 || !p.links[0].back || !p.from.Equals(from) || !p.to.Equals(key) {
		return fmt.Errorf("%w: not a link from block %d to %d", ErrAnswer, from.SeqNo, key.SeqNo)
	}
	l := &p.links[0]
	if !l.from.Equals(from) || !l.to.Equals(key) {
		return fmt.Errorf("%w: link between other blocks", ErrAnswer)
	}
	var roots [3]*cell.Cell
	for i, boc := range [][]byte{l.dest, l.proof, l.state} {
		if roots[i], err = parseOne(boc); err != nil {
			return err
		}
	}
	if _, err = c.block(roots[0], key); err != nil {
		return err
	}
	if _, err = c.state(roots[1], roots[2], from); err != nil {
		return err
	}
	if err = ton.CheckBackwardBlockProof(from, key, true, roots[2], roots[0], roots[1]); err != nil {
		return fmt.Errorf("%w: key block %d: %v", ErrProof, key.SeqNo, err)
	}
	return nil
}

// link is one step of a block proof, forward with signatures or back through the
// list of old blocks in a state.
type link struct {
	back       bool
	from, to   blockID
	dest       []byte
	config     []byte // forward
	signatures any    // forward; one of the library's three kinds
	proof      []byte // back
	state      []byte // back
}

type blockProof struct {
	complete bool
	from, to blockID
	links    []link
}

func readBlockProof(answer []byte) (*blockProof, error) {
	r, err := open(answer, tagBlockProof)
	if err != nil {
		return nil, err
	}
	p := &blockProof{complete: r.bool(), from: r.block(), to: r.block()}
	for range r.count(maxLinks) {
		tag := r.tag()
		r.bool() // to_key_block, which the block itself says
		l := link{back: tag == tagLinkBack, from: r.block(), to: r.block(), dest: r.bytes()}
		switch tag {
		case tagLinkBack:
			l.proof, l.state = r.bytes(), r.bytes()
		case tagLinkForward:
			l.config, l.signatures = r.bytes(), r.signatures()
		default:
			r.fail(fmt.Sprintf("link %08x", tag))
		}
		p.links = append(p.links, l)
	}
	return p, r.close()
}

// signatures reads a liteServer.SignatureSet of any kind.
func (r *reader) signatures() any {
	switch tag := r.tag(); tag {
	case tagSignatures, tagOrdinary:
		s := ton.SignatureSet{ValidatorSetHash: r.int32(), CatchainSeqno: r.int32()}
		s.Signatures = r.signatureList()
		return s
	case tagSimplex:
		s := ton.SignatureSetSimplex{CCSeqno: r.int32(), ValidatorSetHash: r.int32()}
		s.Signatures = r.signatureList()
		s.SessionID, s.Slot, s.Candidate = r.hash(), r.int32(), r.bytes()
		return s
	default:
		r.fail(fmt.Sprintf("signature set %08x", tag))
		return nil
	}
}

func (r *reader) signatureList() []ton.Signature {
	var list []ton.Signature
	for range r.count(maxSignatures) {
		list = append(list, ton.Signature{NodeIDShort: r.hash(), Signature: r.bytes()})
	}
	return list
}
