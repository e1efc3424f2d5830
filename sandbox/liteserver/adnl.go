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

// channel is one encrypted connection. Reading and writing use separate
// ciphers, so one goroutine may read while another writes.
type channel struct {
	rw  io.ReadWriter
	in  cipher.Stream
	out cipher.Stream
}

// accept performs the server's half of the handshake.
func accept(rw io.ReadWriter, id [32]byte, key ed25519.PrivateKey) (*channel, error) {
	var hello [handshakeSize]byte
	if _, err := io.ReadFull(rw, hello[:]); err != nil {
		return nil, err
	}
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
	c := &channel{rw: rw, in: in, out: out}
	// An empty frame tells the client that the server has the session too.
	return c, c.write(nil)
}

// read returns the payload of the next frame. The memory it takes grows with
// what was received, not with what the size field promises.
func (c *channel) read() ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(c.rw, size[:]); err != nil {
		return nil, err
	}
	c.in.XORKeyStream(size[:], size[:])
	n := binary.LittleEndian.Uint32(size[:])
	if n < nonceSize+checksumSize || n > nonceSize+checksumSize+maxRequest {
		return nil, errFrameSize
	}
	var frame bytes.Buffer
	if _, err := io.CopyN(&frame, c.rw, int64(n)); err != nil {
		return nil, err
	}
	data := frame.Bytes()
	c.in.XORKeyStream(data, data)
	body, checksum := data[:n-checksumSize], data[n-checksumSize:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], checksum) {
		return nil, errFrameChecksum
	}
	return body[nonceSize:], nil
}

// write sends payload as one frame.
func (c *channel) write(payload []byte) error {
	frame := make([]byte, 4+nonceSize, 4+nonceSize+len(payload)+checksumSize)
	binary.LittleEndian.PutUint32(frame, uint32(nonceSize+len(payload)+checksumSize))
	if _, err := rand.Read(frame[4:]); err != nil {
		return err
	}
	frame = append(frame, payload...)
	sum := sha256.Sum256(frame[4:])
	frame = append(frame, sum[:]...)
	c.out.XORKeyStream(frame, frame)
	_, err := c.rw.Write(frame)
	return err
}
