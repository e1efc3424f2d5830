package liteserver

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/xssnick/tonutils-go/liteclient"
	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"
)

// The TL envelope around a query:
//
//	adnl.message.query query_id:int256 query:bytes
//	  query = liteServer.query data:bytes
//	    data = [liteServer.waitMasterchainSeqno seqno:int timeout_ms:int] [method]
//
// It is taken apart by hand, not by the library's parser, so that a method this
// server does not know gets an answer instead of a closed connection.
var (
	tagPing         = tl.CRC("tcp.ping random_id:long = tcp.Pong")
	tagAuthenticate = tl.CRC("tcp.authentificate nonce:bytes = tcp.Message")
	tagAuthComplete = tl.CRC("tcp.authentificationComplete key:PublicKey signature:bytes = tcp.Message")
	tagMessage      = tl.CRC("adnl.message.query query_id:int256 query:bytes = adnl.Message")
	tagAnswer       = tl.CRC("adnl.message.answer query_id:int256 answer:bytes = adnl.Message")
	tagQuery        = tl.CRC("liteServer.query data:bytes = Object")
	tagPrefix       = tl.CRC("liteServer.queryPrefix = Object")
	tagWait         = tl.CRC("liteServer.waitMasterchainSeqno seqno:int timeout_ms:int = Object")
)

// errMessage is a frame that is no message at all; it ends the connection.
var errMessage = errors.New("malformed message")

// queryID ties an answer to its query.
type queryID [32]byte

// splitTag takes the constructor number off the front of data.
func splitTag(data []byte) (tag uint32, rest []byte, err error) {
	if len(data) < 4 {
		return 0, nil, errMessage
	}
	return binary.LittleEndian.Uint32(data), data[4:], nil
}

// parseEnvelope returns the ID of an adnl query and the data of the
// liteServer.query in it.
func parseEnvelope(data []byte) (id queryID, query []byte, err error) {
	if len(data) < len(id) {
		return id, nil, errMessage
	}
	copy(id[:], data)
	payload, _, err := tl.FromBytesNoCopy(data[len(id):])
	if err != nil {
		return id, nil, errMessage
	}
	tag, rest, err := splitTag(payload)
	if err != nil || tag != tagQuery {
		return id, nil, errMessage
	}
	query, _, err = tl.FromBytesNoCopy(rest)
	if err != nil {
		return id, nil, errMessage
	}
	return id, query, nil
}

// request is one parsed query.
type request struct {
	wait   *ton.WaitMasterchainSeqno // nil: do not wait
	method any                       // nil: only wait
}

// quick tells that answering takes no longer than handing the query on.
func (r request) quick() bool {
	switch r.method.(type) {
	case ton.GetTime, ton.GetVersion:
		return r.wait == nil
	}
	return false
}

// parseRequest reads the data of a liteServer.query.
func parseRequest(data []byte) (request, error) {
	var r request
	for len(data) > 0 {
		tag, rest, err := splitTag(data)
		if err != nil {
			return r, badQuery("query is cut short")
		}
		switch tag {
		case tagPrefix:
			data = rest
			continue
		case tagWait:
			if r.wait != nil {
				return r, badQuery("two wait prefixes")
			}
			r.wait = new(ton.WaitMasterchainSeqno)
			if data, err = r.wait.Parse(rest); err != nil {
				return r, badQuery("wait prefix is cut short")
			}
			continue
		}
		// The reference server allows bytes after the method; so do we.
		if _, err = tl.Parse(&r.method, data, true); err != nil {
			return r, fmt.Errorf("%w (constructor %08x)", ErrUnknownQuery, tag)
		}
		return r, nil
	}
	if r.wait == nil {
		return r, badQuery("query is empty")
	}
	return r, nil
}

// encodeAnswer wraps an answer for the query id.
func encodeAnswer(id queryID, answer tl.Serializable) ([]byte, error) {
	payload, err := tl.Serialize(answer, true)
	if err != nil {
		return nil, fmt.Errorf("serialize %T: %w", answer, err)
	}
	if len(payload) > maxAnswer {
		return nil, ErrTooLarge
	}
	out := make([]byte, 0, 4+len(id)+len(payload)+8)
	out = binary.LittleEndian.AppendUint32(out, tagAnswer)
	out = append(out, id[:]...)
	return tl.AppendBytes(out, payload)
}

// encodeFailure is what the client is told about a fault.
func encodeFailure(id queryID, err error) []byte {
	answer, _ := failure(err)
	payload, err := encodeAnswer(id, answer)
	if err != nil {
		panic("liteserver: internal error: encode liteServer.error: " + err.Error())
	}
	return payload
}

// encodePong answers a ping, whose random ID is the rest of its message.
func encodePong(rest []byte) ([]byte, error) {
	if len(rest) < 8 {
		return nil, errMessage
	}
	return tl.Serialize(liteclient.TCPPong{RandomID: int64(binary.LittleEndian.Uint64(rest))}, true)
}

// encodeNonce answers a client that wants to authenticate. Anyone may use a
// sandbox, so its signature is not looked at.
func encodeNonce() ([]byte, error) {
	return tl.Serialize(liteclient.TCPAuthenticationNonce{Nonce: make([]byte, 32)}, true)
}
