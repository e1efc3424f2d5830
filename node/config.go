package node

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/node/lite"
	"github.com/tussah-network/tussah/tlb"
)

// Config is one role's configuration file, in TOML. Exactly one of Client,
// Proxy and Worker is set: it decides what the node is.
//
// Relative paths are taken from the directory of the file.
type Config struct {
	DataDir     string            `toml:"data_dir" comment:"keys, database: one folder per node, never shared"`
	Network     NetworkConfig     `toml:"network"`
	Wallet      WalletConfig      `toml:"wallet"`
	P2P         P2PConfig         `toml:"p2p"`
	Attestation AttestationConfig `toml:"attestation"`
	Admin       AdminConfig       `toml:"admin"`
	Client      *ClientConfig     `toml:"client,omitempty"`
	Proxy       *ProxyConfig      `toml:"proxy,omitempty"`
	Worker      *WorkerConfig     `toml:"worker,omitempty"`
}

// NetworkConfig names the TON network and the registry on it.
type NetworkConfig struct {
	ID          int32              `toml:"id" comment:"TON global id: -239 main, -3 test, anything else is a sandbox"`
	Registry    string             `toml:"registry" comment:"address of the registry contract"`
	Liteservers []LiteserverConfig `toml:"liteservers"`
	// TrustedBlock is where the proof of everything begins.
	TrustedBlock string `toml:"trusted_block" comment:"key block as seqno:root:file, hashes in hex; required on networks -239 and -3, elsewhere the first one seen is trusted"`
}

// LiteserverConfig is one liteserver: a TCP address and its Ed25519 key in base64.
type LiteserverConfig struct {
	Address string `toml:"address"`
	Key     string `toml:"key"`
}

// WalletConfig is the wallet that opens channels and pays fees.
type WalletConfig struct {
	Key     string `toml:"key" comment:"key file; made by: tussah wallet new"`
	Version string `toml:"version" comment:"v5r1 or highload-v3"`
}

// P2PConfig is the libp2p side.
type P2PConfig struct {
	Listen       []string `toml:"listen" comment:"multiaddrs to listen on"`
	AllowPrivate bool     `toml:"allow_private" comment:"dial loopback and private addresses: sandbox and local networks only"`
	MDNS         bool     `toml:"mdns" comment:"also find peers on the local network"`
}

// AttestationConfig says where evidence comes from and whose is believed.
type AttestationConfig struct {
	TEE        string `toml:"tee" comment:"evidence of this machine: tdx, sev-snp, or empty for none"`
	Policy     string `toml:"policy" comment:"file with what is accepted of others, see tussah attest policy example; empty: the registry decides, on platforms that are up to date"`
	PCCS       string `toml:"pccs" comment:"URL of a cache of Intel's collateral; empty: the manufacturers' own services"`
	Bundle     string `toml:"bundle" comment:"file with collateral to begin with, made by: tussah attest collateral export"`
	Offline    bool   `toml:"offline" comment:"fetch no collateral: only what a bundle brings is known"`
	Compatible bool   `toml:"compatible" comment:"also accept peers that pass gate A alone, as the Cocoon network's: their evidence may be relayed"`
	// The program that collects evidence of this machine's GPUs, and the list that others' are held against.
	GPUCollector   []string `toml:"gpu_collector" comment:"program and arguments that collect evidence of this machine's GPUs, the nonce comes last; such as nvattest collect-evidence --device gpu --nonce"`
	GPURevocations string   `toml:"gpu_revocations" comment:"file with revoked GPU certificates: {\"date\": ..., \"ids\": [SHA-256, ...]}; without one no GPU evidence is accepted"`

	SimulatedCA string `toml:"simulated_ca" comment:"folder of a simulated quoting enclave's CA; refused on production networks"`
	Image       string `toml:"image" comment:"label of the simulated image this node runs as; empty presents no evidence"`
}

// AdminConfig is the loopback listener for metrics, status and control.
type AdminConfig struct {
	Listen string `toml:"listen"`
}

