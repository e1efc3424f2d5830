package toncenter_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/toncenter"
	"github.com/tussah-network/tussah/tlb"
)

// TestRefusals provokes each refusal a caller can provoke.
func TestRefusals(t *testing.T) {
	w := newWorld(t)
	a := w.counter.String()
	head := w.MasterHead().SeqNo
	block := func(more object) object {
		p := object{"workchain": 0, "shard": wholeShard, "seqno": 1}
		for k, v := range more {
			p[k] = v
		}
		return p
	}
	boc := encodeBOC(count(1))
	for _, c := range []struct {
		method string
		p      object
		code   int
		text   string
	}{
		{"getNothing", object{}, 404, "Not Found"},

		{"getAddressInformation", object{}, 422, "address: field required"},
		{"getAddressInformation", object{"address": ""}, 422, "address: field required"},
		{"getAddressInformation", object{"address": "invalid"}, 422, "invalid address"},
		{"getAddressInformation", object{"address": 5}, 422, "expected a string"},
		{"getAddressInformation", object{"address": "0:12"}, 422, "invalid raw address"},
		{"getAddressInformation", object{"address": a[:47] + "A"}, 422, "wrong checksum"},
		{"getAddressInformation", object{"address": a, "seqno": "invalid"}, 422, "is not an integer"},
		{"getAddressInformation", object{"address": a, "seqno": 1.5}, 422, "is not an integer"},
		{"getAddressInformation", object{"address": a, "seqno": true}, 422, "expected an integer"},
		{"getAddressInformation", object{"address": a, "seqno": 0}, 422, "should be in"},
		{"getAddressInformation", object{"address": a, "seqno": head + 10}, 500, "LITE_SERVER_NOTREADY: "},
		{"getAddressInformation", object{"address": "5:" + strings.Repeat("0", 64)}, 500, "LITE_SERVER_NOTREADY: workchain 5"},

		{"detectHash", object{}, 422, "hash: field required"},
		{"detectHash", object{"hash": "CPUE4WXeEJT+Dwz1fY/rkreWvYnsOt3I44i1G5ojJPM"}, 422, "invalid hash"},
		{"detectHash", object{"hash": strings.Repeat("z", 64)}, 422, "invalid hash"},

		{"getMasterchainBlockSignatures", object{}, 422, "seqno: field required"},
		{"getMasterchainBlockSignatures", object{"seqno": head + 1}, 500, "LITE_SERVER_NOTREADY"},
		{"shards", object{"seqno": -1}, 422, "should be in"},
		{"lookupBlock", block(object{"lt": 5}), 422, "exactly one of"},
		{"lookupBlock", object{"workchain": 0, "shard": wholeShard}, 422, "exactly one of"},
		{"lookupBlock", object{"workchain": 0, "shard": "x", "seqno": 1}, 422, "shard"},
		{"lookupBlock", object{"workchain": 7, "shard": wholeShard, "seqno": 1}, 500, "LITE_SERVER_NOTREADY"},
		{"getBlockHeader", block(object{"root_hash": "x"}), 422, "root_hash: invalid hash"},
		{"getBlockHeader", block(object{"root_hash": strings.Repeat("0", 64), "file_hash": strings.Repeat("0", 64)}), 500, "LITE_SERVER_NOTREADY"},
		{"getShardBlockProof", object{"workchain": -1, "shard": wholeShard, "seqno": 1}, 422, "of the masterchain"},
		{"getShardBlockProof", block(object{"seqno": 2, "from_seqno": 1}), 422, "too old"},

		{"getBlockTransactions", block(object{"count": 0}), 422, "count"},
		{"getBlockTransactions", block(object{"count": 10_001}), 422, "count"},
		{"getBlockTransactions", block(object{"after_lt": 5}), 422, "should be used together"},
		{"getTransactions", object{"address": a, "limit": 0}, 422, "limit"},
		{"getTransactions", object{"address": a, "limit": 1001}, 422, "limit"},
		{"getTransactions", object{"address": a, "lt": "5"}, 422, "lt and hash should be used together"},
		{"getTransactions", object{"address": a, "lt": "5", "hash": strings.Repeat("0", 64)}, 500, "LITE_SERVER_NOTREADY"},
		{"getTransactions", object{"address": a, "archival": "maybe"}, 422, "expected a boolean"},
		{"tryLocateTx", object{"source": a, "destination": a}, 422, "created_lt: field required"},
		{"tryLocateTx", object{"source": a, "destination": a, "created_lt": 1}, 404, "transaction was not found"},
		{"tryLocateSourceTx", object{"source": a, "destination": a, "created_lt": 1 << 60}, 404, "transaction was not found"},

		{"getConfigParam", object{}, 422, "config_id: field required"},
		{"getConfigParam", object{"config_id": 1, "param": 2}, 422, "only one of"},
		{"getConfigParam", object{"config_id": 12345}, 500, "no such config param: 12345"},
		{"getLibraries", object{"libraries": []string{"x"}}, 422, "invalid hash"},

		{"runGetMethod", object{"address": a, "stack": []any{}}, 422, "method: field required"},
		{"runGetMethod", object{"address": a, "method": -1}, 422, "no id of a method"},
		{"runGetMethod", object{"address": a, "method": []any{}}, 422, "expected a string or an integer"},
		{"runGetMethod", object{"address": a, "method": "echo", "stack": "x"}, 422, "stack: expected an array"},
		{"runGetMethod", object{"address": a, "method": "echo", "stack": [][]string{{"num", "0x1" + strings.Repeat("0", 65)}}}, 422, "cannot be put on the stack"},

		{"sendBoc", object{}, 422, "boc: field required"},
		{"sendBoc", object{"boc": "%%%"}, 422, "invalid base64"},
		{"sendBoc", object{"boc": "AAAA"}, 400, "INVALID_BAG_OF_CELLS"},
		{"sendBoc", object{"boc": base64.StdEncoding.EncodeToString(make([]byte, 65<<10))}, 400, "INVALID_BAG_OF_CELLS"},
		{"sendBoc", object{"boc": boc}, 500, "LITE_SERVER_UNKNOWN: cannot apply external message to current state : "},
		{"sendBocReturnHash", object{"boc": boc}, 400, "INVALID_BAG_OF_CELLS"},
		{"sendQuery", object{"address": tokens[0].String(), "body": boc}, 500, "rejected by account A0A0"},
		{"estimateFee", object{"address": a}, 422, "body: field required"},
		{"estimateFee", object{"address": a, "body": boc, "init_code": "AAAA"}, 400, "INVALID_BAG_OF_CELLS"},
	} {
		if r := w.rpc(c.method, c.p); r.OK || r.Code != c.code || !strings.Contains(r.Error, c.text) {
			t.Errorf("%s %v: %d %q, want %d %q", c.method, c.p, r.Code, r.Error, c.code, c.text)
		}
	}
}

