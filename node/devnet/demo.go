package devnet

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/node"
	"github.com/tussah-network/tussah/node/engine"
	"github.com/tussah-network/tussah/tlb"
)

// DemoOptions of [Demo].
type DemoOptions struct {
	Dir      string
	Engine   string // base URL of an OpenAI-compatible engine; the built-in demo engine if empty
	Model    string // as the engine calls it; found out if empty
	Prompt   string
	Keep     bool // stay up after the first prompt, until ctx ends
	Out      io.Writer
	Progress func(format string, args ...any)
	Log      *slog.Logger
}

// DefaultPrompt of the demo.
const DefaultPrompt = "What is the capital of France?"

// Demo sets up a network in o.Dir, buys one streamed completion, settles, closes,
// and accounts for every nanoTON.
func Demo(ctx context.Context, o DemoOptions) error {
	start := time.Now()
	if o.Prompt == "" {
		o.Prompt = DefaultPrompt
	}
	model := DemoModel
	if o.Engine != "" {
		var err error
		if model, err = engineModel(ctx, o.Engine, o.Model); err != nil {
			return fmt.Errorf("ask the engine at %s for its models: %w", o.Engine, err)
		}
	}
	d := &demo{o: o, model: model, out: o.Out}
	defer func() { d.stop() }()
	if err := d.setUp(ctx); err != nil {
		return err
	}
	if err := d.ask(ctx); err != nil {
		return fmt.Errorf("send the prompt: %w", err)
	}
	if o.Keep {
		d.invite()
		<-ctx.Done()
		o.Progress("shutting down: settling and closing what is open")
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
	}
	if err := d.settle(ctx); err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	if err := d.account(ctx); err != nil {
		return err
	}
	if err := d.stop(); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	o.Progress("done in %s, nothing is left running", time.Since(start).Round(100*time.Millisecond))
	return nil
}

// engineModel is the model that the engine serves; name, if it has several.
func engineModel(ctx context.Context, base, name string) (string, error) {
	at, err := node.EngineURL(base)
	if err != nil {
		return "", err
	}
	models, err := engine.New(at, engine.Options{}).Models(ctx)
	if err != nil {
		return "", err
	}
	var names []string
	for _, m := range models {
		if m.ID == name || name == "" && len(models) == 1 {
			return m.ID, nil
		}
		names = append(names, m.ID)
	}
	return "", fmt.Errorf("choose one of its models with --model: %s", strings.Join(names, ", "))
}

type demo struct {
	o     DemoOptions
	model string
	out   io.Writer

	network               *Network
	proxy, worker, client *Running
	ledger                *Ledger
	channels              []*address.Address
	cost, paid            tlb.Nano // of the client and of the proxy, by receipts
}

func (d *demo) stop() error {
	var errs []error
	for _, r := range []**Running{&d.client, &d.worker, &d.proxy} {
		if *r != nil {
			errs = append(errs, (*r).Stop())
			*r = nil
		}
	}
	if d.network != nil {
		errs = append(errs, d.network.Close())
		d.network = nil
	}
	return errors.Join(errs...)
}

func (d *demo) setUp(ctx context.Context) error {
	var err error
	d.network, err = Open(ctx, Options{Dir: d.o.Dir, Models: []string{d.model}, Log: d.o.Log, Progress: d.o.Progress})
	if err != nil {
		return err
	}
	files := map[node.Role]string{}
	for _, role := range []node.Role{node.Proxy, node.Worker, node.Client} {
		if files[role], err = d.network.Role(ctx, role, RoleOptions{Engine: d.o.Engine, Model: d.model}); err != nil {
			return err
		}
	}
	if d.ledger, err = NewLedger(ctx, d.network.Chain); err != nil {
		return err
	}
	for _, s := range []struct {
		role node.Role
		into **Running
	}{{node.Proxy, &d.proxy}, {node.Worker, &d.worker}, {node.Client, &d.client}} {
		if *s.into, err = Start(ctx, files[s.role], node.Options{Log: d.o.Log}); err != nil {
			return err
		}
		wallet := (*s.into).WalletAddress()
		acc, err := d.network.Chain.Account(ctx, tlb.Block{}, wallet)
		if err != nil {
			return err
		}
		d.ledger.Add(string(s.role), wallet, acc.Balance)
		d.o.Progress("%s runs as %s", s.role, (*s.into).Status().Peer)
	}
	d.o.Progress("opening channels: client → proxy, proxy → worker")
	return d.wait(ctx, func() (bool, error) {
		return d.client.Serves(d.model) && len(d.client.Channels()) == 1 && len(d.worker.Channels()) == 1, nil
	})
}

