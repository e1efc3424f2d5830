package toncenter

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

type configInfo struct {
	Type   string  `json:"@type"`
	Config tvmCell `json:"config"`
}

func configParam(_ context.Context, chain Source, p *params) (any, error) {
	// The same parameter has an old name and a new one.
	id, ok := p.number("config_id", 0, 1<<31-1)
	if other, also := p.number("param", 0, 1<<31-1); also {
		if ok && other != id {
			return nil, badRequest("only one of config_id or param should be specified")
		}
		id, ok = other, true
	}
	if !ok {
		p.fail("config_id", "field required")
	}
	seqno := p.seqno("seqno")
	if p.err != nil {
		return nil, p.err
	}
	m, err := at(chain, seqno)
	if err != nil {
		return nil, err
	}
	value, err := m.config.AsDict(32).LoadValueByIntKey(big.NewInt(id))
	if errors.Is(err, cell.ErrNoSuchKeyInDict) {
		return nil, fmt.Errorf("%w: %d", ErrNoParam, id)
	}
	if err != nil {
		return nil, fmt.Errorf("config param %d: %w", id, err)
	}
	c, err := value.LoadRefCell()
	if err != nil {
		return nil, fmt.Errorf("config param %d: %w", id, err)
	}
	return configInfo{Type: "configInfo", Config: viewCell(c)}, nil
}

func configAll(_ context.Context, chain Source, p *params) (any, error) {
	seqno := p.seqno("seqno")
	if p.err != nil {
		return nil, p.err
	}
	m, err := at(chain, seqno)
	if err != nil {
		return nil, err
	}
	return configInfo{Type: "configInfo", Config: viewCell(m.config)}, nil
}

type libraryResult struct {
	Type   string         `json:"@type"`
	Result []libraryEntry `json:"result"`
}

type libraryEntry struct {
	Type string `json:"@type"`
	Hash hash   `json:"hash"`
	Data boc    `json:"data"`
}

func libraries(_ context.Context, chain Source, p *params) (any, error) {
	wanted, err := p.hashes("libraries")
	if err != nil {
		return nil, err
	}
	m, err := at(chain, 0)
	if err != nil {
		return nil, err
	}
	public, err := m.libraries()
	if err != nil {
		return nil, err
	}
	out := libraryResult{Type: "smc.libraryResult", Result: []libraryEntry{}}
	for _, h := range wanted {
		value, err := public.LoadValue(cell.BeginCell().MustStoreSlice(h, 256).EndCell())
		if errors.Is(err, cell.ErrNoSuchKeyInDict) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("library %x: %w", h, err)
		}
		// shared_lib_descr$00 lib:^Cell publishers:(Hashmap 256 True)
		c, err := value.LoadRefCell()
		if err != nil {
			return nil, fmt.Errorf("library %x: %w", h, err)
		}
		out.Result = append(out.Result, libraryEntry{Type: "smc.libraryEntry", Hash: h, Data: boc{c}})
	}
	return out, nil
}

// libraries are the public libraries of the network, which its masterchain has:
//
//	^[ overload_history:uint64 underload_history:uint64 total_balance:CurrencyCollection
//	   total_validator_fees:CurrencyCollection libraries:(HashmapE 256 LibDescr) … ]
func (m *moment) libraries() (*cell.Dictionary, error) {
	s, err := m.state.Stats.BeginParse()
	if err != nil {
		return nil, err
	}
	_, err = s.LoadSlice(64 + 64)
	for range 2 {
		if err == nil {
			_, err = s.LoadBigCoins()
		}
		if err == nil {
			_, err = s.LoadDict(32)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("master state %d: %w", m.block.SeqNo, err)
	}
	dict, err := s.LoadDict(256)
	if err != nil || dict.IsEmpty() {
		return dict, err
	}
	all, err := whole(dict.AsCell())
	if err != nil {
		return nil, fmt.Errorf("libraries at master block %d: %w", m.block.SeqNo, err)
	}
	return all.AsDict(256), nil
}

// hashes is a list of hashes, one alone also without brackets.
func (p *params) hashes(name string) ([]hash, error) {
	v, ok := p.value(name)
	if !ok {
		return nil, nil
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if len(list) > maxLibraries {
		return nil, badRequest("%s: more than %d", name, maxLibraries)
	}
	out := make([]hash, len(list))
	for i, v := range list {
		text, _ := v.(string)
		var err error
		if out[i], err = parseHash(text); err != nil {
			return nil, badRequest("%s: %v", name, err)
		}
	}
	return out, nil
}
