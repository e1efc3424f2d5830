package sim

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// The authority's folder. All but the key is public.
const (
	keyFile        = "ca.key"   // the root's private key
	rootFile       = "root.pem" // its certificate
	collateralFile = "collateral.json"
)

// reissueBefore is how long before its end collateral is made anew.
const reissueBefore = 60 * 24 * time.Hour

// Errors of the authority's folder.
var (
	ErrKeyMode  = errors.New("sim: key file is readable by others; set its mode to 0600")
	ErrBadStore = errors.New("sim: folder does not hold a certificate authority")
)

// Save writes the root certificate, its key and collateral into a folder, which
// it creates. It overwrites no authority: an existing one is an error (fs.ErrExist).
func (ca *CA) Save(dir string) error {
	key, err := x509.MarshalPKCS8PrivateKey(ca.root.key)
	if err != nil {
		return fmt.Errorf("encode CA key: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create CA folder: %w", err)
	}
	if err := writeNew(filepath.Join(dir, keyFile), 0o600, "PRIVATE KEY", key); err != nil {
		return err
	}
	if err := writeNew(filepath.Join(dir, rootFile), 0o644, "CERTIFICATE", ca.root.certificate.Raw); err != nil {
		return err
	}
	return writeCollateral(dir, ca.issued)
}

// LoadCA reads what [CA.Save] wrote. It refuses a key that others can read. If
// the folder's collateral is missing, not of this authority or ends within 60
// days, it is made anew there.
func LoadCA(dir string) (*CA, error) {
	certificate, err := LoadRoot(dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, keyFile)
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("load CA key: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w: %s has %v", ErrKeyMode, path, info.Mode().Perm())
	}
	der, err := readPEM(path, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrBadStore, path, err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || !key.PublicKey.Equal(certificate.PublicKey) {
		return nil, fmt.Errorf("%w: %s is not the key of %s", ErrBadStore, keyFile, rootFile)
	}
	ca := &CA{root: authority{certificate: certificate, key: key}}
	issued, err := LoadCollateral(dir)
	if err == nil {
		err = ca.hold(issued)
	}
	if err == nil && time.Until(ca.collateral.Expires()) > reissueBefore {
		return ca, nil
	}
	if issued, err = ca.Reissue(dir); err != nil {
		return nil, err
	}
	if err := ca.hold(issued); err != nil {
		return nil, err
	}
	return ca, nil
}

// Reissue makes collateral anew and puts it in place of the folder's. Whoever
// has loaded the old one keeps it.
func (ca *CA) Reissue(dir string) (tdx.Collateral, error) {
	c, err := ca.Collateral()
	if err != nil {
		return tdx.Collateral{}, err
	}
	if err := writeCollateral(dir, c); err != nil {
		return tdx.Collateral{}, err
	}
	return c, nil
}

// LoadVerifier is [CA.Verifier] for a folder that [CA.Save] wrote. It needs no
// access to the key. If collateral has expired, whoever has the key must
// [CA.Reissue] it, as [LoadCA] does.
func LoadVerifier(dir string) (*tdx.Verifier, error) {
	root, err := LoadRoot(dir)
	if err != nil {
		return nil, err
	}
	c, err := LoadCollateral(dir)
	if err != nil {
		return nil, err
	}
	roots := []*x509.Certificate{root}
	verified, err := tdx.ParseCollateral(c, roots, time.Now())
	if err != nil {
		return nil, fmt.Errorf("load collateral from %s: %w", dir, err)
	}
	return &tdx.Verifier{Roots: roots, Collateral: verified}, nil
}

// LoadRoot reads the root certificate from a folder that [CA.Save] wrote. It
// needs no access to the key.
func LoadRoot(dir string) (*x509.Certificate, error) {
	path := filepath.Join(dir, rootFile)
	der, err := readPEM(path, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrBadStore, path, err)
	}
	return certificate, nil
}

// LoadCollateral reads the collateral from a folder that [CA.Save] wrote. It
// needs no access to the key.
func LoadCollateral(dir string) (tdx.Collateral, error) {
	path := filepath.Join(dir, collateralFile)
	raw, err := os.ReadFile(path)
	if err != nil {
		return tdx.Collateral{}, fmt.Errorf("load collateral: %w", err)
	}
	var c tdx.Collateral
	if err := json.Unmarshal(raw, &c); err != nil {
		return tdx.Collateral{}, fmt.Errorf("%w: %s: %w", ErrBadStore, path, err)
	}
	return c, nil
}

// writeCollateral replaces the folder's collateral in one step: another process
// may be reading it, or writing it too.
func writeCollateral(dir string, c tdx.Collateral) error {
	raw, err := json.MarshalIndent(c, "", "\t")
	if err != nil {
		return fmt.Errorf("encode collateral: %w", err)
	}
	f, err := os.CreateTemp(dir, collateralFile+".*")
	if err != nil {
		return fmt.Errorf("save collateral: %w", err)
	}
	_, err = f.Write(append(raw, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		// CreateTemp lets nobody else read.
		err = os.Chmod(f.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, collateralFile))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("save collateral: %w", err), os.Remove(f.Name()))
	}
	return nil
}

func writeNew(path string, mode fs.FileMode, kind string, der []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("save CA: %w", err)
	}
	err = pem.Encode(f, &pem.Block{Type: kind, Bytes: der})
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("save CA: write %s: %w", path, err)
	}
	return nil
}

func readPEM(path, kind string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("load CA: %w", err)
	}
	block, _ := pem.Decode(raw)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("%w: %s holds no %s", ErrBadStore, path, kind)
	}
	return block.Bytes, nil
}
