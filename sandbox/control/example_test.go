package control_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/control"
)

// A chain, its control, and a client that gives somebody coins.
func Example() {
	chain, err := sandbox.Open(sandbox.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer chain.Close()
	server := httptest.NewServer(control.New(chain, control.Options{}))
	defer server.Close()

	client := &control.Client{URL: server.URL}
	result, err := client.Call(context.Background(), "faucet", map[string]any{
		"address": "EQCD39VS5jcptHL8vMjEXrzGaRcCVYto7HUn4bpAOg8xqB2N", "amount": "1.5 TON",
	})
	if err != nil {
		log.Fatal(err)
	}
	account := result.(control.Changed).Account
	fmt.Println(account.Status, account.Balance)
	// Output: uninit 1.5 TON
}
