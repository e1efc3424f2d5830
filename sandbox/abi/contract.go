package abi

import (
	"fmt"
	"slices"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Contract describes what a contract takes, sends, stores and throws. It is
// not changed once in use, and may be used from any goroutine.
type Contract struct {
	Name, Author, Version, Description string

	// Storage is the type of the contract's data, StorageAtDeploy of what it
	// is deployed with if that is another. Nil: not told.
	Storage, StorageAtDeploy Type
	// Incoming are the internal messages the contract handles, External the
	// external ones.
	Incoming, External []Message
	// Outgoing are the messages it sends, Events those to the world outside.
	Outgoing, Events []Message
	Getters          []Getter
	Errors           []ThrownError
	// Code is what the compiler made, if the ABI brought it; else nil.
	Code *cell.Cell
}

// Message is one kind of message.
type Message struct {
	// Name is empty for the name of the body's type.
	Name        string
	Body        Type
	Description string
}

// Called is the name of the message.
func (m Message) Called() string {
	if m.Name != "" || m.Body == nil {
		return m.Name
	}
	return m.Body.String()
}

// Getter is a get method. Its types are those of stack entries, not of bytes.
type Getter struct {
	Name        string
	ID          int32
	Params      []Field
	Returns     Type
	Description string
}

// ThrownError is an exit code of the contract's own.
type ThrownError struct {
	Code int32
	// Name is empty where the source throws a bare number.
	Name, Description string
}

// all yields every message, those that come in first.
func (c Contract) all() []Message {
	return slices.Concat(c.Incoming, c.External, c.Outgoing, c.Events)
}

// Message names the message with the given operation code.
func (c Contract) Message(op uint32) (string, bool) {
	prefix := *Op(op)
	for _, m := range c.all() {
		switch body := m.Body.(type) {
		case *Struct:
			if body.Prefix != nil && *body.Prefix == prefix {
				return m.Called(), true
			}
		case *Union:
			for _, v := range body.Variants {
				if v.Prefix == prefix {
					return v.Type.String(), true
				}
			}
		}
	}
	return "", false
}

// Exit names an exit code of the contract.
func (c Contract) Exit(code int32) (string, bool) {
	for _, e := range c.Errors {
		if e.Code == code && e.Name != "" {
			return e.Name, true
		}
	}
	return "", false
}

// Decode reads a body as the message it is. Messages with a prefix are tried
// before those without, since the latter may match anything.
func (c Contract) Decode(body *cell.Cell) (Record, error) {
	in, err := open(body)
	if err != nil {
		return Record{}, fmt.Errorf("body: %w", err)
	}
	// A message whose prefix is there but whose fields are not tells more than
	// all those that are not meant.
	meant := ErrUnknownMessage
	for _, prefixed := range []bool{true, false} {
		for _, m := range c.all() {
			if m.Body == nil || hasPrefix(m.Body) != prefixed || prefixed && !begins(in, m.Body) {
				continue
			}
			v, err := Unpack(m.Body, body)
			if err == nil {
				return named(m.Called(), v), nil
			}
			if prefixed {
				meant = fmt.Errorf("message %s: %w", m.Called(), err)
			}
		}
	}
	return Record{}, meant
}

// Encode makes the body of a message. Values is a [Values], a [Record], or
// nil if the message has no fields.
func (c Contract) Encode(name string, values any) (*cell.Cell, error) {
	for _, m := range c.all() {
		if m.Body == nil || m.Called() != name {
			continue
		}
		body, err := Pack(m.Body, values)
		if err != nil {
			return nil, fmt.Errorf("message %s: %w", name, err)
		}
		return body, nil
	}
	return nil, fmt.Errorf("message %q: %w", name, ErrUnknownMessage)
}

// named makes a record of any decoded body. One that is no struct becomes the
// only field, without a name, of a record named after the message.
func named(name string, v any) Record {
	if r, ok := v.(Record); ok {
		return r
	}
	return Record{Struct: name, Fields: []FieldValue{{Value: v}}}
}

func hasPrefix(t Type) bool {
	switch t := t.(type) {
	case *Struct:
		return t.Prefix != nil
	case *Union:
		return true
	}
	return false
}

// begins tells whether a body begins as a type with a prefix does.
func begins(body *cell.Slice, t Type) bool {
	switch t := t.(type) {
	case *Struct:
		return t.Prefix != nil && t.Prefix.match(body)
	case *Union:
		return slices.ContainsFunc(t.Variants, func(o Option) bool { return o.Prefix.match(body) })
	}
	return false
}
