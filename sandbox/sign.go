package sandbox

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/xssnick/tonutils-go/adnl/keys"
	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"
)

// catchainSeqno numbers the validators' sessions; there is only one.
const catchainSeqno = 1

// signer is the one validator.
type signer struct {
	key     ed25519.PrivateKey
	node    [32]byte // its short id
	setHash uint32   // of the validator set it makes up
}

// newSigner derives the validator's key. It is the same for all sandboxes of
// one network id, so that chains built from the same options are the same
// chain. It guards nothing.
func newSigner(globalID int32) (*signer, error) {
	seed := sha256.Sum256(binary.BigEndian.AppendUint32([]byte("tussah sandbox validator"), uint32(globalID)))
	s := &signer{key: ed25519.NewKeyFromSeed(seed[:])}
	node, err := tl.Hash(keys.PublicKeyED25519{Key: s.public()})
	if err != nil {
		return nil, fmt.Errorf("validator id: %w", err)
	}
	s.node = [32]byte(node)
	set, err := tl.Serialize(ton.ValidatorSetHashable{
		CCSeqno:    catchainSeqno,
		Validators: []ton.ValidatorItemHashable{{Key: s.public(), Weight: validatorWeight, Addr: make([]byte, 32)}},
	}, true)
	if err != nil {
		return nil, fmt.Errorf("validator set: %w", err)
	}
	s.setHash = crc32.Checksum(set, crc32.MakeTable(crc32.Castagnoli))
	return s, nil
}

func (s *signer) public() ed25519.PublicKey { return s.key.Public().(ed25519.PublicKey) }

// sign puts the validator's name under a block. Ed25519 is deterministic, so
// signatures need not be stored.
func (s *signer) sign(m blockMeta) (Signature, error) {
	text, err := tl.Serialize(ton.BlockID{RootHash: m.root[:], FileHash: m.file[:]}, true)
	if err != nil {
		return Signature{}, fmt.Errorf("sign block %d: %w", m.seqno, err)
	}
	return Signature{Node: s.node, Signature: ed25519.Sign(s.key, text)}, nil
}
