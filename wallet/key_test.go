package wallet_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tussah-network/tussah/wallet"
)

func TestKeyDoesNotShow(t *testing.T) {
	seed := [32]byte{0xde, 0xad, 0xbe, 0xef, 0xca, 0xfe, 0xba, 0xbe}
	key := wallet.KeyFromSeed(seed)
	w, err := wallet.New(key, wallet.V5R1, -3)
	if err != nil {
		t.Fatal(err)
	}
	holder := struct {
		key    wallet.Key
		wallet wallet.Wallet
		Keys   []wallet.Key
	}{key, w, []wallet.Key{key}}

	var out bytes.Buffer
	for _, v := range []any{key, &key, w, &w, holder, &holder} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(handler).Info("keys", "key", key, "wallet", w, "holder", holder)
	}
	for _, v := range []any{key, w, holder, map[string]any{"k": key}} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(text)
	}
	text := strings.ToLower(out.String())
	for _, secret := range []string{hex.EncodeToString(seed[:4]), "222 173 190 239", "222,173,190,239", "0xde, 0xad", "0xde 0xad", string(seed[:4])} {
		if strings.Contains(text, secret) {
			t.Errorf("%q shows in the output", secret)
		}
	}
	if !strings.Contains(text, "redacted") {
		t.Error("nothing says redacted")
	}
	if got := fmt.Sprint(key); got != "redacted" {
		t.Errorf("Sprint(key) = %q", got)
	}
}

func TestKeyFile(t *testing.T) {
	defer wallet.CheapKDF()()
	for _, passphrase := range []string{"", "correct horse"} {
		path := filepath.Join(t.TempDir(), "wallet.key")
		key, err := wallet.NewKey()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := wallet.LoadKey(path, nil); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("no file: %v, want %v", err, fs.ErrNotExist)
		}
		if err := wallet.SaveKey(path, key, []byte(passphrase)); err != nil {
			t.Fatal(err)
		}
		got, err := wallet.LoadKey(path, []byte(passphrase))
		if err != nil || got.Public() != key.Public() {
			t.Fatalf("LoadKey = %x, %v; want %x", got.Public(), err, key.Public())
		}
		if err := wallet.SaveKey(path, key, []byte(passphrase)); !errors.Is(err, fs.ErrExist) {
			t.Errorf("over an existing key: %v, want %v", err, fs.ErrExist)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 1 {
			t.Errorf("files left: %v", left)
		}
		if runtime.GOOS == "windows" {
			continue
		}
		for _, mode := range []fs.FileMode{0o640, 0o604, 0o660, 0o644} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			if _, err := wallet.LoadKey(path, []byte(passphrase)); !errors.Is(err, wallet.ErrKeyMode) || !strings.Contains(err.Error(), "chmod 600") {
				t.Errorf("mode %v: %v, want %v", mode, err, wallet.ErrKeyMode)
			}
		}
		if err := os.Chmod(path, 0o400); err != nil {
			t.Fatal(err)
		}
		if _, err := wallet.LoadKey(path, []byte(passphrase)); err != nil {
			t.Errorf("mode 0400: %v", err)
		}
	}
	if err := wallet.SaveKey(filepath.Join(t.TempDir(), "k"), wallet.Key{}, nil); !errors.Is(err, wallet.ErrNoKey) {
		t.Errorf("SaveKey of no key: %v, want %v", err, wallet.ErrNoKey)
	}
}

// keyFile is the content of a fresh file.
func keyFile(t testing.TB, passphrase string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "k")
	if err := wallet.SaveKey(path, wallet.KeyFromSeed([32]byte{1, 2, 3}), []byte(passphrase)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestKeyFileRefusals(t *testing.T) {
	defer wallet.CheapKDF()()
	encrypted := keyFile(t, "correct horse")
	for _, wrong := range []string{"", "correct horse ", "Correct horse"} {
		if _, err := wallet.ParseKeyFile(encrypted, []byte(wrong)); !errors.Is(err, wallet.ErrPassphrase) {
			t.Errorf("passphrase %q: %v, want %v", wrong, err, wallet.ErrPassphrase)
		}
	}
	for name, text := range map[string][]byte{"plain": keyFile(t, ""), "encrypted": encrypted} {
		for i := range len(text) * 8 {
			damaged := bytes.Clone(text)
			damaged[i/8] ^= 1 << (i % 8)
			if _, err := wallet.ParseKeyFile(damaged, []byte("correct horse")); !errors.Is(err, wallet.ErrKeyDamaged) && !errors.Is(err, wallet.ErrKeyVersion) {
				t.Fatalf("%s: bit %d flipped: %v, want %v", name, i, err, wallet.ErrKeyDamaged)
			}
		}
		for n := range len(text) {
			if _, err := wallet.ParseKeyFile(text[:n], []byte("correct horse")); !errors.Is(err, wallet.ErrKeyDamaged) && !errors.Is(err, wallet.ErrKeyVersion) {
				t.Fatalf("%s: cut to %d bytes: %v, want %v", name, n, err, wallet.ErrKeyDamaged)
			}
		}
		if _, err := wallet.ParseKeyFile(append(bytes.Clone(text), '\n'), []byte("correct horse")); !errors.Is(err, wallet.ErrKeyDamaged) {
			t.Errorf("%s: a line more: %v, want %v", name, err, wallet.ErrKeyDamaged)
		}
	}
	for _, other := range []string{"", "tussah-key 2 plain\n", "-----BEGIN PRIVATE KEY-----\n", strings.Repeat("ab", 32)} {
		if _, err := wallet.ParseKeyFile([]byte(other), nil); !errors.Is(err, wallet.ErrKeyVersion) {
			t.Errorf("%q: %v, want %v", other, err, wallet.ErrKeyVersion)
		}
	}
	// Costs that would take all memory, under a good check.
	greedy := bytes.Replace(encrypted, []byte("argon2id 1 8192 1 "), []byte("argon2id 1 4194304 1 "), 1)
	if _, err := wallet.ParseKeyFile(wallet.WithKeyCheck(greedy), []byte("correct horse")); !errors.Is(err, wallet.ErrKeyDamaged) {
		t.Errorf("4 GiB of argon2: %v, want %v", err, wallet.ErrKeyDamaged)
	}
}

func FuzzKeyFile(f *testing.F) {
	defer wallet.CheapKDF()()
	f.Add(keyFile(f, ""))
	f.Add(keyFile(f, "p"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, text := range [][]byte{text, wallet.WithKeyCheck(text)} {
			key, err := wallet.ParseKeyFile(text, []byte("p"))
			if err == nil && key.Private() == nil {
				t.Errorf("%q gave no key and no error", text)
			}
		}
	})
}
