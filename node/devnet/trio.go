package devnet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/node"
	"github.com/tussah-network/tussah/tlb"
)

// TrioOptions of [OpenTrio].
type TrioOptions struct {
	Dir      string
	Engine   string // base URL of the worker's engine; the demo engine if empty
	Model    string // DemoModel if empty
	Edit     func(*node.Config)
	Log      *slog.Logger
	Progress func(format string, args ...any) // one line per step; may be nil
}

// Trio is a network with one running node of each role, the channels between them
// open, and a ledger of the three since before they were opened.
type Trio struct {
	Network               *Network
	Proxy, Worker, Client *Running

	o        TrioOptions
	files    map[node.Role]string
	ledger   *Ledger
	channels []*address.Address // in the ledger
}

// OpenTrio sets up a network in o.Dir and returns when the client can buy. The
// caller closes it.
func OpenTrio(ctx context.Context, o TrioOptions) (t *Trio, err error) {
	if o.Model == "" {
		o.Model = DemoModel
	}
	if o.Progress == nil {
		o.Progress = func(string, ...any) {}
	}
	network, err := Open(ctx, Options{Dir: o.Dir, Models: []string{o.Model}, Log: o.Log, Progress: o.Progress})
	if err != nil {
		return nil, err
	}
	t = &Trio{Network: network, o: o, files: map[node.Role]string{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Close())
			t = nil
		}
	}()
	roles := []node.Role{node.Proxy, node.Worker, node.Client}
	for _, role := range roles {
		t.files[role], err = t.Network.Role(ctx, role, RoleOptions{Engine: o.Engine, Model: o.Model, Edit: o.Edit})
		if err != nil {
			return t, err
		}
	}
	if t.ledger, err = NewLedger(ctx, t.Network.Chain); err != nil {
		return t, err
	}
	for _, role := range roles {
		if err := t.start(ctx, role); err != nil {
			return t, err
		}
		wallet := (*t.running(role)).WalletAddress()
		balance, err := t.balance(ctx, wallet)
		if err != nil {
			return t, err
		}
		t.ledger.Add(string(role), wallet, balance)
		o.Progress("%s runs as %s", role, (*t.running(role)).Status().Peer)
	}
	o.Progress("opening channels: client → proxy, proxy → worker")
	err = t.until(ctx, func() (bool, error) {
		return t.Client.Serves(o.Model) && len(t.Client.Channels()) == 1 && len(t.Worker.Channels()) == 1, nil
	})
	if err != nil {
		return t, fmt.Errorf("open the channels: %w", err)
	}
	for _, c := range t.paying() {
		o.Progress("channel %s: deposit %s", c.at, c.Deposit)
	}
	return t, t.book()
}

func (t *Trio) running(role node.Role) **Running {
	return map[node.Role]**Running{node.Proxy: &t.Proxy, node.Worker: &t.Worker, node.Client: &t.Client}[role]
}

func (t *Trio) start(ctx context.Context, role node.Role) (err error) {
	*t.running(role), err = Start(ctx, t.files[role], node.Options{Log: t.o.Log})
	return err
}

// Restart stops a node and starts it again from its folder.
func (t *Trio) Restart(ctx context.Context, role node.Role) error {
	at := t.running(role)
	last := *at
	*at = nil
	if err := last.Stop(); err != nil {
		return fmt.Errorf("stop the %s: %w", role, err)
	}
	return t.start(ctx, role)
}

// Close stops the nodes and the network. It is called once.
func (t *Trio) Close() error {
	var errs []error
	for _, at := range []**Running{&t.Client, &t.Worker, &t.Proxy} {
		if *at != nil {
			errs = append(errs, (*at).Stop())
			*at = nil
		}
	}
	return errors.Join(append(errs, t.Network.Close())...)
}