// TestNotAccepted reads why a contract refused.
func TestNotAccepted(t *testing.T) {
	a := address.NewAddress(0, 0, make([]byte, 32))
	picky := code(0xF2, 0x21) // THROW 33
	w := serve(t, newChain(t, sandbox.GenesisAccount{Address: a, Balance: tlb.TON, Code: picky}))
	r := w.post("sendBoc", object{"boc": encodeBOC(external(t, a, 1))})
	want := "LITE_SERVER_UNKNOWN: cannot apply external message to current state : External message was not accepted: " +
		"cannot run message on account: inbound external message rejected by transaction " + strings.Repeat("0", 64) +
		":\nexitcode=33, steps=1, gas_used="
	if r.Code != 500 || !strings.HasPrefix(r.Error, want) || !strings.Contains(r.Error, "execute THROW 33") {
		t.Errorf("%d %s", r.Code, r.Error)
	}
}

// TestHTTP is about what comes before a method.
func TestHTTP(t *testing.T) {
	w := newWorld(t)
	deep := strings.Repeat("[", 100_000)
	for _, c := range []struct {
		name, method, path, body string
		code                     int
	}{
		{"PUT", "PUT", "/api/v2/getMasterchainInfo", "", 405},
		{"GET of JSON-RPC", "GET", "/api/v2/jsonRPC", "", 405},
		{"GET of what changes something", "GET", "/api/v2/sendBoc?boc=AAAA", "", 405},
		{"no JSON", "POST", "/api/v2/getMasterchainInfo", "{", 422},
		{"JSON and more", "POST", "/api/v2/getMasterchainInfo", "{} {}", 422},
		{"no object", "POST", "/api/v2/getMasterchainInfo", "[1]", 422},
		{"no JSON-RPC", "POST", "/api/v2/jsonRPC", "nothing", 422},
		{"no method", "POST", "/api/v2/jsonRPC", "{}", 422},
		{"method is a number", "POST", "/api/v2/jsonRPC", `{"method":5}`, 422},
		{"params in a list", "POST", "/api/v2/jsonRPC", `{"method":"getMasterchainInfo","params":[1]}`, 422},
		{"JSON-RPC in JSON-RPC", "POST", "/api/v2/jsonRPC", `{"method":"jsonRPC","params":{}}`, 404},
		{"nested without end", "POST", "/api/v2/getMasterchainInfo", deep, 422},
		{"nested parameter", "POST", "/api/v2/runGetMethod", `{"stack":` + deep, 422},
		{"too much", "POST", "/api/v2/sendBoc", `{"boc":"` + strings.Repeat("A", toncenter.MaxBody) + `"}`, 413},
		{"address too long", "GET", "/api/v2/detectAddress?address=" + strings.Repeat("A", toncenter.MaxURL), "", 413},
		{"twice", "GET", "/api/v2/shards?seqno=1&seqno=2", "", 422},
		{"another path", "GET", "/etc/passwd", "", 404},

		{"unknown fields", "POST", "/api/v2/getMasterchainInfo", `{"more":{"than":["is","known"]}}`, 200},
		{"empty body", "POST", "/api/v2/getMasterchainInfo", "", 200},
		{"no params", "POST", "/api/v2/jsonRPC", `{"method":"getMasterchainInfo","id":null}`, 200},
		{"params null", "POST", "/api/v2/jsonRPC", `{"method":"getMasterchainInfo","params":null}`, 200},
		{"empty list of params", "POST", "/api/v2/jsonRPC", `{"method":"getMasterchainInfo","params":[]}`, 200},
		{"escaped query", "GET", "/api/v2/detectAddress?address=EQDtFpEwcFAEcRe5mLVh2N6C0x%2B%2FhJEM7W61%2FJLnSF74p4q2", "", 200},
	} {
		if r := w.send(c.method, c.path, []byte(c.body)); r.Status != c.code {
			t.Errorf("%s: %d %s, want %d", c.name, r.Status, r.Error, c.code)
		}
	}
}

