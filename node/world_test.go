package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tussah-network/tussah/node"
	"github.com/tussah-network/tussah/node/devnet"
)

// TestMain fails if a node leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// openNetwork runs a devnet with fast blocks for as long as the test runs.
func openNetwork(t *testing.T, models ...string) *devnet.Network {
	t.Helper()
	n, err := devnet.Open(t.Context(), devnet.Options{Dir: t.TempDir(), Interval: 100 * time.Millisecond, Models: models})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Errorf("close the network: %v", err)
		}
	})
	return n
}

// role prepares a node and returns its configuration file.
func role(t *testing.T, n *devnet.Network, r node.Role, o devnet.RoleOptions) string {
	t.Helper()
	file, err := n.Role(t.Context(), r, o)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// start runs a node until the test ends.
func start(t *testing.T, file string, log *slog.Logger) *devnet.Running {
	t.Helper()
	if log == nil {
		log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	r, err := devnet.Start(t.Context(), file, node.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return r
}

// trio is one running node of each role.
type trio struct{ proxy, worker, client *devnet.Running }

// startTrio returns when the client can buy the model.
func startTrio(t *testing.T, n *devnet.Network, o devnet.RoleOptions, log *slog.Logger) trio {
	t.Helper()
	model := o.Model
	if model == "" {
		model = devnet.DemoModel
	}
	all := trio{
		proxy:  start(t, role(t, n, node.Proxy, o), log),
		worker: start(t, role(t, n, node.Worker, o), log),
		client: start(t, role(t, n, node.Client, o), log),
	}
	wait(t, "the client can buy "+model, func() bool { return all.client.Serves(model) })
	return all
}

// wait looks until what the test waits for has happened.
func wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("a minute passed: %s", what)
		}
	}
}

// reply is what a caller of the endpoint sees.
type reply struct {
	Status int
	Body   string
	Error  struct{ Message, Type, Code string } // also that of a stream which broke off
}

// ask sends a prompt to a client's endpoint and reads the answer to its end.
func ask(ctx context.Context, endpoint, model, prompt string, stream bool) (reply, error) {
	body, err := json.Marshal(map[string]any{"model": model, "stream": stream, "max_tokens": 2000,
		"messages": []map[string]string{{"role": "user", "content": prompt}}})
	if err != nil {
		return reply{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+"/v1/chat/completions", bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	r := reply{Status: response.StatusCode, Body: string(text)}
	for line := range strings.Lines(r.Body) {
		if strings.Contains(line, `"error"`) {
			err = errors.Join(err, json.Unmarshal([]byte(strings.TrimPrefix(line, "data: ")), &r))
		}
	}
	return r, err
}

// mustAsk is ask where the answer is to be read whole.
func mustAsk(t *testing.T, endpoint, model, prompt string, stream bool) reply {
	t.Helper()
	r, err := ask(t.Context(), endpoint, model, prompt, stream)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// expect holds a refusal against its status, its code, and what its message has to say.
func (r reply) expect(t *testing.T, status int, code string, says ...string) {
	t.Helper()
	if r.Status != status || r.Error.Code != code {
		t.Errorf("the endpoint answered %d %q, want %d %q: %s", r.Status, r.Error.Code, status, code, r.Body)
	}
	for _, text := range says {
		if !strings.Contains(r.Error.Message, text) {
			t.Errorf("the message %q does not say %q", r.Error.Message, text)
		}
	}
}
