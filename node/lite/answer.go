package lite

import (
	"encoding/binary"
	"fmt"

	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"
)

// The answers that are read, by constructor. They are taken apart by hand and not
// through the library's registry of types, so that an answer of another type is
// never looked at, and cells reach the guard as bytes.
var (
	tagError           = tl.CRC("liteServer.error code:int message:string = liteServer.Error")
	tagMasterchainInfo = tl.CRC("liteServer.masterchainInfo last:tonNode.blockIdExt state_root_hash:int256 init:tonNode.zeroStateIdExt = liteServer.MasterchainInfo")
	tagBlockHeader     = tl.CRC("liteServer.blockHeader id:tonNode.blockIdExt mode:# header_proof:bytes = liteServer.BlockHeader")
	tagAccountState    = tl.CRC("liteServer.accountState id:tonNode.blockIdExt shardblk:tonNode.blockIdExt shard_proof:bytes proof:bytes state:bytes = liteServer.AccountState")
	tagTransactions    = tl.CRC("liteServer.transactionList ids:(vector tonNode.blockIdExt) transactions:bytes = liteServer.TransactionList")
	tagConfig          = tl.CRC("liteServer.configInfo mode:# id:tonNode.blockIdExt state_proof:bytes config_proof:bytes = liteServer.ConfigInfo")
	tagSendStatus      = tl.CRC("liteServer.sendMsgStatus status:int = liteServer.SendMsgStatus")
	tagBlockProof      = tl.CRC("liteServer.partialBlockProof complete:Bool from:tonNode.blockIdExt to:tonNode.blockIdExt steps:(vector liteServer.BlockLink) = liteServer.PartialBlockProof")
	tagLinkBack        = tl.CRC("liteServer.blockLinkBack to_key_block:Bool from:tonNode.blockIdExt to:tonNode.blockIdExt dest_proof:bytes proof:bytes state_proof:bytes = liteServer.BlockLink")
	tagLinkForward     = tl.CRC("liteServer.blockLinkForward to_key_block:Bool from:tonNode.blockIdExt to:tonNode.blockIdExt dest_proof:bytes config_proof:bytes signatures:liteServer.SignatureSet = liteServer.BlockLink")
	tagSignatures      = tl.CRC("liteServer.signatureSet validator_set_hash:int catchain_seqno:int signatures:(vector liteServer.signature) = liteServer.SignatureSet")
	tagSimplex         = tl.CRC("liteServer.signatureSet.simplex cc_seqno:int validator_set_hash:int signatures:(vector liteServer.signature) session_id:int256 slot:int candidate:bytes = liteServer.SignatureSet")
	tagTrue            = tl.CRC("boolTrue = Bool")
	tagFalse           = tl.CRC("boolFalse = Bool")
)

// tagOrdinary is liteServer.signatureSet.ordinary, whose number the schema states.
const tagOrdinary = 0xf644a6e6

// Limits on lists in answers. Masterchain blocks are signed by at most a few
// hundred validators; the other two are what TON's liteserver sends.
const (
	maxSignatures = 2048
	maxLinks      = 64
	maxIDs        = 64
)

// blockID names a block of any chain.
type blockID = ton.BlockIDExt

// reader takes a TL value apart. After the first fault it yields zeros; close
// says what the fault was.
type reader struct {
	data []byte
	err  error
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrAnswer, what)
	}
	r.data = nil
}

// take returns the next n bytes, or n zeros after a fault.
func (r *reader) take(n int) []byte {
	if len(r.data) < n {
		r.fail("cut short")
		return make([]byte, n)
	}
	taken := r.data[:n:n]
	r.data = r.data[n:]
	return taken
}

func (r *reader) uint32() uint32    { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) int32() int32      { return int32(r.uint32()) }
func (r *reader) hash() []byte      { return r.take(32) }
func (r *reader) shard() int64      { return int64(binary.LittleEndian.Uint64(r.take(8))) }
func (r *reader) tag() uint32       { return r.uint32() }
func (r *reader) count(max int) int { return r.bounded(int64(r.uint32()), max) }

func (r *reader) bounded(n int64, max int) int {
	if n > int64(max) {
		r.fail(fmt.Sprintf("list of %d, at most %d", n, max))
		return 0
	}
	return int(n)
}

func (r *reader) bool() bool {
	switch r.tag() {
	case tagTrue:
		return true
	case tagFalse:
	default:
		r.fail("neither true nor false")
	}
	return false
}

func (r *reader) bytes() []byte {
	value, rest, err := tl.FromBytesNoCopy(r.data)
	if err != nil {
		r.fail("cut short")
		return nil
	}
	r.data = rest
	return value
}

func (r *reader) block() blockID {
	return blockID{Workchain: r.int32(), Shard: r.shard(), SeqNo: r.uint32(), RootHash: r.hash(), FileHash: r.hash()}
}

// close returns the first fault; bytes left over are one.
func (r *reader) close() error {
	if r.err == nil && len(r.data) > 0 {
		r.fail(fmt.Sprintf("%d bytes too many", len(r.data)))
	}
	return r.err
}

// open begins to read an answer that must be of the type wanted. A server's error
// is returned as a RefusalError.
func open(answer []byte, want uint32) (*reader, error) {
	r := &reader{data: answer}
	switch tag := r.tag(); {
	case r.err != nil:
		return nil, r.err
	case tag == want:
		return r, nil
	case tag == tagError:
		e := &RefusalError{Code: r.int32(), Text: clip(string(r.bytes()))}
		if err := r.close(); err != nil {
			return nil, err
		}
		return nil, e
	default:
		return nil, fmt.Errorf("%w: constructor %08x", ErrAnswer, tag)
	}
}

// clip bounds what a server can put into an error and so into a log.
func clip(text string) string {
	const most = 200
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// encode writes a query. Queries are our own values, which always encode.
func encode(query any) []byte {
	data, err := tl.Serialize(query, true)
	if err != nil {
		panic("lite: internal error: " + err.Error())
	}
	return data
}
