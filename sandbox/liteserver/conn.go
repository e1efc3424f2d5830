package liteserver

import (
	"context"
	"net"
	"sync"
	"time"
)

// serve runs one connection. Three kinds of goroutine share it: this one
// reads; one goroutine per query computes, at most maxInFlight of them; one
// writes. A query's place is given back when its answer is written, so a client
// that does not read its answers stops being read.
func (s *Server) serve(ctx context.Context, conn net.Conn) {
	defer func() {
		// The handshake and the envelope are parsed here, outside resolve.
		if p := recover(); p != nil {
			s.opt.Log.Error("connection panicked", "remote", conn.RemoteAddr(), "panic", p)
		}
	}()
	conn.SetDeadline(time.Now().Add(handshakeTimeout))
	ch, err := accept(conn, s.keyID, s.key)
	if err != nil {
		s.opt.Log.Debug("handshake", "remote", conn.RemoteAddr(), "err", err)
		return
	}

	ctx, cancel := context.WithCancel(ctx)
	answers := make(chan []byte)
	places := make(chan struct{}, maxInFlight)
	turns := make(chan struct{}, maxTurns)
	var queries, writer sync.WaitGroup
	writer.Go(func() {
		for payload := range answers {
			conn.SetWriteDeadline(time.Now().Add(writeTimeout))
			if err := ch.write(payload); err != nil {
				cancel()
				conn.Close() // ends the reader; what is left is thrown away
			}
		}
	})
	defer func() {
		cancel()
		queries.Wait()
		close(answers)
		writer.Wait()
	}()

	for {
		conn.SetReadDeadline(time.Now().Add(idleTimeout))
		data, err := ch.read()
		if err != nil {
			return
		}
		tag, rest, err := splitTag(data)
		if err != nil {
			return
		}
		var reply []byte
		switch tag {
		case tagMessage:
			id, query, err := parseEnvelope(rest)
			if err != nil {
				return
			}
			select {
			case places <- struct{}{}:
			case <-ctx.Done():
				return
			}
			queries.Go(func() {
				defer func() { <-places }()
				answers <- s.reply(ctx, id, query, turns)
			})
			continue
		case tagPing:
			reply, err = encodePong(rest)
		case tagAuthenticate:
			reply, err = encodeNonce()
		case tagAuthComplete:
			continue
		default:
			err = errMessage
		}
		if err != nil {
			return
		}
		answers <- reply
	}
}

// reply is the encoded answer to one query.
func (s *Server) reply(ctx context.Context, id queryID, query []byte, turns chan struct{}) []byte {
	payload, err := encodeAnswer(id, s.resolve(ctx, query, turns))
	if err == nil {
		return payload
	}
	failed, known := failure(err)
	if !known {
		s.opt.Log.Error("encode answer", "err", err)
	}
	if payload, err = encodeAnswer(id, failed); err != nil {
		panic("liteserver: internal error: encode liteServer.error: " + err.Error())
	}
	return payload
}
