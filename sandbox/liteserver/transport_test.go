package liteserver

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/adnl/keys"
	"github.com/xssnick/tonutils-go/liteclient"
	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// Clients of the libraries under test have no way to stop some of their goroutines.
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/xssnick/tonutils-go/liteclient.(*ConnectionPool).startPings"),
		goleak.IgnoreAnyFunction("github.com/tonkeeper/tongo/liteclient.(*Connection).ping"),
		goleak.IgnoreAnyFunction("github.com/tonkeeper/tongo/liteclient.(*Connection).reader"),
		goleak.IgnoreAnyFunction("github.com/tonkeeper/tongo/liteclient.(*Connection).reconnect"),
		goleak.IgnoreAnyFunction("github.com/tonkeeper/tongo/liteclient.(*Client).reader"),
		goleak.IgnoreAnyFunction("github.com/tonkeeper/tongo/liteapi/pool.(*connection).Run"),
		goleak.IgnoreAnyFunction("github.com/tonkeeper/tongo/liteapi/pool.(*ConnPool).Run"),
		goleak.IgnoreAnyFunction("github.com/tonkeeper/tongo/liteclient.(*encryptedConn).handleIncomingPackets.func1"),
	)
}

// stubSource is a chain without blocks: enough for what is about the transport.
type stubSource struct {
	mu     sync.Mutex
	head   uint32
	grown  chan struct{}
	lookup func() (BlockID, error)
}

func newStub() *stubSource { return &stubSource{head: 10, grown: make(chan struct{})} }

func (s *stubSource) MasterHead() BlockID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return BlockID{Workchain: masterchain, Shard: masterShard, SeqNo: s.head, RootHash: make([]byte, 32), FileHash: make([]byte, 32)}
}

func (s *stubSource) Lookup(int32, int64, Lookup) (BlockID, error) {
	if s.lookup != nil {
		return s.lookup()
	}
	return BlockID{}, ErrNotFound
}
func (s *stubSource) Block(BlockID) (*cell.Cell, error)      { return nil, ErrNotFound }
func (s *stubSource) State(BlockID) (*cell.Cell, error)      { return nil, ErrNotFound }
func (s *stubSource) Signatures(uint32) ([]Signature, error) { return nil, ErrNotFound }
func (s *stubSource) Send(context.Context, *cell.Cell) error { return errors.New("nobody listens") }
func (s *stubSource) Now() time.Time                         { return time.Unix(1_700_000_000, 0) }
func (s *stubSource) Wait(ctx context.Context, seqno uint32) error {
	for {
		s.mu.Lock()
		head, grown := s.head, s.grown
		s.mu.Unlock()
		if head >= seqno {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *stubSource) grow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.head++
	close(s.grown)
	s.grown = make(chan struct{})
}

// start runs a server for src until the test ends.
func start(t testing.TB, src Source, o Options) *Server {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := New(src, key, o)
	if err := s.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(5 * time.Second):
			t.Error("Run did not end")
		}
	})
	return s
}

// connect is an unmodified tonutils client of s.
func connect(t testing.TB, s *Server) *liteclient.ConnectionPool {
	t.Helper()
	pool := liteclient.NewConnectionPool()
	t.Cleanup(pool.Stop)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := pool.AddConnection(ctx, s.Addr().String(), base64.StdEncoding.EncodeToString(s.Key())); err != nil {
		t.Fatalf("connect: %v", err)
	}
	return pool
}

// ask sends one query and returns the answer.
func ask(t testing.TB, pool *liteclient.ConnectionPool, query tl.Serializable) tl.Serializable {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var answer tl.Serializable
	if err := pool.QueryLiteserver(ctx, query, &answer); err != nil {
		t.Fatalf("query %T: %v", query, err)
	}
	return answer
}

func wantError(t testing.TB, answer tl.Serializable, code int32) {
	t.Helper()
	if e, ok := answer.(ton.LSError); !ok || e.Code != code {
		t.Fatalf("got %#v, want a liteServer.error with code %d", answer, code)
	}
}

