package liteserver

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/tussah-network/tussah/sandbox"
)

// stored says whether the chains of tests are stored, with next to nothing of
// their states in memory.
var stored bool

// OpenChain opens the chain of a test.
func OpenChain(t testing.TB, o sandbox.Options) *sandbox.Chain {
	t.Helper()
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

// OnStored runs tests once more, on stored chains.
func OnStored(t *testing.T, tests map[string]func(*testing.T)) {
	stored = true
	defer func() { stored = false }()
	for name, test := range tests {
		t.Run(name, test)
	}
}

// TestStoredProofs: lazy trees lead to proofs that are as good.
func TestStoredProofs(t *testing.T) {
	OnStored(t, map[string]func(*testing.T){
		"accounts": TestAccountProofs, "method": TestMethodProof, "transactions": TestTransactionProofs,
		"pages": TestBlockTransactionPages, "configuration": TestConfigProofs, "shards": TestShardBlockProofs,
		"results": TestMethodResults, "every method": TestEveryMethod,
	})
}
