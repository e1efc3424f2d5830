package liteserver

import (
	"errors"

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

// findLibraries opens the libraries with the given hashes, as far as there are
// such. LibDescr is shared_lib_descr$00 lib:^Cell publishers:(Hashmap 256 True).
func findLibraries(state *cell.Cell, hashes [][]byte) ([]*ton.LibraryEntry, error) {
	found := []*ton.LibraryEntry{}
	libraries, err := stateLibraries(state)
	if err != nil {
		return nil, err
	}
	for _, hash := range hashes {
		if len(hash) != 32 {
			return nil, badQuery("incomplete library hash")
		}
		value, err := libraries.LoadValue(cell.BeginCell().MustStoreSlice(hash, 256).EndCell())
		if errors.Is(err, cell.ErrNoSuchKeyInDict) {
			continue
		}
		if err != nil {
			return nil, err
		}
		lib, err := value.PeekRefCell()
		if err != nil {
			return nil, err
		}
		data, err := encode(lib.WithoutTrace())
		if err != nil {
			return nil, err
		}
		found = append(found, &ton.LibraryEntry{Hash: hash, Data: data})
	}
	return found, nil
}

func (a *answerer) libraries(q ton.GetLibraries) (tl.Serializable, error) {
	if len(q.LibraryList) > maxLibraries {
		return nil, badQuery("more than %d libraries", maxLibraries)
	}
	head := a.src.MasterHead()
	v, err := a.view(&head)
	if err != nil {
		return nil, err
	}
	found, err := findLibraries(v.state, q.LibraryList)
	if err != nil {
		return nil, err
	}
	return ton.LibraryResult{Result: found}, nil
}

func (a *answerer) librariesWithProof(q ton.GetLibrariesWithProof) (tl.Serializable, error) {
	if len(q.LibraryList) > maxLibraries {
		return nil, badQuery("more than %d libraries", maxLibraries)
	}
	v, err := a.masterView(q.ID)
	if err != nil {
		return nil, err
	}
	answer := ton.LibraryResultWithProof{ID: &v.block.id, Mode: q.Mode}
	proof, err := v.stateProof(func(state *cell.Cell) error {
		answer.Result, err = findLibraries(state, q.LibraryList)
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
