package toncenter

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"strconv"
	"unicode/utf8"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Operation codes in front of a comment.
const (
	opComment          = 0
	opEncryptedComment = 0x2167da4b
)

// messageFields are what the two structures for a message have in common.
type messageFields struct {
	Value           integer         `json:"value"`
	ExtraCurrencies []extraCurrency `json:"extra_currencies"`
	ForwardFee      integer         `json:"fwd_fee"`
	IHRFee          integer         `json:"ihr_fee"`
	CreatedLT       string          `json:"created_lt"`
	BodyHash        hash            `json:"body_hash"`
	Data            any             `json:"msg_data"`
}

// rawMessage is raw.message.
type rawMessage struct {
	Type        string         `json:"@type"`
	Hash        hash           `json:"hash"`
	Source      accountAddress `json:"source"`
	Destination accountAddress `json:"destination"`
	messageFields
}

// extMessage is ext.message, which has addresses as strings and the comment
// once more as a text.
type extMessage struct {
	Type        string   `json:"@type"`
	Hash        hash     `json:"hash"`
	Source      friendly `json:"source"`
	Destination friendly `json:"destination"`
	messageFields
	Message     string `json:"message"`
	DecodeError string `json:"message_decode_error,omitempty"`
}

// What messageFields.Data can be.
type (
	dataRaw struct {
		Type string `json:"@type"`
		Body boc    `json:"body"`
		Init boc    `json:"init_state"`
	}
	dataText struct {
		Type string `json:"@type"`
		Text string `json:"text"` // base64
	}
)

// message is a message of a transaction, taken apart.
type message struct {
	hash                hash
	source, destination *address.Address // nil: the world outside
	fields              messageFields
	// text is the message as toncenter shows it to people: the comment, or the
	// first cell of the body in base64.
	text       string
	forwardFee *big.Int // what of the fee is due when it is delivered
}

func (m *message) raw() rawMessage {
	return rawMessage{
		Type: "raw.message", Hash: m.hash, Source: viewAddress(m.source), Destination: viewAddress(m.destination), messageFields: m.fields,
	}
}

func (m *message) ext() extMessage {
	return extMessage{
		Type: "ext.message", Hash: m.hash, Source: friendly{m.source}, Destination: friendly{m.destination},
		messageFields: m.fields, Message: m.text,
	}
}

func viewMessage(c *cell.Cell) (*message, error) {
	var parsed tontlb.Message
	if err := tontlb.Parse(&parsed, c); err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	zero := integer{new(big.Int)}
	m := &message{
		hash: c.Hash(), forwardFee: new(big.Int),
		fields: messageFields{Value: zero, ExtraCurrencies: []extraCurrency{}, ForwardFee: zero, IHRFee: zero, CreatedLT: "0"},
	}
	var body *cell.Cell
	var init *tontlb.StateInit
	var err error
	switch parsed.MsgType {
	case tontlb.MsgTypeInternal:
		in := parsed.AsInternal()
		m.source, m.destination, body, init = in.SrcAddr, in.DstAddr, in.Body, in.StateInit
		m.fields.Value, m.fields.ForwardFee = coins(in.Amount), coins(in.FwdFee)
		m.forwardFee = in.FwdFee.Nano()
		m.fields.CreatedLT = strconv.FormatUint(in.CreatedLT, 10)
		m.fields.ExtraCurrencies, err = extraCurrencies(in.ExtraCurrencies)
	case tontlb.MsgTypeExternalIn:
		in := parsed.AsExternalIn()
		m.destination, body, init = in.DstAddr, in.Body, in.StateInit
	case tontlb.MsgTypeExternalOut:
		out := parsed.AsExternalOut()
		m.source, body, init = out.SrcAddr, out.Body, out.StateInit
		m.fields.CreatedLT = strconv.FormatUint(out.CreatedLT, 10)
	}
	if err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	if body == nil {
		body = cell.BeginCell().EndCell()
	}
	m.fields.BodyHash = body.Hash()
	if m.fields.Data, m.text, err = viewBody(body, init); err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	return m, nil
}

// viewBody is the body of a message as a comment, if it is one, or as it is.
func viewBody(body *cell.Cell, init *tontlb.StateInit) (data any, text string, err error) {
	s, err := body.BeginParse()
	if err != nil {
		return nil, "", err
	}
	if s.BitsLeft() >= 32 {
		op, err := s.PreloadUInt(32)
		if err != nil {
			return nil, "", err
		}
		comment := s.Copy()
		_, _ = comment.LoadUInt(32) // it was just read
		if op == opComment || op == opEncryptedComment {
			if content, ok := readSnake(comment); ok {
				kind := "msg.dataText"
				if op == opEncryptedComment {
					kind = "msg.dataEncryptedText"
				}
				return dataText{Type: kind, Text: base64.StdEncoding.EncodeToString(content)}, validText(content), nil
			}
		}
	}
	raw := dataRaw{Type: "msg.dataRaw", Body: boc{body}}
	if init != nil {
		c, err := tontlb.ToCell(init)
		if err != nil {
			return nil, "", fmt.Errorf("state init: %w", err)
		}
		raw.Init = boc{c}
	}
	bits := s.BitsLeft()
	head, err := s.LoadSlice(bits)
	if err != nil {
		return nil, "", err
	}
	text = base64.StdEncoding.EncodeToString(head)
	if text != "" {
		text += "\n" // so it was in toncenter's first version, and stayed
	}
	return raw, text, nil
}

// readSnake puts together the bytes of a slice and of the cells that follow it,
// each the only reference of the one before. ok is false if it is no such text.
func readSnake(s *cell.Slice) (content []byte, ok bool) {
	for {
		if s.BitsLeft()%8 != 0 || s.RefsNum() > 1 || len(content) > maxTokenText {
			return nil, false
		}
		part, err := s.LoadSlice(s.BitsLeft())
		if err != nil {
			return nil, false
		}
		content = append(content, part...)
		if s.RefsNum() == 0 {
			return content, true
		}
		next, err := s.LoadRefCell()
		if err != nil {
			return nil, false
		}
		if s, err = next.BeginParse(); err != nil {
			return nil, false
		}
	}
}

// validText is bytes as a JSON string can hold them.
func validText(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return string([]rune(string(b))) // each wrong byte becomes U+FFFD
}
