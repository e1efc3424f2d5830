package toncenter

import (
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strconv"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// hash is 32 bytes, or none, written as base64.
type hash []byte

func (h hash) MarshalText() ([]byte, error) {
	return []byte(base64.StdEncoding.EncodeToString(h)), nil
}

// boc is a cell written as a bag of cells in base64; nil is an empty string.
type boc struct{ cell *cell.Cell }

func (b boc) MarshalText() ([]byte, error) {
	if b.cell == nil {
		return []byte{}, nil
	}
	data, err := cell.ToBOCWithOptionsErr([]*cell.Cell{b.cell}, cell.BOCSerializeOptions{WithCRC32C: true})
	if err != nil {
		return nil, err
	}
	return []byte(base64.StdEncoding.EncodeToString(data)), nil
}

// integer is a number of any size, written as a decimal string.
type integer struct{ *big.Int }

func (n integer) MarshalJSON() ([]byte, error) { return json.Marshal(n.String()) }

func coins(c tontlb.Coins) integer { return integer{c.Nano()} }

// friendly is an address as toncenter writes it: base64url, bounceable; none is
// an empty string.
type friendly struct{ address *address.Address }

func (f friendly) MarshalText() ([]byte, error) { return []byte(f.text()), nil }

func (f friendly) text() string {
	if f.address == nil || f.address.Type() != address.StdAddress {
		return ""
	}
	return f.address.Bounce(true).Testnet(false).String()
}

// blockID is ton.blockIdExt.
type blockID struct {
	Type      string `json:"@type"`
	Workchain int32  `json:"workchain"`
	Shard     string `json:"shard"`
	Seqno     uint32 `json:"seqno"`
	RootHash  hash   `json:"root_hash"`
	FileHash  hash   `json:"file_hash"`
}

func viewBlockID(id BlockID) blockID {
	return blockID{
		Type: "ton.blockIdExt", Workchain: id.Workchain, Shard: strconv.FormatInt(id.Shard, 10), Seqno: id.SeqNo,
		RootHash: id.RootHash, FileHash: id.FileHash,
	}
}

// transactionID is internal.transactionId.
type transactionID struct {
	Type string `json:"@type"`
	LT   string `json:"lt"`
	Hash hash   `json:"hash"`
}

func viewTransactionID(lt uint64, h [32]byte) transactionID {
	return transactionID{Type: "internal.transactionId", LT: strconv.FormatUint(lt, 10), Hash: h[:]}
}

// accountAddress is the structure some addresses are wrapped in.
type accountAddress struct {
	Type    string   `json:"@type"`
	Address friendly `json:"account_address"`
}

func viewAddress(a *address.Address) accountAddress {
	return accountAddress{Type: "accountAddress", Address: friendly{a}}
}

// tvmCell is tvm.cell.
type tvmCell struct {
	Type  string `json:"@type"`
	Bytes boc    `json:"bytes"`
}

func viewCell(c *cell.Cell) tvmCell { return tvmCell{Type: "tvm.cell", Bytes: boc{c}} }

// extraCurrency is an amount of a currency other than TON.
type extraCurrency struct {
	Type   string  `json:"@type"`
	ID     int32   `json:"id"`
	Amount integer `json:"amount"`
}

// extraCurrencies lists a dictionary of amounts by currency.
func extraCurrencies(dict *cell.Dictionary) ([]extraCurrency, error) {
	list := []extraCurrency{}
	if dict == nil || dict.IsEmpty() {
		return list, nil
	}
	items, err := dict.LoadAll()
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		id, err := item.Key.LoadInt(32)
		if err != nil {
			return nil, err
		}
		amount, err := item.Value.LoadVarUInt(32)
		if err != nil {
			return nil, err
		}
		list = append(list, extraCurrency{Type: "extraCurrency", ID: int32(id), Amount: integer{amount}})
	}
	return list, nil
}