// wait looks again and again, for as long as a slow chain may take.
func (d *demo) wait(ctx context.Context, done func() (bool, error)) error {
	ctx, stop := context.WithTimeoutCause(ctx, time.Minute, errors.New("it took longer than a minute; run with --verbose to see why"))
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

// ask sends the prompt to the client's endpoint as any program would.
func (d *demo) ask(ctx context.Context) error {
	for _, r := range []*Running{d.client, d.proxy} {
		for _, c := range r.Channels() {
			if c.End == "paying" {
				at, err := node.ParseAddress(c.Channel)
				if err != nil {
					return err
				}
				d.channels = append(d.channels, at)
				d.ledger.Add(string(r.Status().Role), at, 0)
				d.o.Progress("channel %s: deposit %s", at, c.Deposit)
			}
		}
	}
	body, err := json.Marshal(map[string]any{"model": d.model, "stream": true, "max_tokens": 128, "temperature": 0,
		"messages": []map[string]string{{"role": "user", "content": d.o.Prompt}}})
	if err != nil {
		return err
	}
	d.o.Progress("POST %s/v1/chat/completions", d.client.Endpoint())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.client.Endpoint()+"/v1/chat/completions", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 4<<10))
		return fmt.Errorf("the endpoint answered %s: %s", response.Status, text)
	}
	engineName := d.o.Engine
	if engineName == "" {
		engineName = "built-in demo engine, no language model"
	}
	fmt.Fprintf(d.out, "\nprompt   %s\nmodel    %s (%s)\nanswer   ", d.o.Prompt, d.model, engineName)
	if err := copyAnswer(d.out, response.Body); err != nil {
		return err
	}
	fmt.Fprintln(d.out)
	return d.receipt()
}

// copyAnswer prints the text of a stream of chat completion chunks as it comes.
func copyAnswer(w io.Writer, stream io.Reader) error {
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok || data == "[DONE]" {
			continue
		}
		var chunk struct {
			Choices []struct {
				Delta struct {
					Content string `json:"content"`
				} `json:"delta"`
			} `json:"choices"`
			Error *struct {
				Message string `json:"message"`
			} `json:"error"`
		}
		if err := json.Unmarshal([]byte(data), &chunk); err != nil {
			return fmt.Errorf("read the stream: %w", err)
		}
		if chunk.Error != nil {
			return fmt.Errorf("the stream ended early: %s", chunk.Error.Message)
		}
		for _, c := range chunk.Choices {
			fmt.Fprint(w, c.Delta.Content)
		}
	}
	return lines.Err()
}

func (d *demo) receipt() error {
	receipts := d.client.Receipts()
	if len(receipts) == 0 {
		return errors.New("the client holds no receipt")
	}
	r := receipts[len(receipts)-1]
	kind := "TDX"
	if r.Simulated {
		kind = "simulated: proves nothing about hardware"
	}
	fmt.Fprintf(d.out, `
receipt  %s
  proxy    %s
           image %s (%s)
           evidence %s
  worker   key %s
           image %s (%s)
  tokens   %d prompt (%d cached), %d completion
  price    %s prompt, %s completion, per 1,000,000 tokens
  cost     %s
  voucher  no. %d authorises %s in all, of which %s is spent
`, r.Request, r.Proxy, r.ProxyImage, kind, r.ProxyEvidence, r.WorkerKey, r.WorkerImage, kind, r.Usage.Prompt, r.Usage.Cached,
		r.Usage.Completion, r.Price.Prompt, r.Price.Completion, r.Cost, r.VoucherSeq, r.Authorised, r.Spent)
	return nil
}