// ClientConfig is the OpenAI-compatible endpoint and what it may spend.
type ClientConfig struct {
	Listen     string   `toml:"listen"`
	APIKeys    []string `toml:"api_keys" comment:"SHA-256 of each key, in hex; optional on loopback, required elsewhere"`
	Deposit    tlb.Nano `toml:"deposit" comment:"locked in the channel to a proxy"`
	Window     tlb.Nano `toml:"window" comment:"authorised ahead of delivery, beside the prompt; the most at risk per running request"`
	CloseDelay Duration `toml:"close_delay" comment:"a payee may claim for this long after a close is requested"`
	MaxTokens  uint32   `toml:"max_tokens" comment:"completion limit for requests that name none"`
	Proxies    int      `toml:"proxies" comment:"how many proxies to keep a channel with"`
}

// keys are the hashes of the accepted API keys.
func (c ClientConfig) keys() ([][32]byte, error) {
	var all [][32]byte
	for i, k := range c.APIKeys {
		raw, err := hex.DecodeString(k)
		if err != nil || len(raw) != 32 {
			return nil, fmt.Errorf("api_keys[%d] is no SHA-256 in hex; write the output of: printf %%s KEY | sha256sum", i)
		}
		all = append(all, [32]byte(raw))
	}
	return all, nil
}

// ProxyConfig is a proxy's terms towards clients and its capital towards workers.
type ProxyConfig struct {
	Payout     string   `toml:"payout" comment:"address that receives what clients pay; empty = the wallet"`
	MarginBPS  uint64   `toml:"margin_bps" comment:"added to the workers' price, in 1/10000"`
	MinDeposit tlb.Nano `toml:"min_deposit" comment:"smallest channel accepted from a client"`
	Window     tlb.Nano `toml:"window"`
	CloseDelay Duration `toml:"close_delay"`
	Deposit    tlb.Nano `toml:"deposit" comment:"locked in the channel to each worker"`
	MaxWorkers int      `toml:"max_workers" comment:"how many workers may have a channel, and so a deposit of ours"`
	Grace      Duration `toml:"grace" comment:"how long a stream waits for the next voucher"`
}

// WorkerConfig is an engine and its offers.
type WorkerConfig struct {
	Payout     string        `toml:"payout" comment:"address that receives what proxies pay; empty = the wallet"`
	Engine     string        `toml:"engine" comment:"base URL of an OpenAI-compatible engine, or demo"`
	MinDeposit tlb.Nano      `toml:"min_deposit"`
	Window     tlb.Nano      `toml:"window"`
	CloseDelay Duration      `toml:"close_delay"`
	Grace      Duration      `toml:"grace"`
	Models     []ModelConfig `toml:"models"`
}

// ModelConfig is one model a worker offers. Prices are per 1,000,000 tokens.
type ModelConfig struct {
	Name        string   `toml:"name" comment:"as registered"`
	EngineModel string   `toml:"engine_model,omitempty" comment:"as the engine calls it; empty = name"`
	Prompt      tlb.Nano `toml:"prompt"`
	Cached      tlb.Nano `toml:"cached"`
	Completion  tlb.Nano `toml:"completion"`
	Reasoning   tlb.Nano `toml:"reasoning"`
	MaxContext  uint32   `toml:"max_context"`
	MaxTokens   uint32   `toml:"max_tokens"`
	Slots       uint32   `toml:"slots"`
}

// Price is the model's price per class.
func (m ModelConfig) Price() tlb.Price {
	return tlb.Price{Prompt: m.Prompt, Cached: m.Cached, Completion: m.Completion, Reasoning: m.Reasoning}
}

// Duration is a time.Duration written as text ("24h").
type Duration time.Duration

// UnmarshalText parses Go's duration syntax.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no duration (write 30s, 10m, 24h)", text)
	}
	*d = Duration(v)
	return nil
}

// MarshalText is the inverse of UnmarshalText.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// Role of a node.
type Role string

// The three roles.
const (
	Client Role = "client"
	Proxy  Role = "proxy"
	Worker Role = "worker"
)

// Production networks: nothing simulated is believed there.
const (
	MainNetwork int32 = -239
	TestNetwork int32 = -3
)

// ErrConfig marks every fault of a configuration file.
var ErrConfig = errors.New("configuration")

// LoadConfig reads a file strictly: an unknown key is an error that names it,
// and every fault found by Validate is reported at once.
func LoadConfig(name string) (Config, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	c, err := ParseConfig(text)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", name, err)
	}
	return c.resolve(filepath.Dir(name)), nil
}

