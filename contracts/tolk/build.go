package tolk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// contracts are the sources that are compiled and committed; what they import is not.
var contracts = []string{"channel", "registry"}

// ErrDiffers means that a committed code is not what its source compiles to.
var ErrDiffers = errors.New("committed code is not what the source compiles to")

// Built is one compiled contract.
type Built struct {
	Name string
	Hash [32]byte
	Size int // of the code, in bytes
}

// Build compiles dir/channel.tolk and dir/registry.tolk and compares the code with the .boc files beside
// them, which hold the compiler's own bytes. With write it brings the files up to date instead.
func Build(ctx context.Context, dir string, write bool) ([]Built, error) {
	root, err := os.OpenRoot(dir) // unlike os.DirFS it follows no link out of the folder
	if err != nil {
		return nil, err
	}
	defer root.Close()
	compiler, err := Open(ctx, Options{})
	if err != nil {
		return nil, err
	}
	defer compiler.Close()
	return build(ctx, compiler, root, write)
}

func build(ctx context.Context, compiler *Compiler, root *os.Root, write bool) ([]Built, error) {
	var built []Built
	codes := make(map[string][]byte)
	for _, name := range contracts {
		result, err := compiler.Compile(ctx, root.FS(), name+".tolk")
		if err != nil {
			return nil, err
		}
		built = append(built, Built{Name: name, Hash: result.Hash, Size: len(result.Code)})
		codes[name] = result.Code
	}
	var differences []error
	for _, b := range built {
		file := b.Name + ".boc"
		committed, err := root.ReadFile(file)
		switch {
		case err == nil && bytes.Equal(committed, codes[b.Name]):
		case write:
			if err := root.WriteFile(file, codes[b.Name], 0o644); err != nil {
				return nil, err
			}
		case err != nil:
			return nil, err
		default:
			differences = append(differences, fmt.Errorf("%s: %w: it has %s, the source gives %x (%d bytes)",
				file, ErrDiffers, describe(committed), b.Hash, b.Size))
		}
	}
	if err := errors.Join(differences...); err != nil {
		return nil, err
	}
	return built, nil
}

func describe(boc []byte) string {
	root, err := cell.FromBOC(boc)
	if err != nil {
		return fmt.Sprintf("%d bytes that are no code", len(boc))
	}
	return fmt.Sprintf("%x (%d bytes)", root.Hash(), len(boc))
}