// invite tells how to try the network that stays up.
func (d *demo) invite() {
	fmt.Fprintf(d.out, `
The network stays up until Ctrl-C. Try it:

  curl -N %[1]s/v1/chat/completions -H 'Content-Type: application/json' \
    -d '{"model":"%[2]s","stream":true,"messages":[{"role":"user","content":"Hello"}]}'

  # OpenAI SDK for Python
  from openai import OpenAI
  client = OpenAI(base_url="%[1]s/v1", api_key="none")
  print(client.chat.completions.create(model="%[2]s", messages=[{"role": "user", "content": "Hello"}]).choices[0].message.content)

  // OpenAI SDK for Go
  client := openai.NewClient(option.WithBaseURL("%[1]s/v1"), option.WithAPIKey("none"))

  status   %[3]s/status  %[4]s/status  %[5]s/status   (client, proxy, worker)
`, d.client.Endpoint(), d.model, d.client.Admin(), d.proxy.Admin(), d.worker.Admin())
}

// settle closes both channels with the payee's consent, which pays out exactly
// what was spent and returns the rest.
func (d *demo) settle(ctx context.Context) error {
	for _, r := range []*Running{d.client, d.proxy} {
		for _, c := range r.Channels() {
			if c.End != "paying" {
				continue
			}
			at, err := node.ParseAddress(c.Channel)
			if err != nil {
				return err
			}
			d.o.Progress("settling and closing channel %s: %s spent of %s authorised", at, c.Spent, c.Authorised)
			if err := r.Settle(ctx, at, false); err != nil {
				return err
			}
			if r == d.client {
				d.cost = c.Spent
			} else {
				d.paid = c.Spent
			}
		}
	}
	return d.wait(ctx, func() (bool, error) {
		for _, at := range d.channels {
			acc, err := d.network.Chain.Account(ctx, tlb.Block{}, at)
			if err != nil || acc.Status != tlb.AccountAbsent {
				return false, err
			}
		}
		return d.network.Chain.InFlight() == 0, nil
	})
}

// account prints the table, and fails if a nanoTON is missing.
func (d *demo) account(ctx context.Context) error {
	entries, err := d.ledger.Close(func(a *address.Address) (tlb.Nano, error) {
		acc, err := d.network.Chain.Account(ctx, tlb.Block{}, a)
		return acc.Balance, err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Party, b.Party) })
	work := map[string]int64{string(node.Client): -int64(d.cost), string(node.Proxy): int64(d.cost) - int64(d.paid), string(node.Worker): int64(d.paid)}
	fmt.Fprintln(d.out, "\nbalances in nanoTON")
	tw := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "party\tbefore\tafter\tchange\t= work\t− network fees\tunexplained\t")
	var wrong []string
	for _, e := range entries {
		change := int64(e.After) - int64(e.Before)
		rest := change - work[e.Party] + int64(e.Fees)
		fmt.Fprintf(tw, "%s\t%d\t%d\t%+d\t%+d\t%d\t%d\t\n", e.Party, e.Before, e.After, change, work[e.Party], e.Fees, rest)
		if rest != 0 || e.Unexplained() != 0 {
			wrong = append(wrong, fmt.Sprintf("%s: %d nanoTON by receipts, %d by transfers", e.Party, rest, e.Unexplained()))
		}
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if wrong != nil {
		return fmt.Errorf("the balances do not add up: %s", strings.Join(wrong, "; "))
	}
	return nil
}