// dial opens a connection and, like a client, performs the handshake.
func dial(t testing.TB, s *Server) (net.Conn, *peer) {
	t.Helper()
	conn := dialTCP(t, s)
	session := make([]byte, sessionSize)
	rand.Read(session)
	ch, err := openChannel(conn, session, handshake(t, s, session))
	if err != nil {
		t.Fatal(err)
	}
	return conn, ch
}

// peer is a client's end of a connection.
type peer struct {
	channel
	rw io.ReadWriter
}

func (p *peer) read() ([]byte, error) {
	frame, err := p.readFrame(p.rw)
	if err != nil {
		return nil, err
	}
	return p.open(frame)
}

func (p *peer) write(payload []byte) error {
	_, err := p.rw.Write(p.seal(nil, payload))
	return err
}

// openChannel is the client's half of a handshake.
func openChannel(conn net.Conn, session, hello []byte) (*peer, error) {
	out, err := keys.NewCipherCtr(session[32:64], session[80:96])
	if err != nil {
		return nil, err
	}
	in, err := keys.NewCipherCtr(session[:32], session[64:80])
	if err != nil {
		return nil, err
	}
	if _, err := conn.Write(hello); err != nil {
		return nil, err
	}
	ch := &peer{channel{in: in, out: out}, conn}
	if first, err := ch.read(); err != nil || len(first) != 0 {
		return nil, fmt.Errorf("handshake answer: %x, %w", first, err)
	}
	return ch, nil
}

func dialTCP(t testing.TB, s *Server) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn
}

func handshake(t testing.TB, s *Server, session []byte) []byte {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	shared, err := keys.SharedKey(key, s.Key())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(session)
	ctr, err := keys.BuildSharedCipher(shared, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	sealed := make([]byte, len(session))
	ctr.XORKeyStream(sealed, session)
	return bytes.Join([][]byte{s.keyID[:], pub, sum[:], sealed}, nil)
}

// closed waits for the server to hang up.
func closed(t testing.TB, conn net.Conn) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	for {
		if _, err := conn.Read(make([]byte, 1<<10)); err != nil {
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				t.Fatal("server kept the connection")
			}
			return
		}
	}
}

// rawQuery is the message for a query whose liteServer.query data is given.
func rawQuery(data []byte) []byte {
	query := binary.LittleEndian.AppendUint32(nil, tagQuery)
	query, _ = tl.AppendBytes(query, data)
	msg := binary.LittleEndian.AppendUint32(nil, tagMessage)
	msg = append(msg, make([]byte, 32)...)
	msg, _ = tl.AppendBytes(msg, query)
	return msg
}

func TestTime(t *testing.T) {
	client := connect(t, start(t, newStub(), Options{}))
	if got, ok := ask(t, client, ton.GetTime{}).(ton.CurrentTime); !ok || got.Now != 1_700_000_000 {
		t.Errorf("time: %#v", got)
	}
	if got, ok := ask(t, client, ton.GetVersion{}).(ton.Version); !ok || got.Version != 0x101 || got.Capabilities != 15 {
		t.Errorf("version: %#v", got)
	}
}

