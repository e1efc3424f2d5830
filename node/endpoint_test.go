package node_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tussah-network/tussah/node"
	"github.com/tussah-network/tussah/node/devnet"
	"github.com/tussah-network/tussah/node/engine"
	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/wallet"
)

// moodyEngine is an engine whose answers to completions a test chooses; it lists
// its model always.
type moodyEngine struct {
	*httptest.Server
	mood atomic.Pointer[http.HandlerFunc]
}

func newMoodyEngine(t *testing.T) *moodyEngine {
	demo := &engine.Demo{}
	e := &moodyEngine{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if mood := e.mood.Load(); mood != nil && r.Method == http.MethodPost {
			(*mood)(w, r)
			return
		}
		demo.ServeHTTP(w, r)
	}))
	t.Cleanup(e.Close)
	return e
}

// is sets the mood; nil is that of the demo engine.
func (e *moodyEngine) is(mood http.HandlerFunc) {
	if mood == nil {
		e.mood.Store(nil)
		return
	}
	e.mood.Store(&mood)
}

// saying answers with a text of some type.
func saying(contentType, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		io.WriteString(w, text)
	}
}

func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// TestEndpointErrors: what goes wrong behind the endpoint has OpenAI's schema, a
// true status and a message that says what to do, and is paid only if delivered.
func TestEndpointErrors(t *testing.T) {
	const chunk = `data: {"id":"x","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Half"}}]}` + "\n\n"
	moody := newMoodyEngine(t)
	network := openNetwork(t, devnet.DemoModel, "nobody's")
	nodes := startTrio(t, network, devnet.RoleOptions{Engine: moody.URL}, nil)
	for _, c := range []struct {
		name   string
		model  string
		stream bool
		mood   http.HandlerFunc
		status int
		code   string
		says   []string
		paid   bool
	}{
		{"model that is not registered", "gpt-9000", false, nil, 404, "model_not_found", []string{"gpt-9000"}, false},
		{"model that nobody serves", "nobody's", true, nil, 404, "model_not_found", []string{"nobody's"}, false},
		{"engine hangs up", "", false, hangUp, 502, "engine_error", []string{"broke off"}, false},
		{"engine hangs up, stream", "", true, hangUp, 502, "engine_error", []string{"broke off"}, false},
		{"garbage", "", false, saying("text/html", "<html>It works!</html>"), 502, "engine_error", []string{"garbage", "not OpenAI-compatible"}, false},
		{"garbage, stream", "", true, saying("text/event-stream", "data: {{{\n\n"), 502, "engine_error", []string{"garbage"}, false},
		{"no usage", "", false, saying("application/json", `{"choices":[{"message":{"content":"A"}}]}`), 502, "engine_error", []string{"must report usage"}, false},
		{"no usage, stream", "", true, saying("text/event-stream", chunk+"data: [DONE]\n\n"), 200, "engine_error", []string{"must report usage"}, true},
		{"garbage in mid-stream", "", true, saying("text/event-stream", chunk+"data: {{{\n\n"), 200, "engine_error", []string{"garbage"}, true},
		{"engine breaks off in mid-stream", "", true, func(w http.ResponseWriter, r *http.Request) {
			saying("text/event-stream", chunk)(w, r)
			http.NewResponseController(w).Flush()
			hangUp(w, r)
		}, 200, "engine_error", nil, true},
		{"engine's own refusal", "", true, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"error":{"message":"temperature is too hot","type":"invalid_request_error","param":"temperature","code":null}}`)
		}, 400, "", []string{"temperature is too hot"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.model == "" {
				c.model = devnet.DemoModel
			}
			before := nodes.client.Channels()[0].Spent
			moody.is(c.mood)
			defer moody.is(nil)
			got := mustAsk(t, nodes.client.Endpoint(), c.model, "Hello", c.stream)
			got.expect(t, c.status, c.code, c.says...)
			if spent := nodes.client.Channels()[0].Spent; (spent > before) != c.paid {
				t.Errorf("it cost %s, paid: want %v", spent-before, c.paid)
			}
			// The node goes on once the engine does.
			moody.is(nil)
			wait(t, "it serves again", func() bool {
				time.Sleep(200 * time.Millisecond) // the worker is set aside for a second
				r, err := ask(t.Context(), nodes.client.Endpoint(), devnet.DemoModel, "Hello", false)
				return err == nil && r.Status == http.StatusOK
			})
		})
	}
}

// TestEngineGone: an engine that is down is said to be; one that stays away is not
// offered any more, until it comes back.
func TestEngineGone(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	serve := func(l net.Listener) *http.Server {
		s := &http.Server{Handler: &engine.Demo{}}
		go s.Serve(l)
		t.Cleanup(func() { s.Close() })
		return s
	}
	running := serve(l)
	network := openNetwork(t)
	nodes := startTrio(t, network, devnet.RoleOptions{Engine: "http://" + at}, nil)
	if err := running.Close(); err != nil {
		t.Fatal(err)
	}
	// Until the worker has noticed by itself.
	if r := mustAsk(t, nodes.client.Endpoint(), devnet.DemoModel, "Hello", false); nodes.worker.Status().EngineHealthy != nil && *nodes.worker.Status().EngineHealthy {
		r.expect(t, 502, "engine_error", "engine is down", "try again")
	}
	wait(t, "nothing is offered", func() bool { return !nodes.client.Serves(devnet.DemoModel) })
	mustAsk(t, nodes.client.Endpoint(), devnet.DemoModel, "Hello", false).expect(t, 503, "no_worker", "offers nothing now")
	if l, err = net.Listen("tcp", at); err != nil {
		t.Fatal(err)
	}
	serve(l)
	wait(t, "it is offered again", func() bool { return nodes.client.Serves(devnet.DemoModel) })
	if r := mustAsk(t, nodes.client.Endpoint(), devnet.DemoModel, "Hello", false); r.Status != http.StatusOK {
		t.Errorf("%d: %s", r.Status, r.Body)
	}
}

// TestPoorClients: whoever cannot open a channel learns why, at the endpoint and in
// the status, and no coin moves.
func TestPoorClients(t *testing.T) {
	network := openNetwork(t)
	o := devnet.RoleOptions{}
	start(t, role(t, network, node.Proxy, o), nil)
	start(t, role(t, network, node.Worker, o), nil)
	empty := filepath.Join(t.TempDir(), "wallet.key")
	key, err := wallet.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	if err := wallet.SaveKey(empty, key, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		edit func(*node.Config)
		says string
	}{
		{"empty-wallet", func(c *node.Config) { c.Wallet.Key = empty }, "holds 0 TON"},
		{"small-deposit", func(c *node.Config) { c.Client.Deposit = tlb.TON / 50 }, "raise deposit in the configuration"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := start(t, role(t, network, node.Client, devnet.RoleOptions{Name: c.name, Edit: c.edit}), nil)
			problem := ""
			wait(t, "the status names the problem", func() bool {
				if peers := client.Status().Peers; len(peers) == 1 {
					problem = peers[0].Problem
				}
				return problem != ""
			})
			if !strings.Contains(problem, c.says) {
				t.Errorf("the status says %q, want %q", problem, c.says)
			}
			mustAsk(t, client.Endpoint(), devnet.DemoModel, "Hello", false).expect(t, 402, "insufficient_funds", c.says)
			if n := client.Status().PendingSends; n != 0 {
				t.Errorf("%d sends are pending", n)
			}
			response, err := http.Get(client.Endpoint() + "/healthz")
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("healthz says %s", response.Status)
			}
		})
	}
}

// TestCancelledRequest: the engine stops when the caller goes away, and the receipt
// is for what was delivered.
func TestCancelledRequest(t *testing.T) {
	slow := &engine.Demo{Pace: 20 * time.Millisecond}
	stopped := make(chan time.Time, 1)
	e := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			context.AfterFunc(r.Context(), func() { stopped <- time.Now() })
		}
		slow.ServeHTTP(w, r)
	}))
	defer e.Close()
	network := openNetwork(t)
	nodes := startTrio(t, network, devnet.RoleOptions{Engine: e.URL}, nil)

	ctx, leave := context.WithCancel(t.Context())
	body := fmt.Sprintf(`{"model":%q,"stream":true,"max_tokens":1000,"messages":[{"role":"user","content":"count to 1000"}]}`, devnet.DemoModel)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, nodes.client.Endpoint()+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	for read := 0; read < 3000; { // some tokens of many
		n, err := response.Body.Read(make([]byte, 512))
		if err != nil {
			t.Fatal(err)
		}
		read += n
	}
	leave()
	left := time.Now()
	select {
	case at := <-stopped:
		t.Logf("the engine was cancelled %s after the caller left", at.Sub(left).Round(time.Millisecond))
	case <-time.After(10 * time.Second):
		t.Fatal("the engine was not told to stop")
	}
	wait(t, "the receipt", func() bool { return len(nodes.client.Receipts()) == 1 })
	r := nodes.client.Receipts()[0]
	if !r.ProxyAttested {
		t.Errorf("the receipt does not name the evidence that was appraised: %+v", r)
	}
	if r.Complete || r.Usage.Completion < 5 || r.Usage.Completion > 500 {
		t.Errorf("complete %v, usage %+v", r.Complete, r.Usage)
	}
	if cost, err := r.Price.Cost(r.Usage); err != nil || r.Cost != cost {
		t.Errorf("cost %s, want %s for %+v (%v)", r.Cost, cost, r.Usage, err)
	}
	paying, earning := nodes.client.Channels()[0], tlb.Nano(0)
	for _, c := range nodes.proxy.Channels() {
		if c.End == "earning" {
			earning = c.Spent
		}
	}
	if paying.Spent != r.Cost || earning != r.Cost {
		t.Errorf("the client says %s, the proxy %s, the receipt %s", paying.Spent, earning, r.Cost)
	}
}

// TestPromptsLeaveNoTrace: a prompt and its answer are in no log, not even at debug
// level, and in no file of any node, whatever becomes of the request.
func TestPromptsLeaveNoTrace(t *testing.T) {
	var log safeBuffer
	verbose := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	moody := newMoodyEngine(t)
	dir := t.TempDir()
	network, err := devnet.Open(t.Context(), devnet.Options{Dir: dir, Interval: 100 * time.Millisecond, Log: verbose})
	if err != nil {
		t.Fatal(err)
	}
	secret := make([]byte, 16)
	rand.Read(secret)
	canary := hex.EncodeToString(secret)
	t.Run("network", func(t *testing.T) {
		nodes := startTrio(t, network, devnet.RoleOptions{Engine: moody.URL}, verbose)
		for _, stream := range []bool{false, true} {
			if r := mustAsk(t, nodes.client.Endpoint(), devnet.DemoModel, canary, stream); !strings.Contains(r.Body, canary) {
				t.Errorf("the demo engine does not repeat the prompt: %s", r.Body)
			}
			moody.is(saying("application/json", `{"error":"`+canary+`"}`))
			mustAsk(t, nodes.client.Endpoint(), devnet.DemoModel, canary, stream)
			moody.is(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusInternalServerError)
				io.WriteString(w, canary)
			})
			mustAsk(t, nodes.client.Endpoint(), devnet.DemoModel, canary, stream)
			moody.is(saying("text/event-stream", "data: "+canary+"\n\n"))
			mustAsk(t, nodes.client.Endpoint(), devnet.DemoModel, canary, stream)
			moody.is(nil)
			time.Sleep(1100 * time.Millisecond) // the worker was set aside for a second
		}
	})
	if err := network.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "request served") {
		t.Error("nothing was logged: the test shows nothing")
	}
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, canary) {
			t.Errorf("the log says %s", line)
		}
	}
	files := 0
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(name)
		if bytes.Contains(text, []byte(canary)) || bytes.Contains(text, secret) {
			t.Errorf("%s holds the prompt", name)
		}
		return err
	})
	if err != nil || files < 20 {
		t.Errorf("%d files, %v", files, err)
	}
}

// safeBuffer is a buffer that several nodes log to.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
