package control

import (
	"context"
	"fmt"
	"strings"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

var configVerbs = []Verb{
	verb("config", "config", "Show the network's configuration, or one parameter of it", showConfig),
	verb("setConfig", "set-config", "Set or remove a parameter of the configuration", setConfig),
	verb("setGlobalVersion", "global-version", "Set the version of the virtual machine's rules (parameter 8)", setGlobalVersion),
	verb("setLibrary", "set-library", "Publish a library, which code can then name by its hash", setLibrary),
	verb("removeLibrary", "remove-library", "Take back a library that set-library published", removeLibrary),
}

// ConfigParams name a parameter.
type ConfigParams struct {
	ID *int32 `json:"id,omitzero" doc:"number of the parameter (default: all)"`
}

// Config is the network's configuration, or a part of it.
type Config []ConfigParam

// ConfigParam is one parameter.
type ConfigParam struct {
	ID    int32 `json:"id"`
	Value Cell  `json:"value"`
}

func (all Config) String() string {
	lines := make([]string, len(all))
	for i, p := range all {
		lines[i] = fmt.Sprintf("%d  %s", p.ID, p.Value)
	}
	return strings.Join(lines, "\n")
}

func showConfig(_ context.Context, w *world, p ConfigParams) (Config, error) {
	return w.config(p.ID, nil)
}

// config is all of the configuration, or one parameter, after a change that
// ended with err.
func (w *world) config(id *int32, err error) (Config, error) {
	if err != nil {
		return nil, err
	}
	all, err := w.Config().AsDict(32).LoadAll()
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	out := Config{}
	for _, kv := range all {
		key, err := kv.Key.LoadInt(32)
		if err != nil {
			return nil, fmt.Errorf("configuration: %w", err)
		}
		value, err := kv.Value.LoadRefCell()
		if err != nil {
			return nil, fmt.Errorf("configuration parameter %d: %w", key, err)
		}
		if id == nil || *id == int32(key) {
			out = append(out, ConfigParam{ID: int32(key), Value: Cell{value}})
		}
	}
	if id != nil && len(out) == 0 {
		return nil, fmt.Errorf("configuration parameter %d: %w", *id, ErrNoParam)
	}
	return out, nil
}

// SetConfigParams are a change of the configuration.
type SetConfigParams struct {
	ID     int32 `json:"id" doc:"number of the parameter"`
	Value  Cell  `json:"value,omitzero" doc:"BoC of its value"`
	Remove bool  `json:"remove,omitzero" doc:"remove it instead" cli:"flag"`
}

func setConfig(ctx context.Context, w *world, p SetConfigParams) (Status, error) {
	switch {
	case p.Remove && p.Value.Cell != nil:
		return Status{}, fmt.Errorf("%w: a value for what is to be removed", ErrParams)
	case !p.Remove && p.Value.Cell == nil:
		return Status{}, fmt.Errorf("%w: value is missing; to be without the parameter, say remove", ErrParams)
	}
	var value *cell.Cell
	if !p.Remove {
		value = p.Value.Cell
	}
	return w.status(ctx, w.SetConfig(ctx, p.ID, value))
}

// VersionParams are a global version.
type VersionParams struct {
	Version uint32 `json:"version" doc:"such as 12"`
}

func setGlobalVersion(ctx context.Context, w *world, p VersionParams) (Status, error) {
	return w.status(ctx, w.SetGlobalVersion(ctx, p.Version))
}

// LibraryParams are a library.
type LibraryParams struct {
	Library Cell `json:"library" doc:"BoC of the library"`
}

// Published is the library that was published; its hash is what code names.
type Published struct {
	Hash Hash `json:"hash"`
}

func (p Published) String() string { return p.Hash.String() }

func setLibrary(ctx context.Context, w *world, p LibraryParams) (Published, error) {
	if err := w.SetLibrary(ctx, p.Library.Cell); err != nil {
		return Published{}, err
	}
	return Published{Hash(p.Library.HashKey())}, nil
}

// LibraryHash names a library.
type LibraryHash struct {
	Hash Hash `json:"hash" doc:"of the library, as set-library answers it"`
}

func removeLibrary(ctx context.Context, w *world, p LibraryHash) (Status, error) {
	return w.status(ctx, w.RemoveLibrary(ctx, p.Hash))
}
