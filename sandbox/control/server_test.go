package control_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/control"
)

func testSource(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile("verbs_test.go")
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// post sends a body as it is and returns what comes back.
func (c caller) post(body string, edit func(*http.Request)) (int, string) {
	c.Helper()
	req, err := http.NewRequestWithContext(c.Context(), http.MethodPost, c.client.URL, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	if edit != nil {
		edit(req)
	}
	resp, err := c.client.HTTP.Do(req)
	if err != nil {
		c.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		c.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

func TestProtocol(t *testing.T) {
	c := start(t)
	const faucet = `{"jsonrpc":"2.0","id":1,"method":"faucet","params":`
	for _, test := range []struct{ name, body, want string }{
		{"no JSON", `{`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,`},
		{"nothing", ``, `"code":-32700`},
		{"two values", `{}{}`, `"code":-32700`},
		{"a number", `1`, `"id":null,"error":{"code":-32600,`},
		{"too deep", strings.Repeat("[", 9) + strings.Repeat("]", 9), `nested deeper than 8`},
		{"a string that only looks deep", `{"jsonrpc":"2.0","id":1,"method":"[[[[[[[[[\"[[["}`, `"code":-32601`},
		{"another version", `{"jsonrpc":"1.0","id":7,"method":"status"}`, `"id":7,"error":{"code":-32600,`},
		{"no method", `{"jsonrpc":"2.0","id":7}`, `"id":7,"error":{"code":-32600,`},
		{"unknown member", `{"jsonrpc":"2.0","id":7,"method":"status","x":1}`, `"code":-32600`},
		{"structured id", `{"jsonrpc":"2.0","id":{},"method":"status"}`, `"id":null,"error":{"code":-32600,`},
		{"unknown verb", `{"jsonrpc":"2.0","id":"a","method":"frob"}`, `"id":"a","error":{"code":-32601,"message":"no such verb: \"frob\"","data":{"name":"unknown_verb"}}`},
		{"no parameters", `{"jsonrpc":"2.0","id":1,"method":"faucet"}`, `address is missing`},
		{"unknown parameter", faucet + `{"adress":"x"}}`, `there is no \"adress\"; there is address, amount, wait`},
		{"exact names", faucet + `{"Address":"x"}}`, `there is no \"Address\"`},
		{"repeated parameter", faucet + `{"amount":"1","amount":"2"}}`, `amount is given twice`},
		{"null parameter", faucet + `{"amount":null}}`, `amount is null`},
		{"parameters of another type", faucet + `"x"}`, `-32602`},
		{"too many by place", faucet + `["0:00","1",true,4]}`, `-32602`},
		{"a number for an amount", faucet + `{"amount":5}}`, `a string is expected`},
		{"by place", faucet + `["0:00000000000000000000000000000000000000000000000000000000000000aa","1.5"]}`, `"nano":"1500000000"`},
		{"by name", faucet + `{"address":"0:00000000000000000000000000000000000000000000000000000000000000aa","amount":"1 nano"}}`, `"nano":"1500000001"`},
		{"verb refuses", faucet + `{"address":"7:00000000000000000000000000000000000000000000000000000000000000aa","amount":"1"}}`, `"code":-32000,`},
		{"null id", `{"jsonrpc":"2.0","id":null,"method":"status"}`, `{"jsonrpc":"2.0","id":null,"result":{"block":`},
		{"empty batch", `[]`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,`},
		{"batch", ` [{"jsonrpc":"2.0","id":1,"method":"pending"}, 5, {"jsonrpc":"2.0","method":"pending"}, {"jsonrpc":"2.0","id":2,"method":"snapshots"}]`,
			`[{"jsonrpc":"2.0","id":1,"result":[]},{"jsonrpc":"2.0","id":null,"error":{"code":-32600,`},
		{"large batch", "[" + strings.Repeat("1,", control.MaxBatch) + "1]", `a batch has 1 … 100 calls`},
		{"large body", `"` + strings.Repeat("x", control.MaxBody) + `"`, `"name":"too_large"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, got := c.post(test.body, nil); !strings.Contains(got, test.want) || !json.Valid([]byte(got)) {
				t.Errorf("got %s\nwant %s", got, test.want)
			}
		})
	}
	// Who does not want to know is not told, but it happens.
	status, got := c.post(`{"jsonrpc":"2.0","method":"snapshot","params":["quiet"]}`, nil)
	if status != http.StatusNoContent || got != "" {
		t.Errorf("notification: %d %s", status, got)
	}
	if all := call[control.Snapshots](c, "snapshots", nil); len(all) != 1 || all[0].Name != "quiet" {
		t.Errorf("after the notification: %v", all)
	}
}

// What a web page can make a browser send does nothing.
func TestForeignPages(t *testing.T) {
	c := start(t)
	const body = `{"jsonrpc":"2.0","id":1,"method":"status"}`
	for _, test := range []struct {
		host, origin string
		allowed      bool
	}{
		{"127.0.0.1:17002", "", true},
		{"localhost:17002", "", true},
		{"LOCALHOST", "", true},
		{"[::1]:17002", "", true},
		{"192.168.1.2:17002", "", true}, // whoever listens there means to
		{"sandbox:17002", "", true},     // a container
		{"127.0.0.1", "http://localhost:3000", true},
		{"127.0.0.1", "http://[::1]:3000", true},
		{"evil.example:17002", "", false}, // DNS rebinding
		{"127.0.0.1.evil.example", "", false},
		{"localhost.", "", false},
		{"127.0.0.1", "https://evil.example", false},
		{"127.0.0.1", "http://localhost.evil.example", false},
		{"127.0.0.1", "http://10.0.0.1", false},
		{"127.0.0.1", "null", false},
	} {
		status, got := c.post(body, func(r *http.Request) {
			r.Host = test.host
			if test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
		})
		if want := map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[test.allowed]; status != want {
			t.Errorf("host %q, origin %q: %d %s, want %d", test.host, test.origin, status, got, want)
		}
	}
}

func TestOtherMethods(t *testing.T) {
	c := start(t)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodOptions} {
		if status, got := c.post("", func(r *http.Request) { r.Method = method }); status != http.StatusMethodNotAllowed || !strings.Contains(got, "-32600") {
			t.Errorf("%s: %d %s", method, status, got)
		}
	}
}

func TestBugs(t *testing.T) {
	server := httptest.NewServer(control.New(broken{}, control.Options{}))
	defer server.Close()
	server.Config.ErrorLog = nil
	client := &control.Client{URL: server.URL, HTTP: server.Client()}
	if _, err := client.Call(t.Context(), "status", nil); !errors.Is(err, control.ErrInternal) {
		t.Errorf("panic: %v", err)
	}
	if err := client.Dump(t.Context(), io.Discard); err == nil {
		t.Error("half a dump passes for a whole one")
	}
}

func TestLargeDump(t *testing.T) {
	server := httptest.NewServer(control.New(large{}, control.Options{}))
	defer server.Close()
	client := &control.Client{URL: server.URL, HTTP: server.Client()}
	if _, err := client.Call(t.Context(), "dump", nil); !errors.Is(err, control.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

func TestClient(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(`{"ok":true}`)) }))
	defer other.Close()
	for _, url := range []string{"http://127.0.0.1:1", other.URL, ":", ""} {
		c := &control.Client{URL: url}
		if _, err := c.Call(t.Context(), "status", nil); !errors.Is(err, control.ErrNoServer) {
			t.Errorf("%q: %v", url, err)
		}
	}
	if err := (&control.Client{URL: "http://127.0.0.1:1"}).Dump(t.Context(), io.Discard); !errors.Is(err, control.ErrNoServer) {
		t.Errorf("dump: %v", err)
	}
	if _, err := (&control.Client{}).Call(t.Context(), "frob", nil); !errors.Is(err, control.ErrUnknownVerb) {
		t.Errorf("unknown verb: %v", err)
	}
	if _, err := control.Find("frob"); !errors.Is(err, control.ErrUnknownVerb) {
		t.Errorf("unknown verb: %v", err)
	}
}

// FuzzRequest sends anything. Whatever it is, the answer is JSON-RPC, and no
// verb finds a bug in this package.
func FuzzRequest(f *testing.F) {
	for _, v := range control.Verbs() {
		f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"` + v.Name + `"}`))
	}
	f.Add([]byte(`[{"jsonrpc":"2.0","id":1,"method":"faucet","params":["0:00000000000000000000000000000000000000000000000000000000000000aa","1.5"]},1]`))
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"runGet","params":{"address":"0:00000000000000000000000000000000000000000000000000000000000000aa","method":"x","arguments":[1,"0x5",null,"cell:te6cckEBAQEABgAACAAAACoFpvBE"]}}`))
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"setConfig","params":{"id":5,"value":"b5ee9c724101010100060000080000002a05a6f044"}}`))
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"setTime","params":{"to":"2040-01-01T00:00:00Z"}}`))
	chain, err := sandbox.Open(sandbox.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = chain.Close() })
	server := control.New(&unwilling{Network: chain}, control.Options{})
	f.Fuzz(func(t *testing.T, body []byte) {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/", bytes.NewReader(body))
		server.ServeHTTP(w, r)
		if got := w.Body.Bytes(); len(got) > 0 && (!json.Valid(got) || bytes.Contains(got, []byte("-32603"))) {
			t.Errorf("%s\n-> %s", body, got)
		}
	})
}