func TestBrowsersMayCall(t *testing.T) {
	w := newWorld(t)
	r, err := http.NewRequest(http.MethodOptions, w.url+"/api/v2/jsonRPC", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", "https://example.org")
	r.Header.Set("Access-Control-Request-Headers", "content-type,x-api-key")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent || resp.Header.Get("Access-Control-Allow-Origin") != "*" ||
		!strings.Contains(resp.Header.Get("Access-Control-Allow-Headers"), "X-API-Key") {
		t.Errorf("%s %v", resp.Status, resp.Header)
	}
}

func TestHealthcheck(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/healthcheck", "/api/v2/healthcheck"} {
		resp, err := http.Get(w.url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || string(body) != `"OK"` {
			t.Errorf("%s: %s %s %v", path, resp.Status, body, err)
		}
	}
}

func TestAPIKey(t *testing.T) {
	server := httptest.NewServer(toncenter.New(newChain(t), toncenter.Options{APIKey: "secret"}))
	defer server.Close()
	for _, c := range []struct {
		header, query string
		code          int
	}{
		{"", "", 401}, {"wrong", "", 401}, {"", "wrong", 401}, {"secret", "", 200}, {"", "secret", 200},
	} {
		r, err := http.NewRequest(http.MethodGet, server.URL+"/api/v2/getMasterchainInfo?api_key="+c.query, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.header != "" {
			r.Header.Set("X-API-Key", c.header)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.code {
			t.Errorf("%+v: %s", c, resp.Status)
		}
	}
}

// broken is a chain that fails in ways of its own.
type broken struct {
	*sandbox.Chain
	state func() (*cell.Cell, error)
	send  func(context.Context) error
}

func (b broken) State(toncenter.BlockID) (*cell.Cell, error)  { return b.state() }
func (b broken) Send(ctx context.Context, _ *cell.Cell) error { return b.send(ctx) }
func (b broken) Now() time.Time                               { panic("a bug") }

// TestFaults: what goes wrong within is an error with a code, in the log, and
// not told to the client.
func TestFaults(t *testing.T) {
	var log strings.Builder
	chain := broken{
		Chain: newChain(t),
		state: func() (*cell.Cell, error) { return nil, errors.New("secret of the house") },
		send:  func(context.Context) error { return sandbox.ErrClosed },
	}
	server := httptest.NewServer(toncenter.New(chain, toncenter.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}))
	defer server.Close()
	c := caller{t: t, url: server.URL}
	for _, call := range []struct {
		method string
		text   string
	}{{"getMasterchainInfo", "secret of the house"}, {"getConsensusBlock", "a bug"}} {
		log.Reset()
		if r := c.post(call.method, object{}); r.Code != 500 || r.Error != "INTERNAL" {
			t.Errorf("%s: %d %s", call.method, r.Code, r.Error)
		}
		if !strings.Contains(log.String(), call.text) {
			t.Errorf("%s: logged %q", call.method, log.String())
		}
	}
	boc := object{"boc": encodeBOC(external(t, tokens[0], 1))}
	if r := c.post("sendBoc", boc); r.Code != 500 || r.Error != "LITE_SERVER_NOTREADY: "+sandbox.ErrClosed.Error() {
		t.Errorf("closed: %d %s", r.Code, r.Error)
	}
	chain.send = func(context.Context) error { return sandbox.ErrEndless }
	if r := serve(t, chain).post("sendBoc", boc); !r.OK {
		t.Errorf("a cascade without end: %d %s", r.Code, r.Error)
	}
	chain.state = func() (*cell.Cell, error) { return nil, sandbox.ErrStateGone }
	if r := serve(t, chain).post("getMasterchainInfo", object{}); r.Code != 500 || !strings.HasPrefix(r.Error, "LITE_SERVER_NOTREADY: ") {
		t.Errorf("state gone: %d %s", r.Code, r.Error)
	}
}

// TestTurns lets more requests wait than are worked on, and one give up.
func TestTurns(t *testing.T) {
	blocked := make(chan struct{})
	chain := broken{Chain: newChain(t), send: func(ctx context.Context) error { <-blocked; return nil }}
	api := toncenter.New(chain, toncenter.Options{})
	body := string(encode(t, object{"boc": encodeBOC(external(t, tokens[0], 1))}))
	call := func(ctx context.Context) int {
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodPost, "/api/v2/sendBoc", strings.NewReader(body)))
		return w.Code
	}
	done := make(chan int)
	for range toncenter.MaxInFlight {
		go func() { done <- call(t.Context()) }()
	}
	for api.InFlight() < toncenter.MaxInFlight {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if code := call(ctx); code != http.StatusGatewayTimeout {
		t.Errorf("waited in vain, and got %d", code)
	}
	close(blocked)
	for range toncenter.MaxInFlight {
		if code := <-done; code != http.StatusOK {
			t.Errorf("got %d", code)
		}
	}
}

// FuzzCall sends any method any parameters.
func FuzzCall(f *testing.F) {
	w := newWorld(f)
	api := toncenter.New(w.Chain, toncenter.Options{})
	names := toncenter.Methods()
	a := w.counter.String()
	for _, seed := range []object{
		{"address": a, "seqno": 1, "limit": "5", "lt": "7", "hash": strings.Repeat("0", 64)},
		{"workchain": 0, "shard": wholeShard, "seqno": 1, "count": 3, "after_lt": 1, "after_hash": a},
		{"address": a, "method": "echo", "stack": [][]string{{"num", "0x1"}, {"tvm.Cell", encodeBOC(count(1))}}},
		{"source": a, "destination": a, "created_lt": "1"},
		{"boc": encodeBOC(external(f, w.counter, 1)), "address": a, "body": encodeBOC(count(3)), "init_code": encodeBOC(count(3))},
		{"libraries": []string{strings.Repeat("0", 64)}, "config_id": 0, "ignore_chksig": "yes"},
	} {
		for i := range names {
			f.Add(byte(i), encode(f, seed))
		}
	}
	f.Fuzz(func(t *testing.T, method byte, body []byte) {
		name := names[int(method)%len(names)]
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v2/"+name, strings.NewReader(string(body))))
		if w.Code == http.StatusInternalServerError && strings.Contains(w.Body.String(), `"INTERNAL"`) {
			t.Errorf("%s %s: %s", name, body, w.Body)
		}
	})
}
