package toncenter

import (
	"context"
	"fmt"
	"math/big"
	"sync"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

type queryFees struct {
	Type        string `json:"@type"`
	Source      fees   `json:"source_fees"`
	Destination []fees `json:"destination_fees"`
}

// fees are numbers here, not strings, and in nanoTON.
type fees struct {
	Type    string   `json:"@type"`
	Import  *big.Int `json:"in_fwd_fee"`
	Storage *big.Int `json:"storage_fee"`
	Gas     *big.Int `json:"gas_fee"`
	Forward *big.Int `json:"fwd_fee"`
}

func estimateFee(_ context.Context, chain Source, p *params) (any, error) {
	to, msg, err := readQuery(p)
	ignore := p.flag("ignore_chksig", true)
	if p.err != nil {
		err = p.err
	}
	if err != nil {
		return nil, err
	}
	m, err := at(chain, 0)
	if err != nil {
		return nil, err
	}
	f, err := m.estimate(to, msg, uint32(chain.Now().Unix()), ignore)
	if err != nil {
		return nil, err
	}
	return queryFees{Type: "query.fees", Source: f, Destination: []fees{}}, nil
}

// machine executes messages that are only asked about. Making one takes a
// while, and it keeps nothing.
var machine = sync.OnceValue(tvm.NewTVM)

// estimate executes a message on an account as it is, and reads off what it
// cost. For one that is not accepted, only the import fee is known; the others
// are zero, as with tonlib.
func (m *moment) estimate(to *address.Address, msg *cell.Cell, now uint32, ignoreSignatures bool) (fees, error) {
	f := fees{Type: "fees", Storage: new(big.Int), Gas: new(big.Int), Forward: new(big.Int)}
	found, err := m.account(to)
	if err != nil {
		return f, err
	}
	config, err := tvm.PrepareBlockchainConfig(m.config)
	if err != nil {
		return f, fmt.Errorf("configuration: %w", err)
	}
	prices, err := messagePrices(m, to.Workchain() == masterchain)
	if err != nil {
		return f, err
	}
	f.Import = prices.fee(msg)

	public, err := m.libraries()
	if err != nil {
		return f, err
	}
	options := tvm.BlockOptions{
		Now: now, BlockLT: int64(max(m.state.GenLT, found.LT)), RandSeed: make([]byte, 32), GlobalID: m.state.GlobalID,
	}
	if !public.IsEmpty() {
		options.Libraries = []*cell.Cell{public.AsCell()}
	}
	block, err := config.NewBlockContext(options)
	if err != nil {
		return f, err
	}
	var shard tontlb.ShardAccount
	if err := tontlb.Parse(&shard, found.Shard); err != nil {
		return f, err
	}
	prepared, err := tvm.PrepareAccount(&shard, to)
	if err != nil {
		return f, err
	}
	message, err := tvm.PrepareMessage(msg)
	if err != nil {
		return f, badRequest("message: %v", err)
	}
	r, err := machine().EmulateTransaction(block, prepared, message, tvm.TransactionOptions{
		LogicalTime: options.BlockLT, SignatureCheckAlwaysSucceed: ignoreSignatures,
	})
	if err != nil || r.TransactionCell == nil {
		return f, nil // not accepted, or not even run
	}
	tx, err := r.ParseTransaction()
	if err != nil {
		return f, err
	}
	ordinary, ok := tx.Description.(tontlb.TransactionDescriptionOrdinary)
	if !ok {
		return f, fmt.Errorf("transaction is a %T", tx.Description)
	}
	f.Storage = storageFee(tx)
	if ran, ok := ordinary.ComputePhase.Phase.(tontlb.ComputePhaseVM); ok {
		f.Gas = ran.GasFees.Nano()
	}
	if ordinary.ActionPhase != nil && ordinary.ActionPhase.TotalFwdFees != nil {
		f.Forward = ordinary.ActionPhase.TotalFwdFees.Nano()
	}
	return f, nil
}

// prices are the prices for forwarding a message. Those per bit and per cell
// are in 1/65536 nanoTON.
type prices struct{ lump, bit, cell uint64 }

// messagePrices reads config parameter 24 or 25:
//
//	msg_forward_prices#ea lump_price:uint64 bit_price:uint64 cell_price:uint64 …
func messagePrices(m *moment, master bool) (prices, error) {
	id := int64(25)
	if master {
		id = 24
	}
	value, err := m.config.AsDict(32).LoadValueByIntKey(big.NewInt(id))
	if err != nil {
		return prices{}, fmt.Errorf("config param %d: %w", id, err)
	}
	s, err := value.LoadRef()
	if err != nil {
		return prices{}, fmt.Errorf("config param %d: %w", id, err)
	}
	var p prices
	_, err = s.LoadUInt(8)
	for _, field := range []*uint64{&p.lump, &p.bit, &p.cell} {
		if err == nil {
			*field, err = s.LoadUInt(64)
		}
	}
	if err != nil {
		return prices{}, fmt.Errorf("config param %d: %w", id, err)
	}
	return p, nil
}

// fee is what importing a message costs. Each distinct cell counts once, the
// first not at all.
func (p prices) fee(msg *cell.Cell) *big.Int {
	var cells, bits uint64
	seen := map[cell.Hash]bool{}
	var walk func(*cell.Cell)
	walk = func(c *cell.Cell) {
		for i := range int(c.RefsNum()) {
			ref := c.MustPeekRef(i)
			if seen[ref.HashKey()] {
				continue
			}
			seen[ref.HashKey()] = true
			cells++
			bits += uint64(ref.BitsSize())
			walk(ref)
		}
	}
	walk(msg)
	total := new(big.Int).Mul(new(big.Int).SetUint64(p.bit), new(big.Int).SetUint64(bits))
	total.Add(total, new(big.Int).Mul(new(big.Int).SetUint64(p.cell), new(big.Int).SetUint64(cells)))
	total.Add(total, big.NewInt(0xffff)).Rsh(total, 16) // rounded up
	return total.Add(total, new(big.Int).SetUint64(p.lump))
}
