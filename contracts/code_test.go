package contracts_test

import (
	"encoding/hex"
	"testing"

	"github.com/tussah-network/tussah/contracts"
)

// The hashes are what users rely on: a registry pins the channel's, explorers show them. A change here
// is a new contract.
func TestCodeHashes(t *testing.T) {
	channel, registry := contracts.ChannelCode().HashKey(), contracts.RegistryCode().HashKey()
	if got, want := hex.EncodeToString(channel[:]), "5de39dde4a15be79021b2b7022a3756a0b2ce9e58e66be7fd378997f903bed38"; got != want {
		t.Errorf("channel code hash is %s, want %s", got, want)
	}
	if got, want := hex.EncodeToString(registry[:]), "d1481cd4bf0e5e56365d625d42753c7da2ced852ff7df0a08fdd5695ae581446"; got != want {
		t.Errorf("registry code hash is %s, want %s", got, want)
	}
}
