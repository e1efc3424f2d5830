package toncenter_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/toncenter"
)

// reply is toncenter's envelope.
type reply struct {
	Status  int             `json:"-"`
	OK      bool            `json:"ok"`
	Result  json.RawMessage `json:"result"`
	Error   string          `json:"error"`
	Code    int             `json:"code"`
	Extra   string          `json:"@extra"`
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
}

type object = map[string]any

// caller calls a served chain.
type caller struct {
	t   testing.TB
	url string
}

func serve(t testing.TB, chain toncenter.Source) caller {
	t.Helper()
	server := httptest.NewServer(toncenter.New(chain, toncenter.Options{}))
	t.Cleanup(server.Close)
	return caller{t: t, url: server.URL}
}

// rpc, post and get are the three ways to call a method.
func (c caller) rpc(method string, p object) reply {
	c.t.Helper()
	return c.send(http.MethodPost, "/api/v2/jsonRPC", encode(c.t, object{"jsonrpc": "2.0", "id": "7", "method": method, "params": p}))
}

func (c caller) post(method string, p object) reply {
	c.t.Helper()
	return c.send(http.MethodPost, "/api/v2/"+method, encode(c.t, p))
}

func (c caller) get(method string, p object) reply {
	c.t.Helper()
	q := url.Values{}
	for k, v := range p {
		text, ok := v.(string)
		if !ok {
			text = strings.Trim(string(encode(c.t, v)), `"`)
		}
		q.Set(k, text)
	}
	return c.send(http.MethodGet, "/api/v2/"+method+"?"+q.Encode(), nil)
}

func (c caller) send(method, path string, body []byte) reply {
	c.t.Helper()
	r, err := http.NewRequest(method, c.url+path, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	out := reply{Status: resp.StatusCode}
	if err := json.Unmarshal(text, &out); err != nil {
		c.t.Fatalf("%s %s: answer %q: %v", method, path, text, err)
	}
	if want := out.Status == http.StatusOK; out.OK != want || !want && out.Code != out.Status {
		c.t.Errorf("%s %s: status %d does not fit the answer %s", method, path, out.Status, text)
	}
	return out
}

// into reads the result of a call that has to succeed.
func (r reply) into(t testing.TB, v any) {
	t.Helper()
	if !r.OK {
		t.Fatalf("error %d: %s", r.Code, r.Error)
	}
	if err := json.Unmarshal(r.Result, v); err != nil {
		t.Fatalf("result %s: %v", r.Result, err)
	}
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// code is instructions, as in sandbox's own giver.
func code(hex ...byte) *cell.Cell {
	return cell.BeginCell().MustStoreSlice(hex, uint(len(hex))*8).EndCell()
}

// contractAt is the address and the state init of a contract.
func contractAt(t testing.TB, code, data *cell.Cell) (*address.Address, *cell.Cell) {
	t.Helper()
	init, err := tontlb.ToCell(&tontlb.StateInit{Code: code, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	return address.NewAddress(0, 0, init.Hash()), init
}

// stored says whether the chains of tests are stored, with next to nothing of
// their states in memory.
var stored bool

func newChain(t testing.TB, accounts ...sandbox.GenesisAccount) *sandbox.Chain {
	t.Helper()
	o := sandbox.Options{Genesis: accounts}
	if stored {
		o.FS, o.CacheBytes = vfs.NewMem(), 1
	}
	chain, err := sandbox.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = chain.Close() })
	return chain
}

// TestStored runs tests once more, on stored chains.
func TestStored(t *testing.T) {
	stored = true
	defer func() { stored = false }()
	t.Run("client", TestGoClient)
	t.Run("shards", TestShardBlockProof)
	t.Run("methods", TestMethods)
	t.Run("at seqno", TestAtSeqno)
	t.Run("estimate", TestEstimateIsWhatItCosts)
	t.Run("get method", TestRunGetMethod)
	t.Run("cells", TestCellObjects)
	t.Run("tokens", TestTokenData)
	t.Run("libraries", TestLibraries)
}
