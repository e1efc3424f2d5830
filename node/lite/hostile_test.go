package lite_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"net"
	"sync/atomic"
	"testing"

	"github.com/xssnick/tonutils-go/liteclient"
	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/node/lite"
	"github.com/tussah-network/tussah/sandbox/liteserver"
)

// lie turns an honest answer into another one. nil means never to answer.
type lie func(query, answer tl.Serializable) tl.Serializable

// liar is a liteserver in the middle: it forwards to an honest one and answers what
// its lie makes of the answer.
type liar struct {
	server lite.Server
	honest *liteclient.ConnectionPool
	lie    atomic.Pointer[lie]
	asked  atomic.Pointer[func(query tl.Serializable)]
}

func newLiar(t testing.TB, honest *liteserver.Server) *liar {
	t.Helper()
	l := &liar{honest: liteclient.NewConnectionPool()}
	t.Cleanup(l.honest.Stop)
	if err := l.honest.AddConnection(t.Context(), honest.Addr().String(), base64.StdEncoding.EncodeToString(honest.Key())); err != nil {
		t.Fatal(err)
	}
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, 32))
	s := liteclient.NewServer([]ed25519.PrivateKey{key})
	s.SetQueryHandler(func(ctx context.Context, client *liteclient.ServerClient, id []byte, query tl.Serializable) {
		go l.handle(client, id, query)
	})
	l.server = lite.Server{Addr: freePort(t), Key: key.Public().(ed25519.PublicKey)}
	listening := make(chan error, 1)
	go func() { listening <- s.Listen(l.server.Addr) }()
	t.Cleanup(func() { s.Close() })
	eventually(t, "the hostile server listens", func() bool {
		conn, err := net.Dial("tcp", l.server.Addr)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return l
}

func freePort(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func (l *liar) handle(client *liteclient.ServerClient, id []byte, query tl.Serializable) {
	lsQuery, ok := query.(liteclient.LiteServerQuery)
	if ok {
		query = lsQuery.Data
	}
	if list, ok := query.([]tl.Serializable); ok && len(list) == 2 {
		query = list[1] // behind a wait prefix
	}
	if asked := l.asked.Load(); asked != nil {
		(*asked)(query)
	}
	answer, err := l.ask(query)
	if err != nil {
		return
	}
	if lie := l.lie.Load(); lie != nil {
		if answer = (*lie)(query, answer); answer == nil {
			return
		}
	}
	client.Answer(id, answer)
}

// ask asks the honest server.
func (l *liar) ask(query tl.Serializable) (tl.Serializable, error) {
	var answer tl.Serializable
	err := l.honest.QueryLiteserver(context.Background(), query, &answer)
	return answer, err
}

// accountAnswer is liteServer.accountState with its cells as bytes.
type accountAnswer struct {
	ID, Shard                *ton.BlockIDExt
	ShardProof, Proof, State []byte
}

func openAccount(a ton.AccountState) accountAnswer {
	raw := accountAnswer{ID: a.ID.Copy(), Shard: a.Shard.Copy()}
	if len(a.ShardProof) > 0 {
		raw.ShardProof = cell.ToBOCWithOptions(a.ShardProof, cell.BOCSerializeOptions{})
	}
	raw.Proof = cell.ToBOCWithOptions(a.Proof, cell.BOCSerializeOptions{})
	if a.State != nil {
		raw.State = a.State.ToBOC()
	}
	return raw
}

func (a accountAnswer) encode() tl.Raw {
	out := binary.LittleEndian.AppendUint32(nil, tl.CRC("liteServer.accountState id:tonNode.blockIdExt shardblk:tonNode.blockIdExt shard_proof:bytes proof:bytes state:bytes = liteServer.AccountState"))
	for _, id := range []*ton.BlockIDExt{a.ID, a.Shard} {
		out = append(out, mustSerialize(*id)...)
	}
	for _, b := range [][]byte{a.ShardProof, a.Proof, a.State} {
		out, _ = tl.AppendBytes(out, b)
	}
	return out
}

func mustSerialize(v tl.Serializable) []byte {
	b, err := tl.Serialize(v, false)
	if err != nil {
		panic(err)
	}
	return b
}
