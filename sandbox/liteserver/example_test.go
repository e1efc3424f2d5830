package liteserver_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"log"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/liteclient"
	"github.com/xssnick/tonutils-go/ton"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/liteserver"
	"github.com/tussah-network/tussah/tlb"
)

// A chain, a server in front of it, and a client that verifies every proof.
func ExampleServer() {
	chain, err := sandbox.Open(sandbox.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer chain.Close()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		log.Fatal(err)
	}
	server := liteserver.New(chain, key, liteserver.Options{})
	if err := server.Listen("127.0.0.1:0"); err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- server.Run(ctx) }()

	alice := address.NewAddress(0, 0, make([]byte, 32))
	if err := chain.Faucet(ctx, alice, 5*tlb.TON); err != nil {
		log.Fatal(err)
	}

	data, err := server.GlobalConfig() // what any TON client starts from
	if err != nil {
		log.Fatal(err)
	}
	var config liteclient.GlobalConfig
	if err := json.Unmarshal(data, &config); err != nil {
		log.Fatal(err)
	}
	pool := liteclient.NewConnectionPool()
	if err := pool.AddConnectionsFromConfig(ctx, &config); err != nil {
		log.Fatal(err)
	}
	api := ton.NewAPIClient(pool, ton.ProofCheckPolicySecure)
	api.SetTrustedBlockFromConfig(&config)
	master, err := api.GetMasterchainInfo(ctx)
	if err != nil {
		log.Fatal(err)
	}
	account, err := api.GetAccount(ctx, master, alice)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(account.State.Balance.String(), "TON")

	pool.Stop()
	cancel()
	fmt.Println(<-done)
	// Output:
	// 5 TON
	// <nil>
}
