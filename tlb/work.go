package tlb

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Work is what a worker states about one request it served, and signs with the key that its
// evidence binds.
//
//	work#74757731 request:bits256 model:bits256 usage:Usage
//	  ^[ image:bits256 evidence:bits256 transcript:bits256 ] = Work;
type Work struct {
	Request    [32]byte // the client's request id
	Model      [32]byte // [ModelHash] of the model that answered
	Image      [32]byte // measured image the worker runs
	Evidence   [32]byte // hash of the evidence it showed
	Usage      Usage
	Transcript [32]byte // SHA-256 of all body parts it delivered, in order
}

// ModelHash is how a model's name is written in [Work]: its SHA-256.
func ModelHash(name string) [32]byte { return sha256.Sum256([]byte(name)) }

// ToCell encodes w. It returns [ErrUsage] if the token counts are impossible.
func (w Work) ToCell() (*cell.Cell, error) {
	proof := newWriter()
	proof.bytes(w.Image[:])
	proof.bytes(w.Evidence[:])
	proof.bytes(w.Transcript[:])

	root := newWriter()
	root.uint(TagWork, 32)
	root.bytes(w.Request[:])
	root.bytes(w.Model[:])
	root.usage(w.Usage)
	root.ref(proof.end())
	c, err := root.end()
	if err != nil {
		return nil, fmt.Errorf("encode work: %w", err)
	}
	return c, nil
}

// ParseWork decodes what [Work.ToCell] writes, and nothing else.
func ParseWork(c *cell.Cell) (Work, error) {
	var w Work
	root := newReader(c)
	root.tag(TagWork)
	root.bytes(w.Request[:])
	root.bytes(w.Model[:])
	w.Usage = root.usage()
	proofCell := root.ref()
	if err := root.end(); err != nil {
		return Work{}, fmt.Errorf("work: %w", err)
	}
	proof := newReader(proofCell)
	proof.bytes(w.Image[:])
	proof.bytes(w.Evidence[:])
	proof.bytes(w.Transcript[:])
	if err := proof.end(); err != nil {
		return Work{}, fmt.Errorf("work: %w", err)
	}
	return w, nil
}

// Hash is the cell hash, which is what gets signed.
func (w Work) Hash() ([32]byte, error) {
	c, err := w.ToCell()
	if err != nil {
		return [32]byte{}, err
	}
	return c.HashKey(), nil
}

// Sign signs w with the worker's key. The signature goes into [Receipt].WorkerSig.
func (w Work) Sign(key ed25519.PrivateKey) (sig [64]byte, err error) {
	hash, err := w.Hash()
	if err != nil {
		return sig, err
	}
	if sig, err = sign(hash, key); err != nil {
		return sig, fmt.Errorf("sign work: %w", err)
	}
	return sig, nil
}

// Verify returns [ErrBadSignature] unless pub signed w, and [ErrWeakKey] if pub is a key under which
// that would prove nothing.
func (w Work) Verify(pub ed25519.PublicKey, sig [64]byte) error {
	hash, err := w.Hash()
	if err != nil {
		return err
	}
	if err := verify(hash, pub, sig); err != nil {
		return fmt.Errorf("work: %w", err)
	}
	return nil
}
