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
	if got, want := hex.EncodeToString(channel[:]), "42bc33e2f6ae4ad9f3508c719e65759fbded7f2be7ec2bfc437a221e35bda192"; got != want {
		t.Errorf("channel code hash is %s, want %s", got, want)
	}
	if got, want := hex.EncodeToString(registry[:]), "ed036850ad2e84ab36b7b0f673966a8be382ea125efde68702ac5b5e7e3e7b08"; got != want {
		t.Errorf("registry code hash is %s, want %s", got, want)
	}
}