// until looks again and again, for as long as a slow chain may take.
func (t *Trio) until(ctx context.Context, done func() (bool, error)) error {
	ctx, stop := context.WithTimeoutCause(ctx, time.Minute, errors.New("it took longer than a minute"))
	defer stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (t *Trio) balance(ctx context.Context, a *address.Address) (tlb.Nano, error) {
	acc, err := t.Network.Chain.Account(ctx, tlb.Block{}, a)
	return acc.Balance, err
}

// paid is a channel at its paying end.
type paid struct {
	node.Channel
	at    *address.Address
	payer *Running
	// Earned is what the payee says was spent: more than the payer knows while a request without receipt was not squared.
	Earned tlb.Nano
}

// paying lists the channels from client to proxy and from proxy to worker.
func (t *Trio) paying() []paid {
	var all []paid
	for _, ends := range []struct{ payer, payee *Running }{{t.Client, t.Proxy}, {t.Proxy, t.Worker}} {
		earned := map[string]tlb.Nano{}
		for _, c := range ends.payee.Channels() {
			if c.End == "earning" {
				earned[c.Channel] = c.Spent
			}
		}
		for _, c := range ends.payer.Channels() {
			if c.End == "paying" {
				all = append(all, paid{Channel: c, at: address.MustParseRawAddr(c.Channel), payer: ends.payer, Earned: earned[c.Channel]})
			}
		}
	}
	return all
}

// idle tells whether no request is running at any end of any channel.
func (t *Trio) idle() bool {
	for _, r := range []*Running{t.Client, t.Proxy, t.Worker} {
		for _, c := range r.Channels() {
			if c.Running > 0 {
				return false
			}
		}
	}
	return true
}

// book takes the open channels into the ledger, each as its payer's.
func (t *Trio) book() error {
	for _, c := range t.paying() {
		if slices.ContainsFunc(t.channels, c.at.Equals) {
			continue
		}
		t.channels = append(t.channels, c.at)
		t.ledger.Add(string(c.payer.Status().Role), c.at, 0)
	}
	return nil
}

// Work is what the three owe each other for requests, by the payees' books.
type Work struct {
	Bought tlb.Nano // by the client from the proxy
	Paid   tlb.Nano // by the proxy to the worker
}

// Settle closes the channels with the payees' consent, which pays out exactly what
// was spent and returns the rest, and waits until all coins have arrived.
func (t *Trio) Settle(ctx context.Context) (Work, error) {
	var work Work
	if err := t.book(); err != nil {
		return work, err
	}
	for _, c := range t.paying() {
		t.o.Progress("settling and closing channel %s: %s spent of %s authorised", c.at, c.Earned, c.Authorised)
		if err := c.payer.Settle(ctx, c.at, false); err != nil {
			return work, fmt.Errorf("settle %s: %w", c.at, err)
		}
		if c.payer == t.Client {
			work.Bought += c.Earned
		} else {
			work.Paid += c.Earned
		}
	}
	return work, t.until(ctx, func() (bool, error) {
		for _, at := range t.channels {
			acc, err := t.Network.Chain.Account(ctx, tlb.Block{}, at)
			if err != nil || acc.Status != tlb.AccountAbsent {
				return false, err
			}
		}
		return t.Network.Chain.InFlight() == 0, nil
	})
}

// Balance is a party's entry in the ledger with what its work comes to.
type Balance struct {
	Entry
	Work int64 // earned less spent
}

// Change is after − before, in nanoTON.
func (b Balance) Change() int64 { return int64(b.After) - int64(b.Before) }

// Rest is what neither work nor fees explain. It is zero, or somebody lost coins.
func (b Balance) Rest() int64 { return b.Change() - b.Work + int64(b.Fees) }

// Balances explains what became of each party's coins, sorted by party. They are
// complete after Settle. An error wraps [ErrUnexplained] if a nanoTON is missing;
// the balances come with it.
func (t *Trio) Balances(ctx context.Context, work Work) ([]Balance, error) {
	entries, err := t.ledger.Close(func(a *address.Address) (tlb.Nano, error) { return t.balance(ctx, a) })
	if err != nil {
		return nil, err
	}
	earned := map[string]int64{
		string(node.Client): -int64(work.Bought),
		string(node.Proxy):  int64(work.Bought) - int64(work.Paid),
		string(node.Worker): int64(work.Paid),
	}
	var all []Balance
	var wrong []string
	for _, e := range entries {
		b := Balance{Entry: e, Work: earned[e.Party]}
		all = append(all, b)
		if b.Rest() != 0 || e.Unexplained() != 0 {
			wrong = append(wrong, fmt.Sprintf("%s: %d nanoTON by receipts, %d by transfers", e.Party, b.Rest(), e.Unexplained()))
		}
	}
	slices.SortFunc(all, func(a, b Balance) int { return strings.Compare(a.Party, b.Party) })
	if wrong != nil {
		return all, fmt.Errorf("%w: %s", ErrUnexplained, strings.Join(wrong, "; "))
	}
	return all, nil
}

// ErrUnexplained is a balance that work, transfers and fees do not add up to.
var ErrUnexplained = errors.New("the balances do not add up")
