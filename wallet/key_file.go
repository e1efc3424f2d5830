package wallet

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
)

// Refusals of [LoadKey]. A file that is not there is fs.ErrNotExist, and
// [SaveKey] on one that is there is fs.ErrExist.
var (
	ErrKeyMode    = errors.New("the key file is readable by others than its owner; run chmod 600 on it")
	ErrKeyDamaged = errors.New("the key file is damaged; restore it from a backup")
	ErrKeyVersion = errors.New("the key file has another format; it was written by another release, or is no key file")
	ErrPassphrase = errors.New("wrong passphrase for the key file")
)

// A key file is text, in one of two forms. Both end with the first bytes of the
// SHA-256 of all before, so that damage is told from a wrong passphrase.
//
//	tussah-key 1 plain
//	<seed>
//	<check>
//
//	tussah-key 1 encrypted
//	argon2id <time> <memory in KiB> <threads> <salt>
//	<nonce>
//	<seed, sealed with XChaCha20-Poly1305; the two lines above are its additional data>
//	<check>
const (
	plainHead     = "tussah-key 1 plain\n"
	encryptedHead = "tussah-key 1 encrypted\n"
	keyFileMax    = 1024 // the larger form has about 300 bytes
	checkSize     = 8
	saltSize      = 16
)

// kdf are the costs of turning a passphrase into a key.
type kdf struct{ time, memory, threads uint32 }

// newKDF is used for new files: about a fifth of a second, 64 MiB.
var newKDF = kdf{time: 3, memory: 64 << 10, threads: 1}

// ok bounds what a file may make LoadKey spend.
func (k kdf) ok() bool {
	return 1 <= k.time && k.time <= 16 && 8<<10 <= k.memory && k.memory <= 256<<10 && 1 <= k.threads && k.threads <= 8
}

func (k kdf) key(passphrase, salt []byte) []byte {
	return argon2.IDKey(passphrase, salt, k.time, k.memory, uint8(k.threads), chacha20poly1305.KeySize)
}

// SaveKey writes the key to a new file that only its owner can read, encrypted
// unless the passphrase is empty. The file is there completely or not at all; an
// existing one is never replaced (fs.ErrExist).
func SaveKey(path string, key Key, passphrase []byte) error {
	if key.seed == nil {
		return ErrNoKey
	}
	text := plain(key.seed())
	if len(passphrase) > 0 {
		var random [saltSize + chacha20poly1305.NonceSizeX]byte
		if _, err := rand.Read(random[:]); err != nil {
			return fmt.Errorf("draw a salt: %w", err)
		}
		text = seal(key.seed(), passphrase, newKDF, random[:saltSize], random[saltSize:])
	}
	if err := createFile(path, withCheck(text)); err != nil {
		return fmt.Errorf("save key %s: %w", path, err)
	}
	return nil
}

// LoadKey reads a key file. For an encrypted one it needs the passphrase; a plain
// one is read whatever the passphrase. It returns [ErrKeyMode], [ErrKeyDamaged],
// [ErrKeyVersion] or [ErrPassphrase].
func LoadKey(path string, passphrase []byte) (Key, error) {
	text, err := readKeyFile(path)
	if err != nil {
		return Key{}, fmt.Errorf("load key %s: %w", path, err)
	}
	key, err := parseKeyFile(text, passphrase)
	if err != nil {
		return Key{}, fmt.Errorf("load key %s: %w", path, err)
	}
	return key, nil
}

func readKeyFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	// Windows has no such bits; the folder's access list has to do there.
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w (it is %v)", ErrKeyMode, info.Mode().Perm())
	}
	return io.ReadAll(io.LimitReader(f, keyFileMax+1))
}

