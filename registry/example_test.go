package registry_test

import (
	"context"
	"fmt"

	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/registry"
	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// A view decides what may run. The chain is a sandbox here and a lite client in a
// node; the store is the node's database.
func ExampleIndex() {
	chain, at, err := exampleChain()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer chain.Close()
	index := registry.NewIndex(chain, newMemory(), at, registry.Options{})
	if err := index.Sync(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	view, err := index.View()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(view.Image(tlb.RoleProxy, proxyImage))
	fmt.Println(view.Model("tiny-chat"))
	fmt.Println(view.Model("huge-chat"))
	// Output:
	// <nil>
	// <nil>
	// the registry does not list this model: "huge-chat"
}

// exampleChain is a sandbox with a registry.
func exampleChain() (*sandbox.Chain, *address.Address, error) {
	chain, err := sandbox.Open(sandbox.Options{})
	if err != nil {
		return nil, nil, err
	}
	m, err := deployment()
	if err != nil {
		return nil, nil, err
	}
	_, err = chain.SendInternal(context.Background(), sandbox.Internal{From: alice, To: m.To, Amount: m.Amount, Body: m.Body, Init: m.Init})
	return chain, m.To, err
}
