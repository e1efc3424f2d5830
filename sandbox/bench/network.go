package bench

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/liteclient"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/localnet"
	"github.com/tussah-network/tussah/sandbox/strict"
	"github.com/tussah-network/tussah/tlb"
)

// RunNetwork measures a whole network as its clients see it, over sockets: how
// soon it answers, how soon a message is in a block, and how many accounts a
// second it serves to clients who verify everything.
func RunNetwork(ctx context.Context, o Options) ([]Row, error) {
	o = o.withDefaults()
	o.Progress("measuring how soon a network is ready")
	var ready []time.Duration
	for range 5 {
		took, err := measureReady(ctx)
		if err != nil {
			return nil, fmt.Errorf("measure readiness: %w", err)
		}
		ready = append(ready, took)
	}
	o.Progress("measuring how soon a message is in a block")
	included, err := measureIncluded(ctx)
	if err != nil {
		return nil, fmt.Errorf("measure inclusion: %w", err)
	}
	o.Progress("measuring proven accounts a second")
	accounts, err := measureAccounts(ctx, o.Period)
	if err != nil {
		return nil, fmt.Errorf("measure accounts: %w", err)
	}
	return []Row{
		Alone("sandbox_ready", micros(middle(ready)), "us"),
		Alone("sandbox_send_to_included_p50", micros(included), "us"),
		Alone("liteserver_secure_get_account", accounts, "1/s"),
	}, nil
}

// network is a localnet that runs, with a client that verifies.
type network struct {
	net  *localnet.Network
	api  ton.APIClientWrapped
	pool *liteclient.ConnectionPool
	stop context.CancelFunc
	done chan error
}

// acceptor takes any message, from outside too: ACCEPT.
var acceptor = cell.BeginCell().MustStoreSlice([]byte{0xf8, 0x00}, 16).EndCell()

func openNetwork(ctx context.Context) (_ *network, err error) {
	n := &network{done: make(chan error, 1)}
	if n.net, err = localnet.Open(localnet.Options{Genesis: []sandbox.GenesisAccount{
		{Address: account(1), Balance: 1000 * tlb.TON, Code: acceptor},
	}}); err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	n.stop = stop
	go func() { n.done <- n.net.Run(running) }()
	info := n.net.Info()
	n.pool = liteclient.NewConnectionPool()
	if err := n.pool.AddConnection(ctx, info.Liteserver, base64.StdEncoding.EncodeToString(ed25519.PublicKey(info.LiteserverKey))); err != nil {
		return nil, errors.Join(err, n.close())
	}
	head := n.net.Chain.MasterHead()
	n.api = ton.NewAPIClient(n.pool, ton.ProofCheckPolicySecure)
	n.api.SetTrustedBlock(&head)
	return n, nil
}

func (n *network) close() error {
	n.pool.Stop()
	n.stop()
	return errors.Join(<-n.done, n.net.Close())
}

// measureReady is from nothing to the first answer to a client.
func measureReady(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	n, err := openNetwork(ctx)
	if err != nil {
		return 0, err
	}
	_, err = n.api.GetMasterchainInfo(ctx)
	took := time.Since(start)
	return took, errors.Join(err, n.close())
}

// messages is how many are sent to measure inclusion.
const messages = 200

// measureIncluded is from sending a message until its transaction is proven to
// the client, in the middle.
func measureIncluded(ctx context.Context) (_ time.Duration, err error) {
	n, err := openNetwork(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	var all []time.Duration
	last := uint64(0)
	for i := range messages {
		message := &tontlb.ExternalMessage{DstAddr: account(1), Body: cell.BeginCell().MustStoreUInt(uint64(i), 64).EndCell()}
		start := time.Now()
		if err := n.api.SendExternalMessage(ctx, message); err != nil {
			return 0, err
		}
		for {
			a, err := n.account(ctx, account(1))
			if err != nil {
				return 0, err
			}
			if a.LastTxLT > last {
				last = a.LastTxLT
				break
			}
		}
		all = append(all, time.Since(start))
	}
	return middle(all), nil
}

func (n *network) account(ctx context.Context, a *address.Address) (*tontlb.Account, error) {
	head, err := n.api.GetMasterchainInfo(ctx)
	if err != nil {
		return nil, err
	}
	return n.api.GetAccount(ctx, head, a)
}

// measureAccounts counts what clients get, with two of them at work for each
// processor; the server works on the same ones. A fifth of the time before it
// warms up.
func measureAccounts(ctx context.Context, period time.Duration) (_ float64, err error) {
	n, err := openNetwork(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	want := account(1)
	if a, err := n.account(ctx, want); err != nil {
		return 0, err
	} else if !a.IsActive || !bytes.Equal(a.State.Address.Data(), want.Data()) {
		return 0, errWrong
	}
	trusted := n.net.Chain.MasterHead()
	rate := 0.0
	for _, span := range []time.Duration{period / 5, period} {
		if rate, err = strict.AccountRate(ctx, n.pool, &trusted, want, 2*runtime.GOMAXPROCS(0), span); err != nil {
			return 0, err
		}
	}
	return rate, nil
}

func middle(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
