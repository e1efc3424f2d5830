package sandbox

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"pgregory.net/rapid"
)

// TestAugTreeLikeTheLibrary makes random changes to a dictionary, and gets the
// cells that the library gets by setting one key after the other.
func TestAugTreeLikeTheLibrary(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		want, err := cell.NewAugDict(32, oldBlocks{})
		if err != nil {
			rt.Fatal(err)
		}
		got := want.MustToCell()
		// Few bits vary, so that keys meet, and long labels of all kinds occur.
		key := rapid.Custom(func(t *rapid.T) uint32 {
			return rapid.Uint32Max(15).Draw(t, "low") | rapid.Uint32Max(3).Draw(t, "middle")<<14 | rapid.Uint32Max(1).Draw(t, "high")*0xfff00000
		})
		for range rapid.IntRange(1, 8).Draw(rt, "rounds") {
			keys := rapid.SliceOfNDistinct(key, 0, 20, rapid.ID).Draw(rt, "keys")
			slices.Sort(keys)
			var changes []augChange
			for _, k := range keys {
				change := augChange{}
				binary.BigEndian.PutUint32(change.key[:], k)
				at := cell.BeginCell().MustStoreUInt(uint64(k), 32).EndCell()
				if rapid.Bool().Draw(rt, "remove") {
					err = want.Delete(at)
				} else {
					lt := rapid.Uint64().Draw(rt, "lt")
					value := cell.BeginCell().MustStoreUInt(uint64(k&1), 1).MustStoreUInt(lt, 64).MustStoreUInt(uint64(k), 32).MustStoreSlice(make([]byte, 64), 512).EndCell()
					change.value = func() (*cell.Cell, error) { return value, nil }
					err = want.Set(at, value)
				}
				if err != nil {
					rt.Fatal(err)
				}
				changes = append(changes, change)
			}
			if got, err = (augTree{bits: 32, sums: oldBlocks{}}).edit(got, changes); err != nil {
				rt.Fatal(err)
			}
			if got.HashKey() != want.MustToCell().HashKey() {
				rt.Fatalf("after %v:\n%s\nwant\n%s", keys, got.Dump(), want.MustToCell().Dump())
			}
		}
	})
}

// BenchmarkAugTree changes 200 of 65,536 accounts, as a block does.
func BenchmarkAugTree(b *testing.B) {
	const accounts, touched = 1 << 16, 200
	entry := func(n uint64) *cell.Cell {
		state, err := tontlb.ToCell(tontlb.ShardAccount{
			Account:       cell.BeginCell().MustStoreBoolBit(false).EndCell(),
			LastTransHash: bytes.Repeat([]byte{1}, 32), LastTransLT: n,
		})
		if err != nil {
			b.Fatal(err)
		}
		return state
	}
	change := func(n, version uint64) (c augChange) {
		binary.BigEndian.PutUint64(c.key[:], n*0x9e3779b97f4a7c15)
		c.value = func() (*cell.Cell, error) { return entry(version), nil }
		return c
	}
	byKey := func(a, b augChange) int { return bytes.Compare(a.key[:], b.key[:]) }
	var all []augChange
	for n := range uint64(accounts) {
		all = append(all, change(n, 1))
	}
	slices.SortFunc(all, byKey)
	tree := augTree{bits: 256, sums: tontlb.AugShardAccounts{}}
	empty, err := tontlb.NewShardAccountsAugDict()
	if err != nil {
		b.Fatal(err)
	}
	world, err := empty.ToCell()
	if err != nil {
		b.Fatal(err)
	}
	if world, err = tree.edit(world, all); err != nil {
		b.Fatal(err)
	}
	round := func(r int) (changes []augChange) {
		for n := range uint64(touched) {
			changes = append(changes, change((n+uint64(r)*touched)%accounts, uint64(r)+2))
		}
		slices.SortFunc(changes, byKey)
		return changes
	}
	b.Run("at once", func(b *testing.B) {
		for r := range b.N {
			if world, err = tree.edit(world, round(r)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("one by one", func(b *testing.B) {
		var dict tontlb.ShardAccountsAugDict
		if err := tontlb.Parse(&dict, world); err != nil {
			b.Fatal(err)
		}
		for r := range b.N {
			for _, c := range round(r) {
				value, err := c.value()
				if err != nil {
					b.Fatal(err)
				}
				if err := dict.Set(cell.BeginCell().MustStoreSlice(c.key[:], 256).EndCell(), value); err != nil {
					b.Fatal(fmt.Errorf("set: %w", err))
				}
			}
		}
	})
}
