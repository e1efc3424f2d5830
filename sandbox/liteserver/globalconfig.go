package liteserver

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
)

// ErrAddress is a server address that a global config cannot hold: it must be
// IPv4.
var ErrAddress = errors.New("global config needs an IPv4 address")

// The parts of TON's global config that lite clients read.
type (
	globalConfig struct {
		Type        string             `json:"@type"`
		DHT         dhtConfig          `json:"dht"`
		LiteServers []liteServerConfig `json:"liteservers"`
		Validator   validatorConfig    `json:"validator"`
	}
	// dhtConfig is empty but must be there: some clients insist on it.
	dhtConfig struct {
		Type        string   `json:"@type"`
		K           int      `json:"k"`
		A           int      `json:"a"`
		StaticNodes dhtNodes `json:"static_nodes"`
	}
	dhtNodes struct {
		Type  string `json:"@type"`
		Nodes []any  `json:"nodes"`
	}
	liteServerConfig struct {
		ID   publicKey `json:"id"`
		IP   int32     `json:"ip"`
		Port uint16    `json:"port"`
	}
	publicKey struct {
		Type string `json:"@type"`
		Key  []byte `json:"key"`
	}
	validatorConfig struct {
		Type      string        `json:"@type"`
		ZeroState configBlock   `json:"zero_state"`
		Init      configBlock   `json:"init_block"`
		HardForks []configBlock `json:"hardforks"`
	}
	configBlock struct {
		Workchain int32  `json:"workchain"`
		Shard     int64  `json:"shard"`
		Seqno     uint32 `json:"seqno"`
		RootHash  string `json:"root_hash"`
		FileHash  string `json:"file_hash"`
	}
)

// GlobalConfig is a TON global config, JSON, with which any lite client finds
// this server and trusts its chain. The block to trust is the first key block:
// clients verify everything later from there. Listen must have been called.
func (s *Server) GlobalConfig() ([]byte, error) {
	addr := s.Addr()
	if addr == nil {
		return nil, ErrNotListening
	}
	host, err := netip.ParseAddrPort(addr.String())
	if err != nil || !host.Addr().Unmap().Is4() {
		return nil, fmt.Errorf("%w: %s", ErrAddress, addr)
	}
	ip := host.Addr().Unmap()
	if ip.IsUnspecified() {
		ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	ip4 := ip.As4()

	zero, err := s.answers.zeroStateID()
	if err != nil {
		return nil, fmt.Errorf("zero state: %w", err)
	}
	trusted, err := s.answers.firstKeyBlock()
	if err != nil {
		return nil, fmt.Errorf("first key block: %w", err)
	}
	b64 := base64.StdEncoding.EncodeToString
	return json.MarshalIndent(globalConfig{
		Type: "config.global",
		DHT: dhtConfig{
			Type: "dht.config.global", K: 6, A: 3,
			StaticNodes: dhtNodes{Type: "dht.nodes", Nodes: []any{}},
		},
		LiteServers: []liteServerConfig{{
			ID: publicKey{Type: "pub.ed25519", Key: s.Key()},
			// The format's integer is signed.
			IP: int32(binary.BigEndian.Uint32(ip4[:])), Port: host.Port(),
		}},
		Validator: validatorConfig{
			Type: "validator.config.global",
			ZeroState: configBlock{
				Workchain: masterchain, Shard: masterShard, RootHash: b64(zero.RootHash), FileHash: b64(zero.FileHash),
			},
			Init: configBlock{
				Workchain: masterchain, Shard: masterShard, Seqno: trusted.SeqNo,
				RootHash: b64(trusted.RootHash), FileHash: b64(trusted.FileHash),
			},
			HardForks: []configBlock{},
		},
	}, "", "  ")
}

// firstKeyBlock is the first masterchain block if it is a key block, as in a
// sandbox it is, or else the first key block the latest state lists.
func (a *answerer) firstKeyBlock() (BlockID, error) {
	first, err := a.masterBySeqno(1)
	if err != nil {
		return BlockID{}, err
	}
	if first.header.KeyBlock {
		return first.id, nil
	}
	head := a.src.MasterHead()
	last, err := a.block(&head)
	if err != nil {
		return BlockID{}, err
	}
	key, err := a.nextKeyBlock(first, last)
	if err != nil {
		return BlockID{}, err
	}
	return key.id, nil
}
