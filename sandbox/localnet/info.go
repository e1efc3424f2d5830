package localnet

import (
	"encoding/json"
	"fmt"
	"os"
)

// Files in the folder of a network.
const (
	// InfoFile is there while the network runs: an [Info].
	InfoFile = "sandbox.json"
	// GlobalConfigFile is TON's global config, for any lite client.
	GlobalConfigFile = "global-config.json"
)

// Where a network listens unless told otherwise.
const (
	DefaultLiteserver = "127.0.0.1:17000"
	DefaultHTTP       = "127.0.0.1:17001"
	DefaultControl    = "127.0.0.1:17002"
)

// Info is how to connect to a running network.
type Info struct {
	GlobalID      int32  `json:"global_id"`
	Liteserver    string `json:"liteserver"`     // host:port
	LiteserverKey []byte `json:"liteserver_key"` // Ed25519 public key
	HTTP          string `json:"http"`           // URL of the toncenter-compatible API
	Control       string `json:"control"`        // URL of the JSON-RPC control
}

// LoadInfo reads a file that a running network left.
func LoadInfo(file string) (Info, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return Info{}, err
	}
	var i Info
	if err := json.Unmarshal(data, &i); err != nil {
		return Info{}, fmt.Errorf("%s: %w", file, err)
	}
	return i, nil
}

func (i Info) save(file string) error {
	data, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o644)
}
