package liteserver

import (
	"bytes"
	"errors"
	"slices"

	"github.com/xssnick/tonutils-go/tl"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// stateLibraries opens the public libraries in a masterchain state:
//
//	^[ overload_history:uint64 underload_history:uint64 total_balance:CurrencyCollection
//	   total_validator_fees:CurrencyCollection libraries:(HashmapE 256 LibDescr) ... ]
func stateLibraries(state *cell.Cell) (*cell.Dictionary, error) {
	c, err := child(state, stateTotals)
	if err != nil {
		return nil, err
	}
	s, err := c.BeginParse()
	if err != nil {
		return nil, err
	}
	if _, err = s.LoadSlice(64 + 64); err != nil {
		return nil, err
	}
	for range 2 {
		var coins tontlb.CurrencyCollection
		if err = tontlb.LoadFromCell(&coins, s); err != nil {
			return nil, err
		}
	}
	return s.LoadDict(256)
}

// libraryList is which libraries a query asks for: the first few it names, in
// order and each once.
func libraryList(hashes [][]byte) ([][]byte, error) {
	list := slices.Clone(hashes[:min(len(hashes), maxLibraries)])
	for _, hash := range list {
		if len(hash) != 32 {
			return nil, badQuery("incomplete library hash")
		}
	}
	slices.SortFunc(list, bytes.Compare)
	return slices.CompactFunc(list, bytes.Equal), nil
}

// Bits of a getLibrariesWithProof query's mode.
const (
	librariesPublishers = 1 << 0 // prove who publishes each
	librariesNoData     = 1 << 1 // leave the libraries themselves out
)

// findLibraries opens the libraries with the given hashes, as far as there are
// such:
//
//	shared_lib_descr$00 lib:^Cell publishers:(Hashmap 256 True) = LibDescr;
func findLibraries(state *cell.Cell, hashes [][]byte, mode uint32) ([]*ton.LibraryEntry, error) {
	found := []*ton.LibraryEntry{}
	libraries, err := stateLibraries(state)
	if err != nil {
		return nil, err
	}
	for _, hash := range hashes {
		value, err := libraries.LoadValue(cell.BeginCell().MustStoreSlice(hash, 256).EndCell())
		if errors.Is(err, cell.ErrNoSuchKeyInDict) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if tag, err := value.LoadUInt(2); err != nil || tag != 0 {
			return nil, errors.New("malformed library description")
		}
		lib, err := value.LoadRefCell()
		if err != nil {
			return nil, err
		}
		if mode&librariesPublishers != 0 {
			if err = openRefs(value, make(map[cell.Hash]bool)); err != nil {
				return nil, err
			}
		}
		entry := &ton.LibraryEntry{Hash: hash}
		if mode&librariesNoData == 0 {
			if entry.Data, err = encode(lib.WithoutTrace()); err != nil {
				return nil, err
			}
		}
		found = append(found, entry)
	}
	return found, nil
}

func (a *answerer) libraries(q ton.GetLibraries) (tl.Serializable, error) {
	list, err := libraryList(q.LibraryList)
	if err != nil {
		return nil, err
	}
	head := a.src.MasterHead()
	v, err := a.view(&head)
	if err != nil {
		return nil, err
	}
	found, err := findLibraries(v.state, list, 0)
	if err != nil {
		return nil, err
	}
	return ton.LibraryResult{Result: found}, nil
}

func (a *answerer) librariesWithProof(q ton.GetLibrariesWithProof) (tl.Serializable, error) {
	list, err := libraryList(q.LibraryList)
	if err != nil {
		return nil, err
	}
	v, err := a.masterView(q.ID)
	if err != nil {
		return nil, err
	}
	answer := ton.LibraryResultWithProof{ID: &v.block.id, Mode: q.Mode}
	proof, err := v.stateProof(func(state *cell.Cell) error {
		answer.Result, err = findLibraries(state, list, q.Mode)
		return err
	})
	if err != nil {
		return nil, err
	}
	if answer.StateProof, err = encode(proof[0]); err != nil {
		return nil, err
	}
	answer.DataProof, err = encode(proof[1])
	return answer, err
}
