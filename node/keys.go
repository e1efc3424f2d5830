package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tussah-network/tussah/p2p"
	"github.com/tussah-network/tussah/wallet"
)

// keys are the hot keys of a node, in its data folder. None of them can move
// coins by itself: that is the wallet's key, which has a file of its own.
type keys struct {
	identity p2p.Identity // libp2p peer id; a worker signs its work with it, since its evidence binds it
	session  wallet.Key   // signs vouchers: bounded by the deposits of open channels
	payee    wallet.Key   // signs receipts and consents to close
}

// IdentityFile is the libp2p key in a data folder.
const IdentityFile = "identity.key"

// loadKeys reads the keys, and makes those that are missing.
func loadKeys(dir string) (keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return keys{}, fmt.Errorf("create the data folder: %w", err)
	}
	var k keys
	var err error
	if k.identity, err = p2p.LoadOrCreateIdentity(filepath.Join(dir, IdentityFile)); err != nil {
		return keys{}, err
	}
	for name, key := range map[string]*wallet.Key{"session.key": &k.session, "payee.key": &k.payee} {
		if *key, err = loadOrMakeKey(filepath.Join(dir, name)); err != nil {
			return keys{}, err
		}
	}
	return k, nil
}

func loadOrMakeKey(name string) (wallet.Key, error) {
	key, err := wallet.LoadKey(name, nil)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if key, err = wallet.NewKey(); err != nil {
		return wallet.Key{}, err
	}
	return key, wallet.SaveKey(name, key, nil)
}