func TestErrors(t *testing.T) {
	src := newStub()
	client := connect(t, start(t, src, Options{}))
	id := src.MasterHead()
	account := ton.AccountID{ID: make([]byte, 32)}

	wantError(t, ask(t, client, ton.GetMasterchainInf{}), codeNotReady)
	wantError(t, ask(t, client, ton.GetBlockData{ID: &id}), codeNotReady)
	wantError(t, ask(t, client, ton.GetAccountState{ID: &id, Account: account}), codeNotReady)
	wantError(t, ask(t, client, ton.GetValidatorStats{ID: &id}), codeProtocol)
	wantError(t, ask(t, client, ton.LookupBlock{Mode: 3, ID: &ton.BlockInfoShort{Workchain: -1, Shard: masterShard}}), codeProtocol)
	wantError(t, ask(t, client, ton.LookupBlock{Mode: 1, ID: &ton.BlockInfoShort{Workchain: -1, Shard: 1}}), codeProtocol)
	wantError(t, ask(t, client, ton.GetTransactions{Limit: 0, AccID: &account, TxHash: make([]byte, 32)}), codeProtocol)
	wantError(t, ask(t, client, ton.GetConfigParams{BlockID: &id, Params: make([]int32, maxParams+1)}), codeProtocol)
	wantError(t, ask(t, client, ton.SendMessage{Body: []byte("no bag of cells")}), codeProtocol)
	wantError(t, ask(t, client, ton.SendMessage{Body: make([]byte, maxMessage+1)}), codeProtocol)
	wantError(t, ask(t, client, ton.SendMessage{Body: cell.BeginCell().EndCell().ToBOC()}), codeRefused)
	wantError(t, ask(t, client, ton.RunSmcMethod{ID: &id, Account: account, Params: []byte{1}}), codeProtocol)
	wantError(t, ask(t, client, tl.Raw{1, 2, 3, 4, 5}), codeProtocol)
	wantError(t, ask(t, client, tl.Raw{}), codeProtocol)
	shard := id
	shard.Workchain, shard.Shard = 0, 0
	wantError(t, ask(t, client, ton.GetBlockData{ID: &shard}), codeProtocol)
}

// A query that waits for a block does not hold up others on its connection, and
// gets the block's error or answer once it can.
func TestWait(t *testing.T) {
	src := newStub()
	client := connect(t, start(t, src, Options{Workers: 1}))
	prefixed := func(seqno, millis int32, query tl.Serializable) tl.Raw {
		data, err := tl.Serialize(ton.WaitMasterchainSeqno{Seqno: seqno, Timeout: millis}, true)
		if err != nil {
			t.Fatal(err)
		}
		if query != nil {
			if data, err = tl.Append(data, query, true); err != nil {
				t.Fatal(err)
			}
		}
		return data
	}

	wantError(t, ask(t, client, prefixed(11, 20, ton.GetTime{})), codeTimeout)
	wantError(t, ask(t, client, prefixed(10, 20, nil)), 0) // a bare wait that succeeds

	waited := make(chan tl.Serializable, 1)
	go func() { waited <- ask(t, client, prefixed(11, 5000, ton.GetTime{})) }()
	for range 3 {
		ask(t, client, ton.GetTime{})
	}
	select {
	case answer := <-waited:
		t.Fatalf("answered before the block came: %#v", answer)
	case <-time.After(30 * time.Millisecond):
	}
	src.grow()
	if answer := <-waited; answer != (ton.CurrentTime{Now: 1_700_000_000}) {
		t.Errorf("after the block: %#v", answer)
	}
}

func TestPanicIsAnswered(t *testing.T) {
	src := newStub()
	src.lookup = func() (BlockID, error) { panic("boom") }
	var logged bytes.Buffer
	client := connect(t, start(t, src, Options{Log: slog.New(slog.NewTextHandler(&logged, nil))}))
	wantError(t, ask(t, client, ton.LookupBlock{Mode: 1, ID: &ton.BlockInfoShort{Workchain: -1, Shard: masterShard, Seqno: 1}}), codeInternal)
	if !bytes.Contains(logged.Bytes(), []byte("boom")) {
		t.Errorf("panic was not logged: %s", logged.String())
	}
	ask(t, client, ton.GetTime{})
}

