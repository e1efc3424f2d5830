package lite

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/xssnick/tonutils-go/adnl/keys"
	"github.com/xssnick/tonutils-go/tl"
)

// ADNL over TCP, client side. A connection opens with 256 bytes:
//
//	server key id:32  client public key:32  sha256(session):32  session:160 encrypted
//
// and both directions then carry AES-CTR encrypted frames keyed by the session:
//
//	size:4  nonce:32  payload:size-64  sha256(nonce payload):32
const (
	sessionSize = 160
	nonceSize   = 32
	sumSize     = sha256.Size
)

// maxFrame bounds one incoming frame. The largest honest answers are states of
// accounts, which TON limits to 65536 cells of at most 128 bytes.
const maxFrame = 9 << 20

var (
	tagQuery      = tl.CRC("adnl.message.query query_id:int256 query:bytes = adnl.Message")
	tagAnswer     = tl.CRC("adnl.message.answer query_id:int256 answer:bytes = adnl.Message")
	tagLiteServer = tl.CRC("liteServer.query data:bytes = Object")
)

// conn is one connection. Several queries may be under way on it.
type conn struct {
	tcp net.Conn
	in  cipher.Stream

	write struct {
		sync.Mutex
		out cipher.Stream
	}
	mu struct {
		sync.Mutex
		waiting map[[32]byte]chan []byte
		err     error // set when the connection has ended
	}
	done chan struct{} // closed then too
}

// dial connects and waits for the server to prove that it has the key.
func dial(ctx context.Context, addr string, key ed25519.PublicKey) (*conn, error) {
	var d net.Dialer
	tcp, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { tcp.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	c := &conn{tcp: tcp, done: make(chan struct{})}
	c.mu.waiting = make(map[[32]byte]chan []byte)
	if err = c.handshake(key); err == nil {
		_, err = c.readFrame() // empty: the server has the session too
	}
	if err != nil {
		tcp.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("handshake: %w", err)
	}
	if !stop() { // the deadline may be set already
		tcp.Close()
		return nil, ctx.Err()
	}
	go c.read()
	return c, nil
}

func (c *conn) handshake(server ed25519.PublicKey) error {
	_, own, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	session := make([]byte, sessionSize)
	if _, err = rand.Read(session); err != nil {
		return err
	}
	if c.in, err = keys.NewCipherCtr(session[:32], session[64:80]); err != nil {
		return err
	}
	if c.write.out, err = keys.NewCipherCtr(session[32:64], session[80:96]); err != nil {
		return err
	}
	id, err := tl.Hash(keys.PublicKeyED25519{Key: server})
	if err != nil {
		return err
	}
	shared, err := keys.SharedKey(own, server)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(session)
	sealer, err := keys.BuildSharedCipher(shared, sum[:])
	if err != nil {
		return err
	}
	sealer.XORKeyStream(session, session)
	hello := append(append(append(id, own.Public().(ed25519.PublicKey)...), sum[:]...), session...)
	_, err = c.tcp.Write(hello)
	return err
}

// readFrame returns the payload of the next frame. The memory it takes grows
// with what was received, not with what the size field promises.
func (c *conn) readFrame() ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(c.tcp, size[:]); err != nil {
		return nil, err
	}
	c.in.XORKeyStream(size[:], size[:])
	n := binary.LittleEndian.Uint32(size[:])
	if n < nonceSize+sumSize || n > maxFrame {
		return nil, fmt.Errorf("frame of %d bytes", n)
	}
	var frame bytes.Buffer
	if _, err := io.CopyN(&frame, c.tcp, int64(n)); err != nil {
		return nil, err
	}
	data := frame.Bytes()
	c.in.XORKeyStream(data, data)
	body, sum := data[:n-sumSize], data[n-sumSize:]
	if want := sha256.Sum256(body); !bytes.Equal(sum, want[:]) {
		return nil, errors.New("frame checksum does not match")
	}
	return body[nonceSize:], nil
}

// read hands answers to those who wait for them until the connection ends.
func (c *conn) read() {
	for {
		payload, err := c.readFrame()
		if err != nil {
			c.end(err)
			return
		}
		// Anything else than an answer to a query of ours is passed over.
		if len(payload) < 36 || binary.LittleEndian.Uint32(payload) != tagAnswer {
			continue
		}
		id := [32]byte(payload[4:36])
		answer, _, err := tl.FromBytesNoCopy(payload[36:])
		if err != nil {
			answer = nil // too short to be any answer, which its reader says
		}
		c.mu.Lock()
		waiting := c.mu.waiting[id]
		delete(c.mu.waiting, id)
		c.mu.Unlock()
		if waiting != nil {
			waiting <- answer // has room for one
		}
	}
}

// end closes the connection; the first reason given stays.
func (c *conn) end(reason error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.err != nil {
		return
	}
	c.mu.err = reason
	c.mu.waiting = nil
	close(c.done)
	c.tcp.Close()
}

func (c *conn) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.err
}

// ask sends a liteserver query and waits for the answer.
func (c *conn) ask(ctx context.Context, query []byte) ([]byte, error) {
	var id [32]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, err
	}
	inner, err := tl.AppendBytes(binary.LittleEndian.AppendUint32(nil, tagLiteServer), query)
	if err != nil {
		return nil, err
	}
	payload := append(binary.LittleEndian.AppendUint32(nil, tagQuery), id[:]...)
	if payload, err = tl.AppendBytes(payload, inner); err != nil {
		return nil, err
	}

	answer := make(chan []byte, 1)
	c.mu.Lock()
	if err := c.mu.err; err != nil {
		c.mu.Unlock()
		return nil, err
	}
	c.mu.waiting[id] = answer
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.mu.waiting, id)
		c.mu.Unlock()
	}()
	if err := c.send(ctx, payload); err != nil {
		c.end(err)
		return nil, err
	}
	select {
	case a := <-answer:
		return a, nil
	case <-c.done:
		return nil, c.err()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *conn) send(ctx context.Context, payload []byte) error {
	frame := binary.LittleEndian.AppendUint32(nil, uint32(nonceSize+len(payload)+sumSize))
	nonce := make([]byte, nonceSize)
	if _, err := rand.Read(nonce); err != nil {
		return err
	}
	frame = append(append(frame, nonce...), payload...)
	sum := sha256.Sum256(frame[4:])
	frame = append(frame, sum[:]...)

	c.write.Lock()
	defer c.write.Unlock()
	c.write.out.XORKeyStream(frame, frame)
	// A frame is written whole or the connection ends, since the cipher has moved on.
	deadline, _ := ctx.Deadline()
	if err := c.tcp.SetWriteDeadline(deadline); err != nil {
		return err
	}
	_, err := c.tcp.Write(frame)
	return err
}
