package liteserver

import (
	"bufio"
	"context"
	"net"
	"sync"
	"time"
)

// connection is what the goroutines of one connection share. This is one that
// reads; one per query that computes, at most maxInFlight of them; and one that
// writes. None takes the processor for long but in a place of its host's.
type connection struct {
	s     *Server
	host  *host
	net   net.Conn
	ch    *channel
	stop  context.CancelFunc
	turns chan struct{} // places for queries being computed
	// places are for queries taken and not answered. A place is given back when
	// the answer is written, so a client that does not read is not read either.
	places  chan struct{}
	answers chan answer
}

// answer is an encoded message on its way out.
type answer struct {
	payload []byte
	sent    func() // called once it is written, or never will be
}

// serve runs one connection.
func (s *Server) serve(ctx context.Context, conn net.Conn, h *host) {
	defer func() {
		// The handshake and the envelope are parsed here, outside resolve.
		if p := recover(); p != nil {
			s.opt.Log.Error("connection panicked", "remote", conn.RemoteAddr(), "panic", p)
		}
	}()
	conn.SetDeadline(time.Now().Add(handshakeTimeout))
	c := &connection{
		s: s, host: h, net: conn,
		turns: make(chan struct{}, h.all.turns), places: make(chan struct{}, maxInFlight), answers: make(chan answer, maxInFlight),
	}
	in := bufio.NewReaderSize(conn, readBuffer)
	hello, err := readHello(in)
	if err != nil {
		return
	}
	if worked := h.work(ctx, func() { c.ch, err = accept(hello, s.keyID, s.key) }); worked != nil {
		return
	}
	if err == nil {
		// An empty frame tells the client that the server has the session too.
		_, err = conn.Write(c.ch.seal(nil, nil))
	}
	if err != nil {
		s.opt.Log.Debug("handshake", "remote", conn.RemoteAddr(), "err", err)
		return
	}

	ctx, c.stop = context.WithCancel(ctx)
	var queries, writer sync.WaitGroup
	writer.Go(func() { c.write(ctx) })
	defer func() {
		c.stop()
		queries.Wait()
		close(c.answers)
		writer.Wait()
	}()
	c.read(ctx, in, &queries)
}

// read takes messages until the connection ends or the client breaks the rules.
func (c *connection) read(ctx context.Context, in *bufio.Reader, queries *sync.WaitGroup) {
	for {
		c.net.SetReadDeadline(time.Now().Add(idleTimeout))
		frame, err := c.ch.readFrame(in)
		if err != nil {
			return
		}
		if c.host.pace(ctx) != nil {
			return
		}
		var m message
		if c.host.work(ctx, func() { m, err = c.open(ctx, frame) }) != nil || err != nil {
			return
		}
		if m.reply != nil {
			c.answers <- answer{m.reply, func() {}}
		}
		if m.request == nil {
			continue
		}
		select {
		case c.places <- struct{}{}:
		case <-ctx.Done():
			return
		}
		done := make(chan struct{})
		queries.Go(func() {
			defer close(done)
			c.answer(ctx, m)
		})
		if len(frame) > largeQuery {
			<-done // so that few of them are in memory
		}
	}
}

// message is what a frame says.
type message struct {
	id      queryID
	request *request // what is still to be answered; nil: nothing
	reply   []byte   // what could be answered at once; nil: nothing
}

// open decrypts a frame and takes it apart. What takes no longer to answer than
// to hand on, it answers.
func (c *connection) open(ctx context.Context, frame []byte) (m message, err error) {
	data, err := c.ch.open(frame)
	if err != nil {
		return m, err
	}
	tag, rest, err := splitTag(data)
	if err != nil {
		return m, err
	}
	switch tag {
	case tagMessage:
		var query []byte
		if m.id, query, err = parseEnvelope(rest); err != nil {
			return m, err
		}
		req, fault := c.s.parse(query)
		if fault != nil || req.quick() {
			m.reply = c.s.compute(ctx, m.id, req, fault)
		} else {
			m.request = &req
		}
	case tagPing:
		m.reply, err = encodePong(rest)
	case tagAuthenticate:
		m.reply, err = encodeNonce()
	case tagAuthComplete:
	default:
		err = errMessage
	}
	return m, err
}

// answer computes the answer to a query and leaves it to the writer.
func (c *connection) answer(ctx context.Context, m message) {
	a := answer{sent: func() { <-c.places }}
	a.payload = c.s.resolve(ctx, m.id, *m.request, func(do func()) error { return c.host.work(ctx, do, c.turns) })
	if len(a.payload) > largeAnswer {
		select {
		case c.host.large <- struct{}{}:
			a.sent = func() { <-c.places; <-c.host.large }
		case <-ctx.Done(): // it will not be written
		}
	}
	c.answers <- a // there is room for one for each place
}

// write sends answers, those that are ready together in one go.
func (c *connection) write(ctx context.Context) {
	for a := range c.answers {
		var out []byte
		batch := []answer{a}
		for size := len(a.payload); size < writeBatch && len(c.answers) > 0; {
			next, ok := <-c.answers
			if !ok {
				break
			}
			batch, size = append(batch, next), size+len(next.payload)
		}
		err := c.host.work(ctx, func() {
			for _, a := range batch {
				out = c.ch.seal(out, a.payload)
			}
		})
		if err == nil {
			c.net.SetWriteDeadline(time.Now().Add(writeTimeout))
			_, err = c.net.Write(out)
		}
		for _, a := range batch {
			a.sent()
		}
		if err != nil {
			c.stop()
			c.net.Close() // ends the reader; what is left is thrown away
		}
	}
}