// maxConfigSize bounds a configuration file.
const maxConfigSize = 1 << 20

// ParseConfig decodes text over the role's defaults and validates it.
func ParseConfig(text []byte) (Config, error) {
	if len(text) > maxConfigSize {
		return Config{}, fmt.Errorf("%w: larger than %d bytes", ErrConfig, maxConfigSize)
	}
	// A first, lenient pass finds the role, whose defaults the strict pass then overwrites.
	var sections map[string]any
	if err := toml.Unmarshal(text, &sections); err != nil {
		return Config{}, describe(err)
	}
	var roles []Role
	for _, r := range []Role{Client, Proxy, Worker} {
		if _, ok := sections[string(r)]; ok {
			roles = append(roles, r)
		}
	}
	if len(roles) != 1 {
		return Config{}, fmt.Errorf("%w: want exactly one of the sections [client], [proxy], [worker], found %d", ErrConfig, len(roles))
	}
	c := DefaultConfig(roles[0])
	if c.Worker != nil {
		c.Worker.Models = nil // a list in the file replaces the sample's, it does not extend it
	}
	decoder := toml.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return Config{}, describe(err)
	}
	if err := c.Validate(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// describe turns the decoder's errors into one line that names key and place.
func describe(err error) error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) {
		var keys []string
		for _, e := range unknown.Errors {
			row, _ := e.Position()
			keys = append(keys, fmt.Sprintf("%s (line %d)", strings.Join(e.Key(), "."), row))
		}
		return fmt.Errorf("%w: unknown key %s", ErrConfig, strings.Join(keys, ", "))
	}
	var syntax *toml.DecodeError
	if errors.As(err, &syntax) {
		row, column := syntax.Position()
		return fmt.Errorf("%w: line %d, column %d: %s", ErrConfig, row, column, strings.TrimPrefix(syntax.Error(), "toml: "))
	}
	return fmt.Errorf("%w: %w", ErrConfig, err)
}

// DefaultConfig is a working configuration of a role but for the network,
// which only the operator knows. The sample files are made from it.
func DefaultConfig(role Role) Config {
	c := Config{
		DataDir: "data",
		Network: NetworkConfig{ID: MainNetwork},
		Wallet:  WalletConfig{Key: "wallet.key", Version: "v5r1"},
		P2P:     P2PConfig{Listen: []string{"/ip4/0.0.0.0/tcp/0"}},
	}
	const window = tlb.Nano(2_000_000)
	switch role {
	case Client:
		c.Admin.Listen = "127.0.0.1:10001"
		c.Client = &ClientConfig{Listen: "127.0.0.1:10000", Deposit: 1_000_000_000, Window: window,
			CloseDelay: Duration(24 * time.Hour), MaxTokens: 1024, Proxies: 1}
	case Proxy:
		c.P2P.Listen = []string{"/ip4/0.0.0.0/tcp/11000"}
		c.Admin.Listen = "127.0.0.1:11001"
		c.Proxy = &ProxyConfig{MarginBPS: 500, MinDeposit: 100_000_000, Window: window,
			CloseDelay: Duration(24 * time.Hour), Deposit: 5_000_000_000, MaxWorkers: 16, Grace: Duration(2 * time.Second)}
	case Worker:
		c.Admin.Listen = "127.0.0.1:12001"
		c.Worker = &WorkerConfig{Engine: "http://127.0.0.1:8000", MinDeposit: 100_000_000, Window: window,
			CloseDelay: Duration(24 * time.Hour), Grace: Duration(2 * time.Second),
			Models: []ModelConfig{{Name: "model-name", Prompt: 20_000_000, Cached: 2_000_000, Completion: 160_000_000,
				Reasoning: 160_000_000, MaxContext: 32768, MaxTokens: 4096, Slots: 16}}}
	}
	return c
}

// Role tells which section is set.
func (c Config) Role() Role {
	switch {
	case c.Client != nil:
		return Client
	case c.Proxy != nil:
		return Proxy
	default:
		return Worker
	}
}

