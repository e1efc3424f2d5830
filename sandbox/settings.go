package sandbox

import (
	"fmt"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"github.com/xssnick/tonutils-go/tvm/vm"
)

// settings is a configuration in the forms in which it is used.
type settings struct {
	root         *cell.Cell
	prepared     *tvm.PreparedBlockchainConfig
	software     tontlb.GlobalVersion
	master, base tontlb.BlockLimitsV1
	next         *settings // takes effect after the next master block
}

func (s settings) limits(of shardID) tontlb.BlockLimitsV1 {
	if of.master() {
		return s.master
	}
	return s.base
}

// prepareSettings takes a configuration apart. What the network itself needs of
// it must be there.
func prepareSettings(root *cell.Cell) (s settings, err error) {
	s.root = root
	dict := root.AsDict(32)
	for id, into := range map[int32]any{8: &s.software, 22: &s.master, 23: &s.base} {
		if err := readParam(dict, id, into); err != nil {
			return settings{}, err
		}
	}
	for id, limits := range map[int32]tontlb.BlockLimitsV1{22: s.master, 23: s.base} {
		if limits.Gas.SoftLimit == 0 || limits.LTDelta.SoftLimit < 2 {
			return settings{}, fmt.Errorf("%w: parameter %d: no transaction fits into a block", ErrConfig, id)
		}
	}
	if s.software.Version > vm.MaxSupportedGlobalVersion {
		return settings{}, fmt.Errorf("%w: global version %d, the executor knows up to %d", ErrConfig, s.software.Version, vm.MaxSupportedGlobalVersion)
	}
	if s.prepared, err = tvm.PrepareBlockchainConfig(root); err != nil {
		return settings{}, fmt.Errorf("%w: %v", ErrConfig, err) // callers match ErrConfig only
	}
	return s, nil
}

// readParam reads a parameter of the configuration.
func readParam(config *cell.Dictionary, id int32, into any) error {
	value, err := config.LoadValue(cell.BeginCell().MustStoreInt(int64(id), 32).EndCell())
	if err != nil {
		return fmt.Errorf("%w: parameter %d is missing", ErrConfig, id)
	}
	root, err := value.LoadRefCell()
	if err == nil {
		err = tontlb.Parse(into, root)
	}
	if err != nil {
		return fmt.Errorf("%w: parameter %d: %v", ErrConfig, id, err) // as in prepareSettings
	}
	return nil
}