// Whatever a connection sends, it costs that connection only.
func TestGarbage(t *testing.T) {
	s := start(t, newStub(), Options{})
	honest := connect(t, s)
	frame := func(size uint32) []byte { return binary.LittleEndian.AppendUint32(nil, size) }

	t.Run("noise for a handshake", func(t *testing.T) {
		conn := dialTCP(t, s)
		noise := make([]byte, 1024)
		rand.Read(noise)
		conn.Write(noise)
		closed(t, conn)
	})
	t.Run("handshake checksum", func(t *testing.T) {
		conn := dialTCP(t, s)
		hello := handshake(t, s, make([]byte, sessionSize))
		hello[200] ^= 1
		conn.Write(hello)
		closed(t, conn)
	})
	t.Run("handshake with a key of small order", func(t *testing.T) {
		conn := dialTCP(t, s)
		hello := handshake(t, s, make([]byte, sessionSize))
		clear(hello[32:64])
		conn.Write(hello)
		closed(t, conn)
	})
	for name, size := range map[string]uint32{"giant": 1<<32 - 1, "16 MiB": 16 << 20, "zero": 0, "too short": 63} {
		t.Run("frame size "+name, func(t *testing.T) {
			conn, ch := dial(t, s)
			data := frame(size)
			ch.out.XORKeyStream(data, data)
			conn.Write(data)
			closed(t, conn)
		})
	}
	t.Run("frame checksum", func(t *testing.T) {
		conn, ch := dial(t, s)
		data := append(frame(100), make([]byte, 100)...)
		ch.out.XORKeyStream(data, data)
		conn.Write(data)
		closed(t, conn)
	})
	for name, msg := range map[string][]byte{
		"empty": nil, "unknown": {1, 2, 3, 4}, "no query id": binary.LittleEndian.AppendUint32(nil, tagMessage),
		"short ping": binary.LittleEndian.AppendUint32(nil, tagPing),
		"no query":   append(binary.LittleEndian.AppendUint32(nil, tagMessage), make([]byte, 40)...),
		"lying length": append(binary.LittleEndian.AppendUint32(nil, tagMessage),
			append(make([]byte, 32), 0xfe, 0xff, 0xff, 0xff)...),
	} {
		t.Run("message "+name, func(t *testing.T) {
			conn, ch := dial(t, s)
			if err := ch.write(msg); err != nil {
				t.Fatal(err)
			}
			closed(t, conn)
		})
	}
	t.Run("query of noise is answered", func(t *testing.T) {
		_, ch := dial(t, s)
		for n := range 40 {
			noise := make([]byte, n)
			rand.Read(noise)
			if err := ch.write(rawQuery(noise)); err != nil {
				t.Fatal(err)
			}
			answer, err := ch.read()
			if err != nil || binary.LittleEndian.Uint32(answer) != tagAnswer {
				t.Fatalf("answer to %x: %x, %v", noise, answer, err)
			}
		}
	})
	ask(t, honest, ton.GetTime{})
}

// Many connections, some of them never finishing their handshake and some never
// reading their answers, leave an honest client its service.
func TestCrowd(t *testing.T) {
	s := start(t, newStub(), Options{})
	honest := connect(t, s)
	for range 100 {
		dialTCP(t, s)
	}
	msg := rawQuery(mustSerialize(t, ton.GetTime{}))
	for range 100 {
		_, ch := dial(t, s)
		go func() {
			for range 100 {
				if ch.write(msg) != nil {
					return
				}
			}
		}()
	}
	for range 20 {
		began := time.Now()
		ask(t, honest, ton.GetTime{})
		if took := time.Since(began); took > 2*time.Second {
			t.Fatalf("honest query took %s", took)
		}
	}
	connect(t, s) // and there is room for another
}

func TestConnectionLimit(t *testing.T) {
	s := start(t, newStub(), Options{MaxConnections: 1})
	first := connect(t, s)
	closed(t, dialTCP(t, s))
	ask(t, first, ton.GetTime{})
}

func TestListenErrors(t *testing.T) {
	_, key, _ := ed25519.GenerateKey(nil)
	s := New(newStub(), key, Options{})
	if err := s.Run(t.Context()); !errors.Is(err, ErrNotListening) {
		t.Errorf("Run before Listen: %v", err)
	}
	if _, err := s.GlobalConfig(); !errors.Is(err, ErrNotListening) {
		t.Errorf("GlobalConfig before Listen: %v", err)
	}
	other := start(t, newStub(), Options{})
	if err := s.Listen(other.Addr().String()); err == nil {
		t.Error("listened on a port that is taken")
	}
	s.Close()
	if err := s.Listen("127.0.0.1:0"); err == nil {
		t.Error("listened after Close")
	}
}

func mustSerialize(t testing.TB, v tl.Serializable) []byte {
	t.Helper()
	data, err := tl.Serialize(v, true)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
