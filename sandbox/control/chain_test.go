package control_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/control"
)

var (
	alice = control.Address{Address: address.MustParseRawAddr("0:00000000000000000000000000000000000000000000000000000000000000aa")}
	echo  = control.Address{Address: address.MustParseRawAddr("0:00000000000000000000000000000000000000000000000000000000000000ec")}
)

// echoCode accepts every message, and its get methods return their arguments:
//
//	SETCP0 IFNOTRET ACCEPT
var echoCode = control.Cell{Cell: cell.BeginCell().MustStoreSlice([]byte{0xff, 0x00, 0xdd, 0xf8, 0x00}, 40).EndCell()}

// deafCode accepts nothing from outside.
var deafCode = control.Cell{Cell: cell.BeginCell().MustStoreSlice([]byte{0xff, 0x00}, 16).EndCell()}

// message is an external message; number makes it differ from others.
func message(t *testing.T, to control.Address, number uint64) control.Cell {
	t.Helper()
	c, err := tontlb.ToCell(&tontlb.ExternalMessageIn{
		SrcAddr: address.NewAddressNone(), DstAddr: to.Address, Body: cell.BeginCell().MustStoreUInt(number, 64).EndCell(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return control.Cell{Cell: c}
}

// caller speaks with the server of a chain of its own.
type caller struct {
	*testing.T
	chain  *sandbox.Chain
	client *control.Client
}

// start starts them. The clock stands still, so that no storage is to be paid.
func start(t *testing.T) caller {
	t.Helper()
	now := time.Now()
	chain, err := sandbox.Open(sandbox.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = chain.Close() })
	server := httptest.NewServer(control.New(chain, control.Options{}))
	t.Cleanup(server.Close)
	return caller{t, chain, &control.Client{URL: server.URL, HTTP: server.Client()}}
}

// call asks for a verb, which has to succeed.
func call[R control.Result](c caller, verb string, params any) R {
	c.Helper()
	result, err := c.client.Call(c.Context(), verb, params)
	if err != nil {
		c.Fatalf("%s: %v", verb, err)
	}
	if result.String() == "" {
		c.Errorf("%s: its result has no words", verb)
	}
	typed, ok := result.(R)
	if !ok {
		c.Fatalf("%s: result is a %T", verb, result)
	}
	return typed
}

// refused asks for a verb, which has to fail.
func (c caller) refused(verb string, params any) error {
	c.Helper()
	result, err := c.client.Call(c.Context(), verb, params)
	if err == nil {
		c.Fatalf("%s: got %v, want an error", verb, result)
	}
	return err
}

type params = map[string]any
