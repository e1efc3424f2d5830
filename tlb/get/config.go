package get

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/tussah-network/tussah/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// ErrConfig says that a blockchain config cannot be used.
var ErrConfig = errors.New("unusable blockchain config")

// machine has the opcode tables; building them takes long, sharing it is safe.
var machine = sync.OnceValue(tvm.NewTVM)

// Prepare makes the machine that methods run on, which otherwise happens with the first of them.
func Prepare() { machine() }

// builtinVersion is the TVM version of the built-in config, the one of TON's main network.
const builtinVersion = 13

// builtinConfig is a config dictionary with nothing but param 8, the version of the TVM.
var builtinConfig = sync.OnceValue(func() *cell.Cell {
	const globalVersion = 8 // capabilities#c4 version:uint32 capabilities:uint64 = GlobalVersion
	param := cell.BeginCell().MustStoreUInt(0xc4, 8).MustStoreUInt(builtinVersion, 32).MustStoreUInt(0, 64).EndCell()
	dict := cell.NewDict(32)
	key := cell.BeginCell().MustStoreUInt(globalVersion, 32).EndCell()
	if err := dict.Set(key, cell.BeginCell().MustStoreRef(param).EndCell()); err != nil {
		panic("get: internal error: built-in config: " + err.Error())
	}
	return dict.AsCell()
})

// maxConfigs bounds the cache. Configs change with key blocks only, so a process sees one or two.
const maxConfigs = 8

// prepared caches configs by the hash of their root: preparing one takes longer than most methods.
var prepared struct {
	sync.Mutex
	byRoot map[cell.Hash]*tvm.PreparedBlockchainConfig
	age    []cell.Hash // oldest first
}

// prepareConfig returns the prepared form of a config, from the cache if it is there. Only whole,
// honest trees get in: a root with pruned branches below it can have the hash of the full one.
func prepareConfig(root *cell.Cell) (*tvm.PreparedBlockchainConfig, error) {
	if root == nil {
		root = builtinConfig()
	}
	hash := root.HashKey()
	prepared.Lock()
	defer prepared.Unlock()
	if config, ok := prepared.byRoot[hash]; ok {
		return config, nil
	}
	if err := tlb.CheckCell(root); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	config, err := tvm.PrepareBlockchainConfig(root)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if prepared.byRoot == nil {
		prepared.byRoot = make(map[cell.Hash]*tvm.PreparedBlockchainConfig)
	}
	if len(prepared.age) == maxConfigs {
		delete(prepared.byRoot, prepared.age[0])
		prepared.age = slices.Delete(prepared.age, 0, 1)
	}
	prepared.byRoot[hash] = config
	prepared.age = append(prepared.age, hash)
	return config, nil
}