// resolve makes relative paths absolute from the file's folder.
func (c Config) resolve(base string) Config {
	for _, p := range []*string{&c.DataDir, &c.Wallet.Key, &c.Attestation.SimulatedCA, &c.Attestation.Policy, &c.Attestation.Bundle, &c.Attestation.GPURevocations} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(base, *p)
		}
	}
	return c
}

// Validate lists every fault at once, each naming its key.
func (c Config) Validate() error {
	var faults []error
	fault := func(key, format string, args ...any) {
		faults = append(faults, fmt.Errorf("%w: %s: %s", ErrConfig, key, fmt.Sprintf(format, args...)))
	}
	positive := func(key string, n tlb.Nano) {
		if n == 0 {
			fault(key, "must be more than 0 TON")
		}
	}
	optionalAddress := func(key, text string) {
		if text == "" {
			return
		}
		if _, err := ParseAddress(text); err != nil {
			fault(key, "%v", err)
		}
	}
	delay := func(key string, d Duration) {
		if time.Duration(d) < time.Minute || time.Duration(d) > 72*time.Hour {
			fault(key, "must be between 1m and 72h")
		}
	}

	if c.DataDir == "" {
		fault("data_dir", "is missing; name a folder for keys and database")
	}
	if c.Network.ID == 0 {
		fault("network.id", "is missing (-239 main, -3 test; a sandbox prints its own)")
	}
	if c.Network.Registry == "" {
		fault("network.registry", "is missing; name the registry contract's address")
	}
	optionalAddress("network.registry", c.Network.Registry)
	if len(c.Network.Liteservers) == 0 {
		fault("network.liteservers", "is empty; name at least one liteserver")
	}
	production := c.Network.ID == MainNetwork || c.Network.ID == TestNetwork
	switch _, err := lite.ParseKeyBlock(c.Network.TrustedBlock); {
	case c.Network.TrustedBlock == "" && production:
		fault("network.trusted_block", "is missing: on network %d a liteserver's word is not enough; take a recent key block from a source you trust", c.Network.ID)
	case c.Network.TrustedBlock != "" && err != nil:
		fault("network.trusted_block", "%v", err)
	}
	for i, s := range c.Network.Liteservers {
		if _, err := netip.ParseAddrPort(s.Address); err != nil {
			fault(fmt.Sprintf("network.liteservers[%d].address", i), "%q is not IP:PORT", s.Address)
		}
		if _, err := s.key(); err != nil {
			fault(fmt.Sprintf("network.liteservers[%d].key", i), "%v", err)
		}
	}
	if c.Wallet.Key == "" {
		fault("wallet.key", "is missing; make one with: tussah wallet new")
	}
	if c.Wallet.Version != "v5r1" && c.Wallet.Version != "highload-v3" {
		fault("wallet.version", "%q is neither v5r1 nor highload-v3", c.Wallet.Version)
	}
	if c.Attestation.SimulatedCA != "" && production {
		fault("attestation.simulated_ca", "is refused on the production network %d: evidence must come from a real TEE", c.Network.ID)
	}
	switch c.Attestation.TEE {
	case "", "tdx", "sev-snp":
	default:
		fault("attestation.tee", "%q is neither tdx nor sev-snp", c.Attestation.TEE)
	}
	if c.Attestation.TEE != "" && c.Attestation.SimulatedCA != "" {
		fault("attestation.tee", "shows evidence of a real machine, which nobody believes beside attestation.simulated_ca; remove one")
	}
	// The host of a confidential VM writes this file: it must not lead prompts out
	// of the VM, or programs into it.
	if c.Attestation.TEE != "" && c.Worker != nil && !insideVM(c.Worker.Engine) {
		fault("worker.engine", "%q is not in this VM, and prompts would leave it; use a loopback address", c.Worker.Engine)
	}
	if g := c.Attestation.GPUCollector; c.Attestation.TEE != "" && len(g) > 0 && g[0] != "nvattest" {
		fault("attestation.gpu_collector", "%q is not the collector of the image; use nvattest", g[0])
	}
	if c.Attestation.PCCS != "" {
		if u, err := url.Parse(c.Attestation.PCCS); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			fault("attestation.pccs", "%q is no http or https URL", c.Attestation.PCCS)
		}
	}
	if c.Attestation.Image != "" && c.Attestation.SimulatedCA == "" {
		fault("attestation.image", "names a simulated image without attestation.simulated_ca")
	}
	if c.P2P.MDNS && !c.P2P.AllowPrivate {
		fault("p2p.mdns", "finds peers at private addresses only; set p2p.allow_private too")
	}
	if c.Admin.Listen != "" {
		if a, err := netip.ParseAddrPort(c.Admin.Listen); err != nil || !a.Addr().IsLoopback() {
			fault("admin.listen", "%q must be a loopback IP:PORT", c.Admin.Listen)
		}
	}

	switch {
	case c.Client != nil:
		positive("client.deposit", c.Client.Deposit)
		positive("client.window", c.Client.Window)
		delay("client.close_delay", c.Client.CloseDelay)
		if c.Client.Proxies < 1 || c.Client.Proxies > 16 {
			fault("client.proxies", "must be 1 to 16")
		}
		if c.Client.MaxTokens == 0 {
			fault("client.max_tokens", "must be at least 1")
		}
		if c.Client.Deposit < c.Client.Window {
			fault("client.deposit", "is smaller than client.window")
		}
		if _, err := c.Client.keys(); err != nil {
			fault("client", "%v", err)
		}
		if a, err := netip.ParseAddrPort(c.Client.Listen); err != nil {
			fault("client.listen", "%q is not IP:PORT", c.Client.Listen)
		} else if !a.Addr().IsLoopback() && len(c.Client.APIKeys) == 0 {
			fault("client.api_keys", "is empty, but client.listen %s is reachable from other machines; add a key or listen on 127.0.0.1", c.Client.Listen)
		}
	case c.Proxy != nil:
		optionalAddress("proxy.payout", c.Proxy.Payout)
		positive("proxy.window", c.Proxy.Window)
		positive("proxy.deposit", c.Proxy.Deposit)
		delay("proxy.close_delay", c.Proxy.CloseDelay)
		if c.Proxy.MaxWorkers < 1 {
			fault("proxy.max_workers", "must be at least 1")
		}
		if c.Proxy.MarginBPS > 100_000 {
			fault("proxy.margin_bps", "is over 1000 %%")
		}
		if c.Proxy.Grace <= 0 {
			fault("proxy.grace", "must be positive")
		}
	case c.Worker != nil:
		optionalAddress("worker.payout", c.Worker.Payout)
		positive("worker.window", c.Worker.Window)
		delay("worker.close_delay", c.Worker.CloseDelay)
		if c.Worker.Grace <= 0 {
			fault("worker.grace", "must be positive")
		}
		if _, err := EngineURL(c.Worker.Engine); err != nil && c.Worker.Engine != DemoEngine {
			fault("worker.engine", "%v; or write %q", err, DemoEngine)
		}
		if len(c.Worker.Models) == 0 {
			fault("worker.models", "is empty; offer at least one [[worker.models]]")
		}
		names := map[string]bool{}
		for i, m := range c.Worker.Models {
			key := fmt.Sprintf("worker.models[%d]", i)
			switch {
			case m.Name == "":
				fault(key+".name", "is missing")
			case names[m.Name]:
				fault(key+".name", "%q is offered twice", m.Name)
			}
			names[m.Name] = true
			if m.MaxTokens == 0 || m.MaxContext == 0 || m.Slots == 0 {
				fault(key, "max_tokens, max_context and slots must be at least 1")
			}
		}
	}
	return errors.Join(faults...)
}

// DemoEngine as worker.engine selects the built-in demo engine.
const DemoEngine = "demo"

// EngineURL parses the base URL of an engine.
func EngineURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is no http(s) URL; write http://127.0.0.1:8000", text)
	}
	return u, nil
}

// ParseAddress accepts a TON address in its raw or its user-friendly form.
func ParseAddress(text string) (*address.Address, error) {
	parse := address.ParseAddr
	if strings.Contains(text, ":") {
		parse = address.ParseRawAddr
	}
	a, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%q is no TON address: %w", text, err)
	}
	return a, nil
}

// insideVM tells whether an engine is on this machine.
func insideVM(engine string) bool {
	if engine == DemoEngine {
		return true
	}
	u, err := url.Parse(engine)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(u.Hostname())
	return err == nil && a.IsLoopback()
}
