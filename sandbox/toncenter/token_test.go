package toncenter_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/tlb"
)

// getter is a get method that takes a number of arguments and returns what it
// always returns: *cell.Cell, *address.Address (as a slice) or a small int.
type getter struct {
	name    string
	args    int
	returns []any
}

// getters assembles a contract with at most four get methods.
func getters(t *testing.T, list ...getter) *cell.Cell {
	t.Helper()
	b := cell.BeginCell().MustStoreUInt(0xFF00, 16) // SETCP0
	for _, g := range list {
		id := make([]byte, 4)
		binary.BigEndian.PutUint32(id, uint32(tontlb.MethodNameHash(g.name)))
		b.MustStoreSlice([]byte{0x20, 0x82, id[1], id[2], id[3], 0xBA, 0xE3, 0x02}, 64) // DUP; id; EQUAL; IFJMPREF
		branch := cell.BeginCell()
		for range g.args + 1 {
			branch.MustStoreUInt(0x30, 8) // DROP
		}
		for _, v := range g.returns {
			switch v := v.(type) {
			case int:
				branch.MustStoreUInt(0x80, 8).MustStoreInt(int64(v), 8)
			case *cell.Cell:
				branch.MustStoreUInt(0x88, 8).MustStoreRef(v)
			case *address.Address:
				branch.MustStoreUInt(0x89, 8).MustStoreRef(cell.BeginCell().MustStoreAddr(v).EndCell())
			default:
				t.Fatalf("cannot return a %T", v)
			}
		}
		b.MustStoreRef(branch.EndCell())
	}
	return b.MustStoreUInt(0xF20B, 16).EndCell() // THROW 11
}

// tokens are the addresses of the accounts below.
var tokens = func() (list []*address.Address) {
	for i := range 10 {
		list = append(list, address.NewAddress(0, 0, bytes.Repeat([]byte{byte(0xA0 + i)}, 32)))
	}
	return list
}()

func offchain(uri string) *cell.Cell {
	return cell.BeginCell().MustStoreUInt(1, 8).MustStoreSlice([]byte(uri), uint(len(uri))*8).EndCell()
}

// onchain writes attributes; the value of each is a whole ContentData.
func onchain(t *testing.T, attributes map[string]*cell.Cell) *cell.Cell {
	t.Helper()
	dict := cell.NewDict(256)
	for name, value := range attributes {
		key := sha256.Sum256([]byte(name))
		if err := dict.Set(cell.BeginCell().MustStoreSlice(key[:], 256).EndCell(), value); err != nil {
			t.Fatal(err)
		}
	}
	return cell.BeginCell().MustStoreUInt(0, 8).MustStoreDict(dict).EndCell()
}

func snake(text string) *cell.Cell {
	return cell.BeginCell().MustStoreUInt(0, 8).MustStoreSlice([]byte(text), uint(len(text))*8).EndCell()
}

func inRef(c *cell.Cell) *cell.Cell { return cell.BeginCell().MustStoreRef(c).EndCell() }

func chunks(t *testing.T, parts ...string) *cell.Cell {
	t.Helper()
	dict := cell.NewDict(32)
	for i, part := range parts {
		key := cell.BeginCell().MustStoreUInt(uint64(i), 32).EndCell()
		value := inRef(cell.BeginCell().MustStoreSlice([]byte(part), uint(len(part))*8).EndCell())
		if err := dict.Set(key, value); err != nil {
			t.Fatal(err)
		}
	}
	return cell.BeginCell().MustStoreUInt(1, 8).MustStoreDict(dict).EndCell()
}

func TestTokenData(t *testing.T) {
	long := strings.Repeat("x", 100)
	linked := cell.BeginCell().MustStoreUInt(0, 8).MustStoreSlice([]byte(long), 800).
		MustStoreRef(cell.BeginCell().MustStoreSlice([]byte("end"), 24).EndCell()).EndCell()
	none := address.NewAddressNone()
	owner, walletCode := tokens[9], code(0x01, 0x02)
	master, wallet, collection, item, lone, forged, nobody := tokens[0], tokens[1], tokens[2], tokens[3], tokens[4], tokens[5], tokens[6]
	metadata := onchain(t, map[string]*cell.Cell{
		"name": inRef(snake("Test")), "symbol": snake("TST"), "description": inRef(linked), "decimals": inRef(chunks(t, "1", "8")),
		"image_data": inRef(snake("\xff\x00")), "image": inRef(snake("\xff")),
	})
	account := func(a *address.Address, methods ...getter) sandbox.GenesisAccount {
		return sandbox.GenesisAccount{Address: a, Balance: tlb.TON, Code: getters(t, methods...)}
	}
	c := serve(t, newChain(t,
		account(master,
			getter{"get_jetton_data", 0, []any{100, -1, none, metadata, walletCode}},
			getter{"get_wallet_address", 1, []any{wallet}}),
		account(wallet,
			getter{"get_wallet_data", 0, []any{42, owner, master, walletCode}},
			getter{"is_claimed", 0, []any{-1}}),
		account(collection,
			getter{"get_collection_data", 0, []any{7, offchain("https://example.org/c.json"), owner}},
			getter{"get_nft_address_by_index", 1, []any{item}},
			getter{"get_nft_content", 2, []any{offchain("https://example.org/3.json")}}),
		account(item, getter{"get_nft_data", 0, []any{-1, 3, collection, owner, offchain("3.json")}}),
		account(lone, getter{"get_nft_data", 0, []any{-1, 0, none, none, metadata}}),
		// Says it is a wallet of the master, which does not know it.
		account(forged, getter{"get_wallet_data", 0, []any{42, owner, master, walletCode}}),
		account(nobody, getter{"get_jetton_data", 0, []any{1}}),
	))
	attributes := object{"type": "onchain", "data": object{
		"name": "Test", "symbol": "TST", "description": long + "end", "decimals": "18", "image_data": "/wA=",
	}}
	for _, want := range []object{
		{
			"@type": "ext.tokens.jettonMasterData", "address": master.String(), "contract_type": "jetton_master", "total_supply": "100",
			"mintable": true, "jetton_content": attributes, "jetton_wallet_code": encodeBOC(walletCode),
		},
		{
			"@type": "ext.tokens.jettonWalletData", "address": wallet.String(), "contract_type": "jetton_wallet", "balance": "42",
			"owner": owner.String(), "jetton": master.String(), "mintless_is_claimed": true, "jetton_wallet_code": encodeBOC(walletCode),
		},
		{
			"@type": "ext.tokens.nftCollectionData", "address": collection.String(), "contract_type": "nft_collection", "next_item_index": "7",
			"owner_address": owner.String(), "collection_content": object{"type": "offchain", "data": "https://example.org/c.json"},
		},
		{
			"@type": "ext.tokens.nftItemData", "address": item.String(), "contract_type": "nft_item", "init": true, "index": "3",
			"collection_address": collection.String(), "owner_address": owner.String(),
			"content": object{"type": "offchain", "data": "https://example.org/3.json"},
		},
		{
			"@type": "ext.tokens.nftItemData", "address": lone.String(), "contract_type": "nft_item", "init": true, "index": "0",
			"content": attributes,
		},
	} {
		var got object
		c.get("getTokenData", object{"address": want["address"]}).into(t, &got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want["@type"], diff)
		}
	}
	for _, a := range []*address.Address{forged, nobody, tokens[7]} {
		if r := c.get("getTokenData", object{"address": a.String()}); r.Code != 409 || r.Error != "Smart contract is not Jetton or NFT" {
			t.Errorf("%s: %d %s %s", a, r.Code, r.Error, json.RawMessage(r.Result))
		}
	}
}
