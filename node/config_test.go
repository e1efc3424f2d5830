package node

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pelletier/go-toml/v2"
)

// network makes a sample configuration complete.
const network = `
[network]
id = -217
registry = "0:0101010101010101010101010101010101010101010101010101010101010101"
liteservers = [{address = "127.0.0.1:17000", key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="}]
`

func TestParseConfigRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no role":            {network, "exactly one of the sections"},
		"two roles":          {network + "[client]\n[worker]\n", "found 2"},
		"unknown key":        {network + "[client]\nlisen = \"127.0.0.1:1\"\n", "unknown key client.lisen (line 7)"},
		"unknown section":    {network + "[client]\n[clint]\n", "unknown key clint"},
		"syntax":             {"[client\n", "line 1"},
		"amount":             {network + "[client]\ndeposit = \"much\"\n", "line 7, column 11: amount"},
		"negative amount":    {network + "[client]\ndeposit = \"-1 TON\"\n", "line 7, column 11: amount"},
		"duration":           {network + "[client]\nclose_delay = \"a day\"\n", "no duration"},
		"no network":         {"[client]\n", "network.liteservers: is empty"},
		"no registry":        {"[client]\n", "network.registry: is missing"},
		"registry":           {strings.Replace(network, "0:01", "0:xx", 1) + "[client]\n", "is no TON address"},
		"liteserver address": {strings.Replace(network, "127.0.0.1:17000", "localhost", 1) + "[client]\n", "is not IP:PORT"},
		"liteserver key":     {strings.Replace(network, "AQEB", "", 1) + "[client]\n", "no Ed25519 key"},
		"open without key":   {network + "[client]\nlisten = \"0.0.0.0:10000\"\n", "reachable from other machines"},
		"key":                {network + "[client]\napi_keys = [\"secret\"]\n", "api_keys[0] is no SHA-256"},
		"mDNS":               {network + "[p2p]\nmdns = true\n[client]\n", "allow_private"},
		"public admin":       {network + "[admin]\nlisten = \"0.0.0.0:1\"\n[client]\n", "loopback"},
		"close delay":        {network + "[client]\nclose_delay = \"1s\"\n", "between 1m and 72h"},
		"window":             {network + "[client]\ndeposit = \"0.001\"\n", "smaller than client.window"},
		"wallet version":     {network + "[wallet]\nversion = \"v3r2\"\n[client]\n", "neither v5r1 nor"},
		"no models":          {network + "[worker]\n", "worker.models: is empty"},
		"model twice": {network + "[worker]\n" + strings.Repeat("[[worker.models]]\nname = \"m\"\nmax_context = 1\nmax_tokens = 1\nslots = 1\n", 2),
			"offered twice"},
		"engine": {network + "[worker]\nengine = \"localhost:8000\"\n[[worker.models]]\nname = \"m\"\nmax_context = 1\nmax_tokens = 1\nslots = 1\n",
			"is no http(s) URL"},
		"no trusted block in production": {strings.Replace(network, "-217", "-239", 1) + "[client]\n", "network.trusted_block: is missing"},
		"trusted block":                  {strings.Replace(network, "id = -217", "id = -217\ntrusted_block = \"1:ab:cd\"", 1) + "[client]\n", "network.trusted_block"},
		"simulated in production": {strings.Replace(network, "-217", "-239", 1) + "[attestation]\nsimulated_ca = \"ca\"\n[client]\n",
			"refused on the production network -239"},
		"simulated on testnet": {strings.Replace(network, "-217", "-3", 1) + "[attestation]\nsimulated_ca = \"ca\"\n[client]\n",
			"refused on the production network -3"},
		"unknown TEE":       {network + "[attestation]\ntee = \"sgx\"\n[client]\n", "neither tdx nor sev-snp"},
		"two kinds":         {network + "[attestation]\ntee = \"tdx\"\nsimulated_ca = \"ca\"\n[client]\n", "remove one"},
		"PCCS":              {network + "[attestation]\npccs = \"pccs.local\"\n[client]\n", "no http or https URL"},
		"engine outside":    {network + "[attestation]\ntee = \"tdx\"\n[worker]\nengine = \"http://203.0.113.9:8000\"\n" + models(Worker), "prompts would leave it"},
		"another collector": {network + "[attestation]\ntee = \"tdx\"\ngpu_collector = [\"/bin/sh\", \"-c\"]\n[worker]\n" + models(Worker), "use nvattest"},
		"image without CA":  {network + "[attestation]\nimage = \"x\"\n[client]\n", "without attestation.simulated_ca"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseConfig([]byte(c.text))
			if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
		})
	}
}

func TestValidateListsEveryFault(t *testing.T) {
	_, err := ParseConfig([]byte("[client]\ndeposit = \"0\"\nproxies = 0\n"))
	for _, want := range []string{"network.registry", "network.liteservers", "client.deposit", "client.proxies"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}

// A sample must parse as it stands once the network is known.
func TestSamplesParse(t *testing.T) {
	for _, role := range []Role{Client, Proxy, Worker} {
		t.Run(string(role), func(t *testing.T) {
			sample := DefaultConfig(role)
			want, err := ParseConfig([]byte(network + "[" + string(role) + "]\n" + models(role)))
			if err != nil {
				t.Fatal(err)
			}
			sample.Network = want.Network
			text, err := toml.Marshal(sample)
			if err != nil {
				t.Fatal(err)
			}
			got, err := ParseConfig(text)
			if err != nil {
				t.Fatalf("%v in\n%s", err, text)
			}
			if role != Worker { // its one model is the sample's
				if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("an empty section and the sample differ (-want +got):\n%s", diff)
				}
			}
			if got.Role() != role {
				t.Errorf("role %s, want %s", got.Role(), role)
			}
		})
	}
}

func models(role Role) string {
	if role != Worker {
		return ""
	}
	return "[[worker.models]]\nname = \"m\"\nmax_context = 1\nmax_tokens = 1\nslots = 1\n"
}

func TestLoadConfigResolvesPaths(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "client.toml")
	if err := os.WriteFile(file, []byte("data_dir = \"d\"\n"+network+"[client]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "d"); c.DataDir != want {
		t.Errorf("data folder %s, want %s", c.DataDir, want)
	}
	if want := filepath.Join(dir, "wallet.key"); c.Wallet.Key != want {
		t.Errorf("wallet key %s, want %s", c.Wallet.Key, want)
	}
	if _, err := LoadConfig(filepath.Join(dir, "none.toml")); !errors.Is(err, os.ErrNotExist) || !errors.Is(err, ErrConfig) {
		t.Errorf("a missing file: %v", err)
	}
}

func FuzzParseConfig(f *testing.F) {
	for _, role := range []Role{Client, Proxy, Worker} {
		f.Add(network + "[" + string(role) + "]\n" + models(role))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := ParseConfig([]byte(text)); err != nil && !errors.Is(err, ErrConfig) {
			t.Errorf("an error without ErrConfig: %v", err)
		}
	})
}
