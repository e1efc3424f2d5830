package liteserver

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/adnl/keys"
	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"
)

// attacker is one attack. Attackers are on machines of their own, so here they
// are a process of their own, at the lowest priority: what they do themselves is
// not to cost the honest client its processor. For the same reason they encrypt
// once what they send often, throw answers away unread, and where the cost is the
// system's, as in connecting, keep to a rate.
type attacker struct {
	target
	t          testing.TB
	ctx        context.Context
	key, hello []byte // of every session
	noise      []byte
	tasks      sync.WaitGroup
}

// target is what attackers know, handed to their process as JSON.
type target struct {
	Attack, Addr string
	Hello        []byte
	Head, Shard  BlockID
	Account      []byte
}

func (t target) account() ton.AccountID { return ton.AccountID{ID: t.Account} }

// dial connects from another address than the honest client's, as an attacker
// from elsewhere would.
func (a *attacker) dial() net.Conn {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	conn, err := d.DialContext(a.ctx, "tcp", a.Addr)
	if err != nil {
		return nil
	}
	return conn
}

// session connects and does the handshake.
func (a *attacker) session() (net.Conn, *peer) {
	conn := a.dial()
	if conn == nil {
		return nil, nil
	}
	ch, err := openChannel(conn, a.key, a.hello)
	if err != nil {
		return nil, nil
	}
	return conn, ch
}

func (a *attacker) over() bool { return a.ctx.Err() != nil }

// every does something at a rate until the attack is over.
func (a *attacker) every(pause time.Duration, do func()) {
	a.tasks.Go(func() {
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for {
			select {
			case <-a.ctx.Done():
				return
			case <-tick.C:
				do()
			}
		}
	})
}

// flood sends queries as fast as they are taken, over some connections. All
// have the same session, so what they send is encrypted once.
func (a *attacker) flood(connections int, read bool, queries ...tl.Serializable) {
	bytesEach := 4 << 20
	if raceDetector {
		bytesEach >>= 4
	}
	var stream bytes.Buffer
	cipher, err := keys.NewCipherCtr(a.key[32:64], a.key[80:96])
	if err != nil {
		a.t.Fatal(err)
	}
	ch := &peer{channel{out: cipher}, &stream}
	for i := 0; stream.Len() < bytesEach; i++ {
		ch.write(rawQuery(mustSerialize(a.t, queries[i%len(queries)])))
	}
	for range connections {
		a.tasks.Go(func() {
			for !a.over() {
				conn, _ := a.session()
				if conn == nil {
					return
				}
				if read {
					a.tasks.Go(func() { io.Copy(io.Discard, conn) })
				}
				for data := stream.Bytes(); len(data) > 0; data = data[min(len(data), 16<<10):] {
					if _, err := conn.Write(data[:min(len(data), 16<<10)]); err != nil {
						break
					}
				}
			}
		})
	}
}

var attacks = []struct {
	name string
	run  func(a *attacker)
}{
	{"noise for handshakes", func(a *attacker) {
		a.every(5*time.Millisecond, func() {
			if conn := a.dial(); conn != nil {
				conn.Write(a.noise)
			}
		})
	}},
	{"handshakes", func(a *attacker) {
		a.every(5*time.Millisecond, func() { a.session() })
	}},
	{"noise for frames", func(a *attacker) {
		a.every(5*time.Millisecond, func() {
			if conn, _ := a.session(); conn != nil {
				conn.Write(a.noise)
			}
		})
	}},
	{"giant frames", func(a *attacker) {
		a.every(5*time.Millisecond, func() {
			if conn, ch := a.session(); conn != nil {
				size := binary.LittleEndian.AppendUint32(nil, math.MaxUint32)
				ch.out.XORKeyStream(size, size)
				conn.Write(size)
			}
		})
	}},
	{"half frames", func(a *attacker) {
		for range 100 {
			if conn, ch := a.session(); conn != nil {
				size := binary.LittleEndian.AppendUint32(nil, maxRequest)
				ch.out.XORKeyStream(size, size)
				conn.Write(append(size, a.noise...))
			}
		}
	}},
	{"slow frames", func(a *attacker) {
		for range 100 {
			conn, ch := a.session()
			if conn == nil {
				continue
			}
			frame := append(binary.LittleEndian.AppendUint32(nil, 1000), a.noise...)
			ch.out.XORKeyStream(frame, frame)
			a.every(50*time.Millisecond, func() {
				if len(frame) > 0 {
					conn.Write(frame[:1])
					frame = frame[1:]
				}
			})
		}
	}},
	{"slow handshakes", func(a *attacker) {
		for range 200 {
			conn := a.dial()
			a.every(50*time.Millisecond, func() { conn.Write(a.noise[:1]) })
		}
	}},
	{"1,000 idle connections", func(a *attacker) {
		for range 1000 {
			if conn, _ := a.session(); conn == nil {
				a.t.Error("an attacker could not connect")
				return
			}
		}
	}},
	{"pipelined queries", func(a *attacker) { a.flood(4, true, ton.GetAccountState{ID: &a.Head, Account: a.account()}) }},
	{"pipelined cheap queries", func(a *attacker) { a.flood(4, true, ton.GetTime{}) }},
	{"answers not read", func(a *attacker) { a.flood(50, false, ton.GetBlockData{ID: &a.Head}) }},
	{"huge counts", func(a *attacker) {
		a.flood(4, true,
			ton.ListBlockTransactions{ID: &a.Shard, Mode: 0x27, Count: math.MaxUint32, WantProof: &ton.True{}},
			ton.ListBlockTransactionsExt{ID: &a.Shard, Mode: 0x27, Count: math.MaxUint32, WantProof: &ton.True{}},
			ton.GetDispatchQueueInfo{Mode: 1, ID: &a.Shard, MaxAccounts: math.MaxInt32, WantProof: &ton.True{}},
			ton.GetConfigAll{BlockID: &a.Head}, ton.GetState{ID: &a.Shard},
			ton.LookupBlock{Mode: 4, ID: &ton.BlockInfoShort{Workchain: -1, Shard: masterShard}, UTime: math.MaxUint32},
			tl.Raw(append(binary.LittleEndian.AppendUint32(nil, tl.CRC("liteServer.getLibraries library_list:(vector int256) = liteServer.LibraryResult")), 0xff, 0xff, 0xff, 0x7f)),
		)
	}},
	{"queries of noise", func(a *attacker) { a.flood(4, true, tl.Raw(a.noise), tl.Raw(a.noise[:5]), tl.Raw{}) }},
	{"waits that never end", func(a *attacker) {
		a.flood(50, true, tl.Raw(mustSerialize(a.t, ton.WaitMasterchainSeqno{Seqno: math.MaxInt32, Timeout: math.MaxInt32})))
	}},
}

