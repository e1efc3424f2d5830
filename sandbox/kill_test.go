package sandbox_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// killDir is the environment variable that makes a process of this test the one
// to be killed.
const killDir = "TUSSAH_KILL_DIR"

// TestKill kills a process with a chain on the disk, over and over, at any time:
// while it makes the chain, opens it, or seals. Whatever it said was sealed is
// there afterwards, and the chain goes on. TUSSAH_KILLS sets how often.
func TestKill(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv(killDir); dir != "" {
		t.Skip("this is the process to be killed")
	}
	kills := 30
	if text := os.Getenv("TUSSAH_KILLS"); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var dir string
	sealed, head := uint32(0), uint32(0)
	for n := range kills {
		fresh := n%10 == 0
		if fresh {
			dir, head = filepath.Join(t.TempDir(), strconv.Itoa(n)), 0
		}
		victim := startVictim(t, dir)
		event := "sealed"
		if fresh || random.IntN(3) == 0 {
			event = "starting" // to be killed while it makes or opens the chain
		}
		victim.kill(t, event, time.Duration(random.Int64N(int64(60*time.Millisecond))))
		now := victim.afterKill(t, dir)
		sealed += now - head
		head = now
	}
	t.Logf("%d kills, %d blocks", kills, sealed)
	if sealed < uint32(kills) {
		t.Error("hardly anything was sealed")
	}
}

// victim is a process to be killed, and what it said.
type victim struct {
	cmd   *exec.Cmd
	lines chan []string
	// the last block it said was sealed; seqno 0: none
	seqno uint32
	root  string
}

func startVictim(t *testing.T, dir string) *victim {
	t.Helper()
	v := &victim{cmd: exec.Command(os.Args[0], "-test.run=^TestVictim$"), lines: make(chan []string, 1<<16)}
	v.cmd.Env = append(os.Environ(), killDir+"="+dir)
	v.cmd.Stderr = os.Stderr
	out, err := v.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := v.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(v.lines)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var event, root string
			var seqno uint32
			if n, _ := fmt.Sscan(lines.Text(), &event, &seqno, &root); n == 3 && len(root) == 64 {
				v.lines <- []string{event, strconv.Itoa(int(seqno)), root}
			} else if lines.Text() == "starting" {
				v.lines <- []string{"starting"}
			}
		}
	}()
	return v
}

// kill waits for an event, and some more.
func (v *victim) kill(t *testing.T, event string, delay time.Duration) {
	t.Helper()
	for line := range v.lines {
		v.heard(line)
		if line[0] == event {
			break
		}
	}
	time.Sleep(delay)
	if err := v.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for line := range v.lines {
		v.heard(line)
	}
	if err := v.cmd.Wait(); err == nil || v.cmd.ProcessState.Exited() {
		t.Fatalf("it ended by itself: %v", v.cmd.ProcessState)
	}
}

func (v *victim) heard(line []string) {
	if line[0] == "sealed" {
		n, _ := strconv.Atoi(line[1])
		v.seqno, v.root = uint32(n), line[2]
	}
}

// afterKill opens what is left, goes on, and returns the head.
func (v *victim) afterKill(t *testing.T, dir string) uint32 {
	t.Helper()
	chain, err := sandbox.Open(killOptions(dir))
	if err != nil {
		t.Fatalf("after block %d: %v", v.seqno, err)
	}
	defer chain.Close()
	head := chain.MasterHead()
	if head.SeqNo < v.seqno {
		t.Fatalf("block %d was sealed, the head is %d", v.seqno, head.SeqNo)
	}
	if v.seqno > 0 {
		id, err := chain.Lookup(master, -1<<63, sandbox.Lookup{Seqno: v.seqno})
		if err != nil || hex.EncodeToString(id.RootHash) != v.root {
			t.Fatalf("block %d was %s, is %x, %v", v.seqno, v.root, id.RootHash, err)
		}
	}
	checkStates(t, chain, max(head.SeqNo, 1)-1)
	checkConserved(t, chain)
	after, err := chain.Seal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return after.Seqno
}

func killOptions(dir string) sandbox.Options {
	o := sandbox.Options{Dir: dir, Mode: sandbox.Manual, CacheBytes: 1 << 20}
	for n := range uint32(64) {
		o.Genesis = append(o.Genesis, sandbox.GenesisAccount{Address: numbered(n), Balance: tlb.TON, Code: sink})
	}
	return o
}

// numbered are addresses of the basechain, spread evenly.
func numbered(n uint32) *address.Address {
	hash := sha256.Sum256(binary.BigEndian.AppendUint32(nil, n))
	return address.NewAddress(0, 0, hash[:])
}

// TestVictim is what [TestKill] kills. It says what it sealed, after it did.
func TestVictim(t *testing.T) {
	dir := os.Getenv(killDir)
	if dir == "" {
		t.Skip("nobody wants to kill this")
	}
	fmt.Println("starting")
	chain, err := sandbox.Open(killOptions(dir))
	if err != nil {
		t.Fatal(err)
	}
	for nonce := uint64(chain.MasterHead().SeqNo) << 16; ; {
		for range 8 {
			nonce++
			to := numbered(uint32(nonce*2654435761) % 128) // half of them are new
			if nonce%8 == 0 {
				to = account(master, byte(nonce/8))
			}
			if err := chain.Send(t.Context(), give(t, nonce, to, tlb.TON/100, nonce%2 == 0)); err != nil {
				t.Fatal(err)
			}
		}
		head, err := chain.Seal(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("sealed %d %x\n", head.Seqno, head.RootHash)
	}
}
