package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
)

// call is one JSON-RPC 2.0 call.
type call struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id,omitempty"` // absent: nobody wants an answer
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params,omitempty"`
}

// reply to a call: a result or an error.
type reply struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  any             `json:"result,omitempty"`
	Error   *Error          `json:"error,omitempty"`
}

var null = json.RawMessage("null")

func refuse(id json.RawMessage, err error) reply {
	if len(id) == 0 {
		id = null
	}
	return reply{Version: "2.0", ID: id, Error: newError(err)}
}

// parseRequest takes a body apart: one call, or a batch of them. A member of
// the batch that is no call does not spoil the others.
func parseRequest(body []byte) (calls []json.RawMessage, batch bool, err error) {
	if !json.Valid(body) {
		return nil, false, ErrParse
	}
	if depth(body) > maxDepth {
		return nil, false, fmt.Errorf("%w: nested deeper than %d", ErrRequest, maxDepth)
	}
	body = bytes.TrimLeft(body, " \t\r\n")
	if body[0] != '[' {
		return []json.RawMessage{body}, false, nil
	}
	if err := json.Unmarshal(body, &calls); err != nil {
		return nil, true, fmt.Errorf("%w: %v", ErrParse, err)
	}
	if len(calls) == 0 || len(calls) > MaxBatch {
		return nil, true, fmt.Errorf("%w: a batch has 1 … %d calls", ErrRequest, MaxBatch)
	}
	return calls, true, nil
}

// depth is how deep valid JSON is nested.
func depth(data []byte) (deepest int) {
	now, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}

// parseCall decodes one call. With an error, the call has its id if it has one.
func parseCall(data []byte) (call, error) {
	var c call
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(&c)
	if len(c.ID) > 0 && (c.ID[0] == '{' || c.ID[0] == '[' || c.ID[0] == 't' || c.ID[0] == 'f') {
		c.ID, err = nil, fmt.Errorf("id is no string or number")
	}
	switch {
	case err != nil:
		return c, fmt.Errorf("%w: %v", ErrRequest, err)
	case c.Version != "2.0":
		return c, fmt.Errorf(`%w: jsonrpc is not "2.0"`, ErrRequest)
	case c.Method == "":
		return c, fmt.Errorf("%w: method is missing", ErrRequest)
	}
	return c, nil
}

// answer does what a body asks for. It returns nil if nobody wants to know.
func (s *Server) answer(ctx context.Context, body []byte) any {
	calls, batch, err := parseRequest(body)
	if err != nil {
		return refuse(nil, err)
	}
	var replies []reply
	for _, data := range calls {
		c, err := parseCall(data)
		if err != nil {
			replies = append(replies, refuse(c.ID, err))
			continue
		}
		r := s.do(ctx, c)
		if len(c.ID) > 0 {
			replies = append(replies, r)
		}
	}
	switch {
	case len(replies) == 0:
		return nil
	case batch:
		return replies
	}
	return replies[0]
}

func (s *Server) do(ctx context.Context, c call) (r reply) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("verb panicked", "verb", c.Method, "panic", p, "stack", string(debug.Stack()))
			r = refuse(c.ID, ErrInternal)
		}
	}()
	v, err := Find(c.Method)
	if err != nil {
		return refuse(c.ID, err)
	}
	result, err := v.run(ctx, s.world, c.Params)
	if err != nil {
		s.log.Debug("verb refused", "verb", c.Method, "err", err)
		return refuse(c.ID, err)
	}
	s.log.Debug("verb done", "verb", c.Method)
	return reply{Version: "2.0", ID: c.ID, Result: result}
}
