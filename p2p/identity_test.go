package p2p

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func newIdentity(t testing.TB) Identity {
	t.Helper()
	id, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestIdentityIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peer.key")
	if _, err := LoadIdentity(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: got %v", err)
	}
	made, err := LoadOrCreateIdentity(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := LoadOrCreateIdentity(path)
	if err != nil || again.ID() != made.ID() {
		t.Errorf("got %v, %v, want %v", again.ID(), err, made.ID())
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := newIdentity(t).Save(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("saving over a key: got %v, want ErrExist", err)
	}
}

func TestIdentityFileRefusals(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	if err := newIdentity(t).Save(good); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want error
	}{
		"readable by the group": {string(text), 0o640, ErrKeyMode},
		"readable by all":       {string(text), 0o604, ErrKeyMode},
		"empty":                 {"", 0o600, ErrKeyFile},
		"cut":                   {string(text[:len(text)-2]), 0o600, ErrKeyFile},
		"longer":                {string(text) + "\n", 0o600, ErrKeyFile},
		"another version":       {strings.Replace(string(text), "key 1", "key 2", 1), 0o600, ErrKeyFile},
		"not base64":            {string(text[:len(text)-3]) + "!=\n", 0o600, ErrKeyFile},
		"line break inside":     {string(text[:len(text)-3]) + "\n=\n", 0o600, ErrKeyFile},
		"a directory's worth":   {strings.Repeat("x", 1<<20), 0o600, ErrKeyFile},
	} {
		path := filepath.Join(dir, "bad")
		os.Remove(path)
		if err := os.WriteFile(path, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS == "windows" && c.want == ErrKeyMode {
			continue
		}
		if _, err := LoadIdentity(path); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestIdentityIsNotPrinted(t *testing.T) {
	id := newIdentity(t)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("start", slog.Any("key", id))
	for _, text := range []string{fmt.Sprint(id), fmt.Sprintf("%+v %#v %s %v", id, id, id, &id), log.String()} {
		if !strings.Contains(text, "redacted") || strings.Contains(text, fmt.Sprintf("%x", []byte(id.key[:8]))) || strings.Contains(text, fmt.Sprint([]byte(id.key[:8]))[1:20]) {
			t.Errorf("printed as %q", text)
		}
	}
}