// inAttack is set for the process that attacks, to a target.
const inAttack = "TUSSAH_TEST_ATTACK"

// attack runs one attack until its standard input ends.
func attack(t *testing.T) {
	a := &attacker{t: t, key: make([]byte, sessionSize), noise: make([]byte, 4<<10)}
	if err := json.Unmarshal([]byte(os.Getenv(inAttack)), &a.target); err != nil {
		t.Fatal(err)
	}
	a.hello = a.target.Hello
	rand.Read(a.noise)
	var stop context.CancelFunc
	a.ctx, stop = context.WithCancel(t.Context())
	i := slices.IndexFunc(attacks, func(k struct {
		name string
		run  func(a *attacker)
	}) bool {
		return k.name == a.Attack
	})
	attacks[i].run(a)
	fmt.Println("under way")
	io.Copy(io.Discard, os.Stdin)
	stop()
	os.Exit(0) // nothing is owed to its connections
}

// launch starts an attack in a process of its own; the function returned ends it.
func launch(t *testing.T, at target) (end func()) {
	t.Helper()
	description, err := json.Marshal(at)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{os.Args[0], "-test.run=^TestHostileClients$"}
	if nice, err := exec.LookPath("nice"); err == nil {
		args = append([]string{nice, "-n", "19"}, args...)
	}
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Env = append(os.Environ(), inAttack+"="+string(description), "GORACE=atexit_sleep_ms=0")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err = cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "under way\n" {
		t.Fatalf("attacker: %q, %v", line, err)
	}
	time.Sleep(100 * time.Millisecond) // until buffers are full
	return func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("attacker: %v", err)
		}
	}
}

// What an attack does is nobody else's loss: an honest client keeps at least
// half of the rate that it had just before or has just after. The client and its
// attackers connect from different addresses; those of one address share what
// the server has for it.
func TestHostileClients(t *testing.T) {
	if os.Getenv(inAttack) != "" {
		attack(t)
	}
	_, chain := testChain(t)
	s := start(t, chain, Options{})
	head := chain.MasterHead()
	api := ton.NewAPIClient(connect(t, s), ton.ProofCheckPolicySecure)
	shard, err := chain.Lookup(0, masterShard, Lookup{Seqno: 3})
	if err != nil {
		t.Fatal(err)
	}
	at := target{
		Addr: s.Addr().String(), Hello: handshake(t, s, make([]byte, sessionSize)),
		Head: head, Shard: shard, Account: numbered(1).Data(),
	}
	if probe := (&attacker{target: at, ctx: t.Context()}).dial(); probe == nil {
		t.Skip("this system has no second loopback address")
	} else {
		probe.Close()
	}
	for _, attack := range attacks {
		t.Run(attack.name, func(t *testing.T) {
			at.Attack = attack.name
			if raceDetector {
				// A rate would say nothing: the honest client is answered at all.
				end := launch(t, at)
				if _, err := api.GetAccount(t.Context(), &head, numbered(1)); err != nil {
					t.Error(err)
				}
				end()
				return
			}
			// The machine is shared, so one bad measurement is no proof.
			const tries, want = 5, 0.5
			for try := 1; ; try++ {
				before := rate(t, api, &head)
				end := launch(t, at)
				during := rate(t, api, &head)
				end()
				after := rate(t, api, &head)
				ratio := during / min(before, after)
				t.Logf("%.0f accounts/s before, %.0f during, %.0f after: %.2f", before, during, after, ratio)
				if ratio >= want {
					return
				}
				if try == tries {
					t.Errorf("an honest client was slowed to %.2f of its rate", ratio)
					return
				}
			}
		})
	}
}

// rate is how many proven accounts a second a client gets: the median of some
// short windows.
func rate(t testing.TB, api *ton.APIClient, at *BlockID) float64 {
	t.Helper()
	const windows, length = 5, 25 * time.Millisecond
	var rates []float64
	for range windows {
		n := 0
		began := time.Now()
		for time.Since(began) < length {
			if _, err := api.GetAccount(t.Context(), at, numbered(uint32(n%crowd))); err != nil {
				t.Fatal(err)
			}
			n++
		}
		rates = append(rates, float64(n)/time.Since(began).Seconds())
	}
	slices.Sort(rates)
	return rates[windows/2]
}
