package liteserver_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/liteclient"
	"github.com/xssnick/tonutils-go/tl"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	tonwallet "github.com/xssnick/tonutils-go/ton/wallet"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/liteserver"
	"github.com/tussah-network/tussah/tlb"
)

var _ liteserver.Source = (*sandbox.Chain)(nil)

const wholeChain = int64(-1 << 63)

// The accounts of a test world.
var (
	// calculator subtracts: whatever the method, it takes two integers and
	// returns their difference. SETCP0 DROP SUB.
	calculator = address.NewAddress(0, 0, bytes.Repeat([]byte{0xca}, 32))
	absent     = address.NewAddress(0, 0, bytes.Repeat([]byte{0xab}, 32))
	plain      = address.NewAddress(0, 0, bytes.Repeat([]byte{0x11}, 32))
	masterly   = address.NewAddress(0, 0xff, bytes.Repeat([]byte{0x22}, 32))
)

// world is a chain with a few accounts and key blocks, served.
type world struct {
	chain  *sandbox.Chain
	server *liteserver.Server
	wallet ed25519.PrivateKey
	owner  *address.Address
}

// newWorld's basechain has 2^split shards.
func newWorld(t testing.TB, split uint8) *world {
	t.Helper()
	now := time.Now() // stands still, so that nobody owes storage fees
	chain := liteserver.OpenChain(t, sandbox.Options{
		Now:        func() time.Time { return now },
		SplitDepth: split,
		Genesis: []sandbox.GenesisAccount{{
			Address: calculator, Balance: 7 * tlb.TON,
			Code: cell.BeginCell().MustStoreSlice([]byte{0xff, 0x00, 0x30, 0xa1}, 32).EndCell(),
			Data: cell.BeginCell().MustStoreUInt(1, 8).EndCell(),
		}},
	})
	w := &world{chain: chain, server: serve(t, chain)}
	w.wallet = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))
	var err error
	w.owner, err = tonwallet.AddressFromPubKey(w.wallet.Public().(ed25519.PublicKey), tonwallet.V4R2, tonwallet.DefaultSubwallet)
	if err != nil {
		t.Fatal(err)
	}
	for n, to := range []*address.Address{w.owner, plain, masterly, plain} {
		if err := chain.Faucet(t.Context(), to, 100*tlb.TON); err != nil {
			t.Fatal(err)
		}
		// A change of what nobody reads makes a key block.
		if err := chain.SetConfig(t.Context(), 9999, cell.BeginCell().MustStoreUInt(uint64(n), 8).EndCell()); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func serve(t testing.TB, src liteserver.Source) *liteserver.Server {
	t.Helper()
	s := liteserver.New(src, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)), liteserver.Options{})
	if err := s.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return s
}

// tonutils is an unmodified tonutils-go client that finds the server, and the
// block to trust, through the global config.
func (w *world) tonutils(t testing.TB, policy ton.ProofCheckPolicy) *ton.APIClient {
	t.Helper()
	data, err := w.server.GlobalConfig()
	if err != nil {
		t.Fatal(err)
	}
	var config liteclient.GlobalConfig
	if err := json.Unmarshal(data, &config); err != nil {
		t.Fatal(err)
	}
	pool := liteclient.NewConnectionPool()
	t.Cleanup(pool.Stop)
	if err := pool.AddConnectionsFromConfig(t.Context(), &config); err != nil {
		t.Fatal(err)
	}
	api := ton.NewAPIClient(pool, policy)
	api.SetTrustedBlockFromConfig(&config)
	return api
}

func TestTonutilsFast(t *testing.T)   { testTonutils(t, ton.ProofCheckPolicyFast, 0) }
func TestTonutilsSecure(t *testing.T) { testTonutils(t, ton.ProofCheckPolicySecure, 0) }
func TestTonutilsShards(t *testing.T) { testTonutils(t, ton.ProofCheckPolicySecure, 2) }

// TestStoredClients is the same with a stored chain, of which next to nothing is
// in memory.
func TestStoredClients(t *testing.T) {
	liteserver.OnStored(t, map[string]func(*testing.T){
		"tonutils": TestTonutilsSecure, "shards": TestTonutilsShards, "tongo": TestTongo, "growing": TestGrowingChain,
	})
}

