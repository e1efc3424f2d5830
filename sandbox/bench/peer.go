package bench

import (
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// ErrNoPeer: @ton/sandbox could not be run here.
var ErrNoPeer = errors.New("@ton/sandbox was not measured")

//go:embed peer.mjs
var peerScript []byte

// peerFigures are rates per second.
type peerFigures struct {
	Fresh        float64 `json:"fresh"`
	Transactions float64 `json:"transactions"`
	Gets         float64 `json:"gets"`
}

// measurePeer installs the packages into a temporary folder and runs peer.mjs.
func measurePeer(ctx context.Context, period time.Duration) (f peerFigures, err error) {
	dir, err := os.MkdirTemp("", "tussah-bench-")
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.WriteFile(filepath.Join(dir, "peer.mjs"), peerScript, 0o644); err != nil {
		return f, err
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"type":"module"}`), 0o644); err != nil {
		return f, err
	}
	if _, err := run(ctx, dir, "npm", "install", "@ton/sandbox@0.41.0", "@ton/core@0.63.1", "@ton/crypto@3.3.0",
		"--no-audit", "--no-fund", "--ignore-scripts"); err != nil {
		return f, err
	}
	out, err := run(ctx, dir, "node", "peer.mjs", base64.StdEncoding.EncodeToString(counterCode), strconv.FormatInt(period.Milliseconds(), 10))
	if err != nil {
		return f, err
	}
	if err := json.Unmarshal(out, &f); err != nil {
		return f, fmt.Errorf("%w: it printed %q: %w", ErrNoPeer, out, err)
	}
	return f, nil
}

func run(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	out, err := c.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("%w: %s: %w: %s", ErrNoPeer, name, err, exit.Stderr)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoPeer, err)
	}
	return out, nil
}
