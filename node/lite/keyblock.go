package lite

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// KeyBlock names a masterchain key block: one that carries the configuration, and
// with it the validators who sign the blocks after it.
type KeyBlock struct {
	Seqno    uint32
	RootHash [32]byte
	FileHash [32]byte
}

// String is seqno:root:file, with the hashes in hex. [ParseKeyBlock] reads it.
func (k KeyBlock) String() string {
	return fmt.Sprintf("%d:%x:%x", k.Seqno, k.RootHash, k.FileHash)
}

// ParseKeyBlock reads what [KeyBlock.String] writes, and no other spelling of it.
// Block 0 is refused with the rest ([ErrKeyBlock]): it is a state that nobody
// signed, so nothing can be proven from it.
func ParseKeyBlock(text string) (KeyBlock, error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return KeyBlock{}, fmt.Errorf("%w: %d parts instead of seqno:root:file", ErrKeyBlock, len(parts))
	}
	seqno, err := strconv.ParseUint(parts[0], 10, 32)
	if err != nil || seqno == 0 {
		return KeyBlock{}, fmt.Errorf("%w: seqno %q", ErrKeyBlock, clip(parts[0]))
	}
	k := KeyBlock{Seqno: uint32(seqno)}
	for i, hash := range []*[32]byte{&k.RootHash, &k.FileHash} {
		data, err := hex.DecodeString(parts[1+i])
		if err != nil || len(data) != len(hash) {
			return KeyBlock{}, fmt.Errorf("%w: hash %q is not 64 hex digits", ErrKeyBlock, clip(parts[1+i]))
		}
		copy(hash[:], data)
	}
	if k.String() != text {
		return KeyBlock{}, fmt.Errorf("%w: want it spelled %s", ErrKeyBlock, k)
	}
	return k, nil
}

func (k KeyBlock) id() *blockID { return masterID(k.Seqno, k.RootHash, k.FileHash) }

func keyBlock(id *blockID) KeyBlock {
	return KeyBlock{id.SeqNo, [32]byte(id.RootHash), [32]byte(id.FileHash)}
}
