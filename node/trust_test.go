package node

import (
	"encoding/json"
	"testing"

	"github.com/tussah-network/tussah/node/lite"
)

// A confidential VM's host could put any block into the database.
func TestTrustInAConfidentialVM(t *testing.T) {
	store, err := OpenStore(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	stored, err := json.Marshal(lite.KeyBlock{Seqno: 9})
	if err != nil {
		t.Fatal(err)
	}
	err = store.Table(tableMeta).Commit(func(set func(key, value []byte), _ func([]byte)) { set([]byte("trusted key block"), stored) })
	if err != nil {
		t.Fatal(err)
	}
	for tee, want := range map[string]uint32{"": 9, "tdx": 5, "sev-snp": 5} {
		n := &Node{store: store, cfg: Config{Attestation: AttestationConfig{TEE: tee}}}
		o := lite.Options{Trusted: lite.KeyBlock{Seqno: 5}}
		if err := n.trust(&o); err != nil || o.Trusted.Seqno != want {
			t.Errorf("TEE %q: from block %d, %v; want %d", tee, o.Trusted.Seqno, err, want)
		}
	}
}
