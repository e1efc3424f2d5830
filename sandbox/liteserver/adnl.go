package liteserver

import (
	"bytes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/xssnick/tonutils-go/adnl/keys"
	"github.com/xssnick/tonutils-go/tl"
)

// ADNL over TCP, server side.
//
// A client opens with 256 bytes:
//
//	server key id:32  client public key:32  sha256(session):32  session:160 encrypted
//
// and both directions then carry AES-CTR encrypted frames keyed by the session:
//
//	size:4  nonce:32  payload:size-64  sha256(nonce payload):32

const (
	handshakeSize = 256
	sessionSize   = 160
	nonceSize     = 32
	checksumSize  = sha256.Size
)

// Transport faults; any of them ends the connection, none is answered.
var (
	errHandshakeKey      = errors.New("handshake names another server key")
	errHandshakeChecksum = errors.New("handshake checksum does not match")
	errFrameSize         = errors.New("frame size out of range")
	errFrameChecksum     = errors.New("frame checksum does not match")
)

// keyID is the short name of an Ed25519 key, by which a handshake and a block
// signature refer to it.
func keyID(key ed25519.PublicKey) ([32]byte, error) {
	id, err := tl.Hash(keys.PublicKeyED25519{Key: key})
	if err != nil {
		return [32]byte{}, err
	}
	return [32]byte(id), nil
}

// channel is the encryption of one connection. Each direction has a cipher of
// its own, so one goroutine may read while another writes.
type channel struct {
	in  cipher.Stream
	out cipher.Stream
}

// readHello receives a client's half of the handshake.
func readHello(r io.Reader) ([]byte, error) {
	hello := make([]byte, handshakeSize)
	_, err := io.ReadFull(r, hello)
	return hello, err
}

// accept checks a client's half of the handshake.
func accept(hello []byte, id [32]byte, key ed25519.PrivateKey) (*channel, error) {
	if !bytes.Equal(hello[:32], id[:]) {
		return nil, errHandshakeKey
	}
	shared, err := keys.SharedKey(key, hello[32:64])
	if err != nil {
		return nil, fmt.Errorf("handshake key: %w", err)
	}
	checksum, session := hello[64:96], hello[96:]
	opener, err := keys.BuildSharedCipher(shared, checksum)
	if err != nil {
		return nil, err
	}
	opener.XORKeyStream(session, session)
	if sum := sha256.Sum256(session); !bytes.Equal(sum[:], checksum) {
		return nil, errHandshakeChecksum
	}
	// The session's first key and nonce are for what the client receives.
	out, err := keys.NewCipherCtr(session[:32], session[64:80])
	if err != nil {
		return nil, err
	}
	in, err := keys.NewCipherCtr(session[32:64], session[80:96])
	if err != nil {
		return nil, err
	}
	return &channel{in: in, out: out}, nil
}

// readFrame receives the next frame, still encrypted but for its size. The
// memory it takes grows with what was received, not with what the size promises.
func (c *channel) readFrame(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	c.in.XORKeyStream(size[:], size[:])
	n := binary.LittleEndian.Uint32(size[:])
	if n < nonceSize+checksumSize || n > nonceSize+checksumSize+maxRequest {
		return nil, errFrameSize
	}
	var frame bytes.Buffer
	if _, err := io.CopyN(&frame, r, int64(n)); err != nil {
		return nil, err
	}
	return frame.Bytes(), nil
}

// open decrypts a frame in place, and returns its payload.
func (c *channel) open(frame []byte) ([]byte, error) {
	c.in.XORKeyStream(frame, frame)
	body, checksum := frame[:len(frame)-checksumSize], frame[len(frame)-checksumSize:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], checksum) {
		return nil, errFrameChecksum
	}
	return body[nonceSize:], nil
}

// seal appends payload as one frame to out.
func (c *channel) seal(out, payload []byte) []byte {
	start := len(out)
	out = slices.Grow(out, 4+nonceSize+len(payload)+checksumSize)
	out = binary.LittleEndian.AppendUint32(out, uint32(nonceSize+len(payload)+checksumSize))
	out = out[:start+4+nonceSize]
	rand.Read(out[start+4:]) // never fails
	out = append(out, payload...)
	sum := sha256.Sum256(out[start+4:])
	out = append(out, sum[:]...)
	c.out.XORKeyStream(out[start:], out[start:])
	return out
}
