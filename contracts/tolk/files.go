package tolk

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// BuildFiles compiles contracts of anybody's, and writes the code of each
// NAME.tolk into NAME.boc beside it. What a file imports must be in its folder,
// or below. Nothing is written unless all of them compile.
func BuildFiles(ctx context.Context, files []string) ([]Built, error) {
	compiler, err := Open(ctx, Options{})
	if err != nil {
		return nil, err
	}
	defer compiler.Close()
	return buildFiles(ctx, compiler, files)
}

func buildFiles(ctx context.Context, compiler *Compiler, files []string) ([]Built, error) {
	var built []Built
	var codes [][]byte
	for _, file := range files {
		if filepath.Ext(file) != ".tolk" {
			return nil, fmt.Errorf("%s does not end in .tolk: %w", file, ErrSource)
		}
		result, err := compileFile(ctx, compiler, file)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(filepath.Base(file), ".tolk")
		built = append(built, Built{Name: name, Hash: result.Hash, Size: len(result.Code)})
		codes = append(codes, result.Code)
	}
	for i, file := range files {
		if err := os.WriteFile(strings.TrimSuffix(file, ".tolk")+".boc", codes[i], 0o644); err != nil {
			return nil, err
		}
	}
	return built, nil
}

func compileFile(ctx context.Context, compiler *Compiler, file string) (Result, error) {
	root, err := os.OpenRoot(filepath.Dir(file))
	if err != nil {
		return Result{}, err
	}
	defer root.Close()
	return compiler.Compile(ctx, root.FS(), filepath.Base(file))
}