// parseKeyFile accepts exactly what SaveKey can write.
func parseKeyFile(text, passphrase []byte) (Key, error) {
	isPlain, isEncrypted := bytes.HasPrefix(text, []byte(plainHead)), bytes.HasPrefix(text, []byte(encryptedHead))
	if !isPlain && !isEncrypted {
		return Key{}, ErrKeyVersion
	}
	end := len(text) - (2*checkSize + 1)
	if end < 0 || len(text) > keyFileMax || !bytes.Equal(withCheck(text[:end]), text) {
		return Key{}, ErrKeyDamaged
	}
	if isPlain {
		seed, err := hex.DecodeString(string(bytes.TrimSuffix(text[len(plainHead):end], []byte("\n"))))
		if err != nil || len(seed) != ed25519.SeedSize || !bytes.Equal(plain([ed25519.SeedSize]byte(seed)), text[:end]) {
			return Key{}, ErrKeyDamaged
		}
		return KeyFromSeed([ed25519.SeedSize]byte(seed)), nil
	}
	return open(text[:end], passphrase)
}

// plain is a file that is not encrypted, without its check.
func plain(seed [ed25519.SeedSize]byte) []byte { return fmt.Appendf(nil, "%s%x\n", plainHead, seed[:]) }

// seal is an encrypted file without its check.
func seal(seed [ed25519.SeedSize]byte, passphrase []byte, k kdf, salt, nonce []byte) []byte {
	text := fmt.Appendf(nil, "%sargon2id %d %d %d %x\n", encryptedHead, k.time, k.memory, k.threads, salt)
	aead, err := chacha20poly1305.NewX(k.key(passphrase, salt))
	if err != nil {
		panic("wallet: internal error: " + err.Error()) // the key has the right size
	}
	sealed := aead.Seal(nil, nonce, seed[:], text)
	return fmt.Appendf(text, "%x\n%x\n", nonce, sealed)
}

func open(text, passphrase []byte) (Key, error) {
	lines := bytes.Split(text, []byte("\n"))
	if len(lines) != 5 {
		return Key{}, ErrKeyDamaged
	}
	var k kdf
	var salt []byte
	if _, err := fmt.Sscanf(string(lines[1]), "argon2id %d %d %d %x", &k.time, &k.memory, &k.threads, &salt); err != nil ||
		!k.ok() || len(salt) != saltSize {
		return Key{}, ErrKeyDamaged
	}
	nonce, err := hex.DecodeString(string(lines[2]))
	if err != nil || len(nonce) != chacha20poly1305.NonceSizeX {
		return Key{}, ErrKeyDamaged
	}
	sealed, err := hex.DecodeString(string(lines[3]))
	if err != nil || len(sealed) != ed25519.SeedSize+chacha20poly1305.Overhead {
		return Key{}, ErrKeyDamaged
	}
	if len(passphrase) == 0 {
		return Key{}, fmt.Errorf("%w: it is encrypted, and none was given", ErrPassphrase)
	}
	aead, err := chacha20poly1305.NewX(k.key(passphrase, salt))
	if err != nil {
		return Key{}, err
	}
	seed, err := aead.Open(nil, nonce, sealed, text[:len(encryptedHead)+len(lines[1])+1])
	if err != nil {
		return Key{}, ErrPassphrase // damage was ruled out by the check
	}
	key := KeyFromSeed([ed25519.SeedSize]byte(seed))
	if !bytes.Equal(seal(key.seed(), passphrase, k, salt, nonce), text) { // another spelling of the same numbers
		return Key{}, ErrKeyDamaged
	}
	return key, nil
}

func withCheck(text []byte) []byte {
	sum := sha256.Sum256(text)
	return fmt.Appendf(bytes.Clone(text), "%x\n", sum[:checkSize])
}

// createFile writes a new file through a temporary one, synced, so that a crash
// leaves no half a file.
func createFile(path string, text []byte) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*.tmp") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil { // a rename would replace an existing key
		return err
	}
	return syncDir(dir)
}

// syncDir makes a new name in dir survive a power loss. Windows cannot sync a
// folder, and does not need to.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
