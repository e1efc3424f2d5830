package devnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tussah-network/tussah/node"
	"github.com/tussah-network/tussah/node/engine"
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
	trio, err := OpenTrio(ctx, TrioOptions{Dir: o.Dir, Engine: o.Engine, Model: model, Log: o.Log, Progress: o.Progress})
	if err != nil {
		return err
	}
	running := true
	defer func() {
		if running {
			_ = trio.Close() // there is an error already, which matters more
		}
	}()
	d := &demo{o: o, model: model, trio: trio}
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
	work, err := trio.Settle(ctx)
	if err != nil {
		return err
	}
	if err := d.account(ctx, work); err != nil {
		return err
	}
	running = false
	if err := trio.Close(); err != nil {
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
	e := engine.New(at, engine.Options{})
	defer e.Close()
	models, err := e.Models(ctx)
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
	trio  *Trio
}

// ask sends the prompt to the client's endpoint as any program would.
func (d *demo) ask(ctx context.Context) error {
	client := d.trio.Client
	d.o.Progress("POST %s/v1/chat/completions", client.Endpoint())
	body, err := newCaller(client.Endpoint(), d.model, 1).chat(ctx, question{Text: d.o.Prompt, Stream: true, MaxTokens: 128})
	if err != nil {
		return err
	}
	defer body.Close()
	engineName := d.o.Engine
	if engineName == "" {
		engineName = "built-in demo engine, no language model"
	}
	fmt.Fprintf(d.o.Out, "\nprompt   %s\nmodel    %s (%s)\nanswer   ", d.o.Prompt, d.model, engineName)
	err = streamed(body, func(text string) bool {
		fmt.Fprint(d.o.Out, text)
		return true
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(d.o.Out)
	return d.receipt()
}

func (d *demo) receipt() error {
	receipts := d.trio.Client.Receipts()
	if len(receipts) == 0 {
		return errors.New("the client holds no receipt")
	}
	r := receipts[len(receipts)-1]
	kind := "TDX"
	if r.Simulated {
		kind = "simulated: proves nothing about hardware"
	}
	appraised := "not what the client appraised"
	if r.ProxyAttested {
		appraised = "as the client appraised it inside the connection"
	}
	fmt.Fprintf(d.o.Out, `
receipt  %s
  proxy    %s
           image %s (%s)
           evidence %s (%s)
  worker   key %s
           image %s (%s)
  tokens   %d prompt (%d cached), %d completion
  price    %s prompt, %s completion, per 1,000,000 tokens
  cost     %s
  voucher  no. %d authorises %s in all, of which %s is spent
`, r.Request, r.Proxy, r.ProxyImage, kind, r.ProxyEvidence, appraised, r.WorkerKey, r.WorkerImage, kind, r.Usage.Prompt, r.Usage.Cached,
		r.Usage.Completion, r.Price.Prompt, r.Price.Completion, r.Cost, r.VoucherSeq, r.Authorised, r.Spent)
	return nil
}

// invite tells how to try the network that stays up.
func (d *demo) invite() {
	fmt.Fprintf(d.o.Out, `
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
`, d.trio.Client.Endpoint(), d.model, d.trio.Client.Admin(), d.trio.Proxy.Admin(), d.trio.Worker.Admin())
}

// account prints the table, and fails if a nanoTON is missing.
func (d *demo) account(ctx context.Context, work Work) error {
	balances, wrong := d.trio.Balances(ctx, work)
	fmt.Fprintln(d.o.Out, "\nbalances in nanoTON")
	tw := tabwriter.NewWriter(d.o.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "party\tbefore\tafter\tchange\t= work\t− network fees\tunexplained\t")
	for _, b := range balances {
		fmt.Fprintf(tw, "%s\t%d\t%d\t%+d\t%+d\t%d\t%d\t\n", b.Party, b.Before, b.After, b.Change(), b.Work, b.Fees, b.Rest())
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	return wrong
}
