package p2p

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"strings"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
)

var (
	// ErrKeyMode says that others may read a key file; chmod 600 it.
	ErrKeyMode = errors.New("p2p: key file is readable by others, set its mode to 600")
	// ErrKeyFile says that a file is not what [Identity.Save] writes.
	ErrKeyFile = errors.New("p2p: not a peer key file")
)

// keyFileHeader starts a key file and says its version.
const keyFileHeader = "tussah peer key 1\n"

// Identity is the node's libp2p key, an Ed25519 key. It prints as redacted.
type Identity struct {
	key ed25519.PrivateKey
	id  peer.ID
}

// NewIdentity makes a new key.
func NewIdentity() (Identity, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Identity{}, fmt.Errorf("new peer key: %w", err)
	}
	return identityOf(key)
}

func identityOf(key ed25519.PrivateKey) (Identity, error) {
	i := Identity{key: key}
	priv, err := i.libp2p()
	if err != nil {
		return Identity{}, err
	}
	if i.id, err = peer.IDFromPrivateKey(priv); err != nil {
		return Identity{}, fmt.Errorf("peer key: %w", err)
	}
	return i, nil
}

// LoadIdentity reads a key file. A missing file is fs.ErrNotExist.
func LoadIdentity(path string) (Identity, error) {
	f, err := os.Open(path)
	if err != nil {
		return Identity{}, fmt.Errorf("peer key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Identity{}, fmt.Errorf("peer key: %w", err)
	}
	// Windows has no such bits; there the folder's rights protect the file.
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return Identity{}, fmt.Errorf("%s: %w", path, ErrKeyMode)
	}
	want := len(keyFileHeader) + base64.StdEncoding.EncodedLen(ed25519.SeedSize) + 1
	if info.Size() != int64(want) {
		return Identity{}, fmt.Errorf("%s: %w", path, ErrKeyFile)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Identity{}, fmt.Errorf("peer key: %w", err)
	}
	encoded, ok := strings.CutPrefix(string(text), keyFileHeader)
	seed, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSuffix(encoded, "\n"))
	if !ok || err != nil || len(seed) != ed25519.SeedSize {
		return Identity{}, fmt.Errorf("%s: %w", path, ErrKeyFile)
	}
	return identityOf(ed25519.NewKeyFromSeed(seed))
}

// Save writes the key to a new file with mode 0600. It never overwrites a file: a key
// that is lost takes the node's name in the registry with it.
func (i Identity) Save(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("save peer key: %w", err)
	}
	_, err = f.WriteString(keyFileHeader + base64.StdEncoding.EncodeToString(i.key.Seed()) + "\n")
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		os.Remove(path)
		return fmt.Errorf("save peer key: %w", err)
	}
	return nil
}

// LoadOrCreateIdentity reads a key file, or makes a key and saves it if there is none.
func LoadOrCreateIdentity(path string) (Identity, error) {
	i, err := LoadIdentity(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return i, err
	}
	if i, err = NewIdentity(); err != nil {
		return Identity{}, err
	}
	return i, i.Save(path)
}

// ID is the peer id that the key stands for.
func (i Identity) ID() peer.ID { return i.id }

// Private is the key itself. A worker signs its work with it, since its evidence
// binds it.
func (i Identity) Private() ed25519.PrivateKey { return i.key }

// String hides the key.
func (i Identity) String() string { return "redacted" }

// GoString hides the key from %#v.
func (i Identity) GoString() string { return "redacted" }

// LogValue hides the key from logs.
func (i Identity) LogValue() slog.Value { return slog.StringValue("redacted") }

func (i Identity) libp2p() (crypto.PrivKey, error) {
	priv, err := crypto.UnmarshalEd25519PrivateKey(i.key)
	if err != nil {
		return nil, fmt.Errorf("peer key: %w", err)
	}
	return priv, nil
}
