package toncenter_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/toncenter"
	"github.com/tussah-network/tussah/tlb"
)

// A chain served on a port of this machine, and a question. TonClient and
// Blueprint would be told the same address: http://127.0.0.1:PORT/api/v2/jsonRPC.
func Example() {
	ctx := context.Background()
	chain, err := sandbox.Open(sandbox.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer chain.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	server := &http.Server{
		Handler:           toncenter.New(chain, toncenter.Options{}),
		ReadHeaderTimeout: 5 * time.Second,
		MaxHeaderBytes:    64 << 10,
	}
	go server.Serve(listener)
	defer server.Close()

	if err := chain.Faucet(ctx, tokens[0], 5*tlb.TON); err != nil {
		fmt.Println(err)
		return
	}
	resp, err := http.Get("http://" + listener.Addr().String() + "/api/v2/getAddressBalance?address=" + tokens[0].String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	var answer struct {
		OK     bool
		Result string
	}
	err = json.NewDecoder(resp.Body).Decode(&answer)
	fmt.Println(answer.OK, answer.Result, err)
	// Output: true 5000000000 <nil>
}