func testTonutils(t *testing.T, policy ton.ProofCheckPolicy, split uint8) {
	w := newWorld(t, split)
	api := w.tonutils(t, policy)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	master, err := api.GetMasterchainInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}

	t.Run("blocks", func(t *testing.T) {
		shards, err := api.GetBlockShardsInfo(ctx, master)
		if err != nil {
			t.Fatal(err)
		}
		if len(shards) != 1<<split || shards[0].Workchain != 0 {
			t.Fatalf("shards: %v", shards)
		}
		for _, id := range append(shards, master) {
			block, err := api.GetBlockData(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			if block.BlockInfo.SeqNo != id.SeqNo {
				t.Errorf("block %d has number %d", id.SeqNo, block.BlockInfo.SeqNo)
			}
			header, err := api.GetBlockHeader(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			if header.SeqNo != id.SeqNo {
				t.Errorf("header of %d has number %d", id.SeqNo, header.SeqNo)
			}
			parents, err := ton.GetParentBlocks(header)
			if err != nil {
				t.Fatal(err)
			}
			found, err := api.LookupBlock(ctx, id.Workchain, id.Shard, id.SeqNo-1)
			if err != nil {
				t.Fatal(err)
			}
			if !found.Equals(parents[0]) {
				t.Errorf("block before %d is %v, looked up %v", id.SeqNo, parents[0], found)
			}
		}
		if _, err := api.LookupBlock(ctx, -1, wholeChain, master.SeqNo+1000); !errors.Is(err, ton.ErrBlockNotFound) {
			t.Errorf("future block: %v", err)
		}
	})
	t.Run("file hash", func(t *testing.T) {
		var answer tl.Serializable
		if err := api.Client().QueryLiteserver(ctx, ton.GetBlockData{ID: master}, &answer); err != nil {
			t.Fatal(err)
		}
		data := answer.(ton.BlockData).Payload
		if sum := sha256.Sum256(data); !bytes.Equal(sum[:], master.FileHash) {
			t.Errorf("bytes of the block hash to %x, its file hash is %x", sum, master.FileHash)
		}
	})

	t.Run("accounts", func(t *testing.T) {
		for name, want := range map[string]struct {
			addr    *address.Address
			balance string
			status  tontlb.AccountStatus
		}{
			"calculator": {calculator, "7", tontlb.AccountStatusActive},
			"plain":      {plain, "200", tontlb.AccountStatusUninit},
			"masterly":   {masterly, "100", tontlb.AccountStatusUninit},
		} {
			acc, err := api.GetAccount(ctx, master, want.addr)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if acc.State.Balance.String() != want.balance || acc.State.Status != want.status {
				t.Errorf("%s has %s and is %s", name, acc.State.Balance.String(), acc.State.Status)
			}
		}
		acc, err := api.GetAccount(ctx, master, absent)
		if err != nil {
			t.Fatal(err)
		}
		if acc.IsActive || acc.State != nil {
			t.Errorf("absent account: %+v", acc)
		}
		if acc, err = api.GetAccount(ctx, master, address.NewAddress(0, 0xff, absent.Data())); err != nil || acc.State != nil {
			t.Errorf("absent account of the masterchain: %+v, %v", acc, err)
		}
		if _, err = api.GetAccount(ctx, master, address.NewAddress(0, 5, absent.Data())); err == nil {
			t.Error("account of a workchain that is not there")
		}
	})

	t.Run("transactions", func(t *testing.T) {
		for _, addr := range []*address.Address{plain, masterly} {
			acc, err := api.GetAccount(ctx, master, addr)
			if err != nil {
				t.Fatal(err)
			}
			txs, err := api.ListTransactions(ctx, addr, 100, acc.LastTxLT, acc.LastTxHash)
			if err != nil {
				t.Fatal(err)
			}
			want := map[*address.Address]int{plain: 2, masterly: 1}[addr]
			if len(txs) != want {
				t.Fatalf("%s has %d transactions, want %d", addr, len(txs), want)
			}
			for _, tx := range txs {
				block, err := lookupLT(ctx, api, addr, tx.LT)
				if err != nil {
					t.Fatal(err)
				}
				one, err := api.GetTransaction(ctx, block, addr, tx.LT)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(one.Hash, tx.Hash) {
					t.Errorf("transaction %d: hash %x, in its block %x", tx.LT, tx.Hash, one.Hash)
				}
				if _, err = api.GetTransaction(ctx, block, absent, tx.LT); err == nil {
					t.Error("got a transaction of an absent account")
				}
			}
			if _, err := api.ListTransactions(ctx, addr, 10, acc.LastTxLT, make([]byte, 32)); err == nil {
				t.Error("listed transactions from a wrong hash")
			}
		}
	})

	t.Run("block transactions", func(t *testing.T) {
		seen := 0
		for seqno := uint32(1); seqno <= master.SeqNo; seqno++ {
			id, err := api.LookupBlock(ctx, -1, wholeChain, seqno)
			if err != nil {
				t.Fatal(err)
			}
			shards, err := api.GetBlockShardsInfo(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			for _, block := range append(shards, id) {
				if block.SeqNo == 0 {
					continue // a zero state has none
				}
				var after *ton.TransactionID3
				for more := true; more; {
					var txs []ton.TransactionShortInfo
					if txs, more, err = api.GetBlockTransactionsV2(ctx, block, 1, after); err != nil {
						t.Fatal(err)
					}
					for _, tx := range txs {
						seen++
						after = tx.ID3()
					}
				}
			}
		}
		if seen < 8 { // four at the giver, four at the receivers
			t.Errorf("blocks have %d transactions", seen)
		}
	})

	t.Run("config", func(t *testing.T) {
		all, err := api.GetBlockchainConfig(ctx, master)
		if err != nil {
			t.Fatal(err)
		}
		some, err := api.GetBlockchainConfig(ctx, master, 8, 18, 34)
		if err != nil {
			t.Fatal(err)
		}
		for _, param := range []int32{8, 18, 34} {
			if a, b := all.Get(param), some.Get(param); a == nil || b == nil || !bytes.Equal(a.Hash(), b.Hash()) {
				t.Errorf("param %d: %v and %v", param, a, b)
			}
		}
		if !bytes.Equal(all.Root.Hash(0), w.chain.Config().Hash()) {
			t.Error("config differs from the chain's")
		}
		if _, err := api.GetBlockchainConfig(ctx, master, 12345); err == nil {
			t.Error("got a parameter that is not there")
		}
	})

	t.Run("get method", func(t *testing.T) {
		got, err := api.RunGetMethod(ctx, master, calculator, "difference", 50, new(big.Int).Lsh(big.NewInt(1), 100))
		if err != nil {
			t.Fatal(err)
		}
		want := new(big.Int).Sub(big.NewInt(50), new(big.Int).Lsh(big.NewInt(1), 100))
		if n, err := got.Int(0); err != nil || n.Cmp(want) != 0 {
			t.Errorf("50 - 2^100 = %v, %v", n, err)
		}
		_, err = api.RunGetMethod(ctx, master, calculator, "difference")
		if e := (ton.ContractExecError{}); !errors.As(err, &e) || e.Code != 2 {
			t.Errorf("without arguments: %v", err)
		}
		_, err = api.RunGetMethod(ctx, master, plain, "difference")
		if e := (ton.ContractExecError{}); !errors.As(err, &e) || e.Code != ton.ErrCodeContractNotInitialized {
			t.Errorf("account without code: %v", err)
		}
		_, err = api.RunGetMethod(ctx, master, absent, "difference")
		if e := (ton.ContractExecError{}); !errors.As(err, &e) || e.Code != ton.ErrCodeContractNotInitialized {
			t.Errorf("absent account: %v", err)
		}
	})

	t.Run("libraries", func(t *testing.T) {
		libs, err := api.GetLibraries(ctx, make([]byte, 32))
		if err != nil || len(libs) != 1 || libs[0] != nil {
			t.Errorf("a library that is not there: %v, %v", libs, err)
		}
	})

	t.Run("send", func(t *testing.T) {
		wallet, err := tonwallet.FromPrivateKey(api, w.wallet, tonwallet.V4R2)
		if err != nil {
			t.Fatal(err)
		}
		transfer, err := wallet.BuildTransfer(absent, tontlb.MustFromTON("3"), false, "hello")
		if err != nil {
			t.Fatal(err)
		}
		tx, block, err := wallet.SendWaitTransaction(ctx, transfer)
		if err != nil {
			t.Fatal(err)
		}
		if tx == nil || block.SeqNo <= master.SeqNo {
			t.Errorf("transfer in block %v", block)
		}
		now, err := api.GetMasterchainInfo(ctx)
		if err != nil {
			t.Fatal(err)
		}
		acc, err := api.WaitForBlock(now.SeqNo).GetAccount(ctx, now, absent)
		if err != nil {
			t.Fatal(err)
		}
		if acc.State == nil || acc.State.Balance.String() != "3" {
			t.Errorf("receiver: %+v", acc)
		}
		got, err := api.RunGetMethod(ctx, now, w.owner, "seqno")
		if err != nil {
			t.Fatal(err)
		}
		if n, err := got.Int(0); err != nil || n.Int64() != 1 {
			t.Errorf("wallet's seqno is %v, %v", n, err)
		}
		err = api.SendExternalMessage(ctx, &tontlb.ExternalMessage{DstAddr: w.owner, Body: cell.BeginCell().EndCell()})
		if e := (ton.LSError{}); !errors.As(err, &e) || e.Code != 0 {
			t.Errorf("message nobody accepts: %v", err)
		}
	})
}

// lookupLT finds the block a transaction of an account is in.
func lookupLT(ctx context.Context, api *ton.APIClient, a *address.Address, lt uint64) (*ton.BlockIDExt, error) {
	shard := wholeChain
	if a.Workchain() != -1 {
		shard = int64(binary.BigEndian.Uint64(a.Data()) | 1)
	}
	var answer tl.Serializable
	err := api.Client().QueryLiteserver(ctx, ton.LookupBlock{
		Mode: 2, ID: &ton.BlockInfoShort{Workchain: a.Workchain(), Shard: shard}, LT: lt,
	}, &answer)
	if err != nil {
		return nil, err
	}
	switch a := answer.(type) {
	case ton.BlockHeader:
		return a.ID, nil
	case ton.LSError:
		return nil, a
	}
	return nil, errors.New("unexpected answer")
}

// A client's idea of the time is the chain's, which can be far from the wall
// clock's.
func TestVirtualClock(t *testing.T) {
	w := newWorld(t, 0)
	api := w.tonutils(t, ton.ProofCheckPolicySecure)
	before, err := api.GetTime(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err = w.chain.AdvanceTime(t.Context(), 365*24*time.Hour); err != nil {
		t.Fatal(err)
	}
	after, err := api.GetTime(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if passed := after - before; passed < 365*24*3600 || passed > 365*24*3600+60 {
		t.Errorf("a year is %d seconds", passed)
	}
	var answer tl.Serializable
	if err = api.Client().QueryLiteserver(t.Context(), ton.GetMasterchainInfoExt{}, &answer); err != nil {
		t.Fatal(err)
	}
	if ext, ok := answer.(ton.MasterchainInfoExt); !ok || ext.Now < after {
		t.Errorf("extended info after %d: %+v", after, answer)
	}
	// And what is waited for comes or not within real time.
	began := time.Now()
	soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = api.WaitForBlock(1 << 30).GetTime(soon)
	if err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("a block far away: %v after %s", err, time.Since(began))
	}
}

// Strict clients keep their faith while the chain grows under them.
func TestGrowingChain(t *testing.T) {
	w := newWorld(t, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var clients sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		api := w.tonutils(t, ton.ProofCheckPolicySecure)
		clients.Go(func() {
			for reads := 0; ; reads++ {
				select {
				case <-done:
					if reads == 0 {
						t.Error("a client read nothing")
					}
					return
				default:
				}
				master, err := api.GetMasterchainInfo(ctx)
				if err != nil {
					t.Errorf("head: %v", err)
					return
				}
				acc, err := api.GetAccount(ctx, master, plain)
				if err != nil {
					t.Errorf("account at %d: %v", master.SeqNo, err)
					return
				}
				if _, err = api.ListTransactions(ctx, plain, 5, acc.LastTxLT, acc.LastTxHash); err != nil {
					t.Errorf("transactions at %d: %v", master.SeqNo, err)
					return
				}
			}
		})
	}
	for range 20 {
		if err := w.chain.Faucet(ctx, plain, tlb.TON); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	close(done)
	clients.Wait()
}

// A chain from disk goes on where it was, for its clients too.
func TestReopenedChain(t *testing.T) {
	options := sandbox.Options{Dir: "chain", FS: vfs.NewMem()}
	chain, err := sandbox.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	if err := chain.Faucet(t.Context(), plain, tlb.TON); err != nil {
		t.Fatal(err)
	}
	before := chain.MasterHead()
	if err := chain.Close(); err != nil {
		t.Fatal(err)
	}
	if chain, err = sandbox.Open(options); err != nil {
		t.Fatal(err)
	}
	defer chain.Close()
	w := &world{chain: chain, server: serve(t, chain)}
	api := w.tonutils(t, ton.ProofCheckPolicySecure)
	if err := chain.Faucet(t.Context(), plain, tlb.TON); err != nil {
		t.Fatal(err)
	}
	master, err := api.GetMasterchainInfo(t.Context()) // verified from the first key block
	if err != nil {
		t.Fatal(err)
	}
	if err := api.VerifyProofChain(t.Context(), &before, master); err != nil {
		t.Errorf("from a block of the first life: %v", err)
	}
	acc, err := api.GetAccount(t.Context(), master, plain)
	if err != nil {
		t.Fatal(err)
	}
	txs, err := api.ListTransactions(t.Context(), plain, 5, acc.LastTxLT, acc.LastTxHash)
	if err != nil || len(txs) != 2 {
		t.Errorf("%d transactions, %v", len(txs), err)
	}
}

func TestGlobalConfigKey(t *testing.T) {
	w := newWorld(t, 0)
	data, err := w.server.GlobalConfig()
	if err != nil {
		t.Fatal(err)
	}
	var config liteclient.GlobalConfig
	if err := json.Unmarshal(data, &config); err != nil {
		t.Fatal(err)
	}
	if got, want := config.Liteservers[0].ID.Key, base64.StdEncoding.EncodeToString(w.server.Key()); got != want {
		t.Errorf("key %s, want %s", got, want)
	}
}
