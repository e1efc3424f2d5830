package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// ErrNoServer says that nothing answers at the URL, or something else than a
// [Server].
var ErrNoServer = errors.New("no sandbox answers")

// Client speaks with a [Server].
type Client struct {
	// URL of the server, such as "http://127.0.0.1:17002".
	URL string
	// HTTP does the requests. Default: http.DefaultClient.
	HTTP *http.Client
}

// Call asks for a verb. params is the verb's struct or a map with the same
// keys; the result is of the verb's own type. Errors that a server names match
// the error they stand for, and are of type [*Error].
func (c *Client) Call(ctx context.Context, name string, params any) (Result, error) {
	v, err := Find(name)
	if err != nil {
		return nil, err
	}
	data, err := c.Raw(ctx, name, params)
	if err != nil {
		return nil, err
	}
	result, err := v.result(data)
	if err != nil {
		return nil, fmt.Errorf("%w at %s: answer to %s: %w", ErrNoServer, c.URL, name, err)
	}
	return result, nil
}

// Raw is [Client.Call] that returns the result's JSON.
func (c *Client) Raw(ctx context.Context, name string, params any) (json.RawMessage, error) {
	given, err := json.Marshal(params)
	if err != nil {
		return nil, fmt.Errorf("parameters of %s: %w", name, err)
	}
	if string(given) == "null" {
		given = nil // none, which the protocol says by leaving them out
	}
	body, err := json.Marshal(call{Version: "2.0", ID: json.RawMessage("1"), Method: name, Params: given})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoServer, err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var r struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Result  json.RawMessage `json:"result"`
		Error   json.RawMessage `json:"error"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&r); err != nil || r.Version != "2.0" {
		return nil, fmt.Errorf("%w at %s: another program does (HTTP status %d)", ErrNoServer, c.URL, resp.StatusCode)
	}
	if r.Error != nil {
		return nil, unmarshalError(r.Error)
	}
	return r.Result, nil
}

// Dump streams the world's state.
func (c *Client) Dump(ctx context.Context, into io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+dumpPath, nil)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoServer, err)
	}
	resp, err := c.do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%w at %s: HTTP status %d", ErrNoServer, c.URL, resp.StatusCode)
	}
	if _, err = io.Copy(into, resp.Body); err != nil {
		return fmt.Errorf("dump: %w", err)
	}
	return nil
}

func (c *Client) do(req *http.Request) (*http.Response, error) {
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		if cause := req.Context().Err(); cause != nil {
			return nil, cause
		}
		return nil, fmt.Errorf("%w at %s: %w", ErrNoServer, c.URL, err)
	}
	return resp, nil
}
