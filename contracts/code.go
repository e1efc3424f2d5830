package contracts

import (
	_ "embed"
	"sync"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

//go:embed channel.boc
var channelBoC []byte

//go:embed registry.boc
var registryBoC []byte

// ChannelCode is the compiled channel.tolk.
func ChannelCode() *cell.Cell { return channelCode() }

// RegistryCode is the compiled registry.tolk.
func RegistryCode() *cell.Cell { return registryCode() }

var (
	channelCode  = sync.OnceValue(func() *cell.Cell { return mustParse(channelBoC) })
	registryCode = sync.OnceValue(func() *cell.Cell { return mustParse(registryBoC) })
)

func mustParse(boc []byte) *cell.Cell {
	c, err := cell.FromBOC(boc)
	if err != nil {
		panic("contracts: internal error: " + err.Error())
	}
	return c
}
