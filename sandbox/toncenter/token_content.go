package toncenter

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"unicode/utf8"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// content is what a token says of itself (TEP-64): an address to read it from,
// or the attributes themselves.
type content struct {
	Type string `json:"type"` // "onchain" or "offchain"
	Data any    `json:"data"` // string, or map[string]string
}

// The tags of content, and of an attribute's value. They are the same numbers.
const (
	tagOnchain  = 0
	tagOffchain = 1
	tagSnake    = 0
	tagChunks   = 1
)

// attributes are the names that TEP-64 knows; on the chain stand their hashes.
var attributes = []string{
	"uri", "name", "description", "image", "image_data", "symbol", "decimals", "amount_style", "render_type",
}

var errContent = errors.New("malformed token content")

// readContent reads
//
//	onchain#00 data:(HashmapE 256 ^ContentData) = FullContent;
//	offchain#01 uri:Text = FullContent;
func readContent(c *cell.Cell) (content, error) {
	s, err := c.BeginParse()
	if err != nil {
		return content{}, err
	}
	tag, err := s.LoadUInt(8)
	switch {
	case err != nil:
		return content{}, fmt.Errorf("%w: %w", errContent, err)
	case tag == tagOffchain:
		uri, ok := readSnake(s)
		if !ok || !utf8.Valid(uri) {
			return content{}, fmt.Errorf("%w: uri", errContent)
		}
		return content{Type: "offchain", Data: string(uri)}, nil
	case tag != tagOnchain:
		return content{}, fmt.Errorf("%w: tag %d", errContent, tag)
	}
	dict, err := s.LoadDict(256)
	if err != nil {
		return content{}, fmt.Errorf("%w: %w", errContent, err)
	}
	data := map[string]string{}
	for _, name := range attributes {
		key := sha256.Sum256([]byte(name))
		value, err := dict.LoadValue(cell.BeginCell().MustStoreSlice(key[:], 256).EndCell())
		if err != nil {
			continue // absent
		}
		text, ok := readAttribute(value)
		switch {
		case !ok:
		case name == "image_data":
			data[name] = base64.StdEncoding.EncodeToString(text)
		case utf8.Valid(text):
			data[name] = string(text)
		}
	}
	return content{Type: "onchain", Data: data}, nil
}

// readAttribute reads
//
//	snake#00 data:(SnakeData ~n) = ContentData;
//	chunks#01 data:(HashmapE 32 ^(SnakeData ~0)) = ContentData;
//
// Some contracts leave out the reference to it.
func readAttribute(s *cell.Slice) ([]byte, bool) {
	if s.BitsLeft() == 0 && s.RefsNum() == 1 {
		next, err := s.LoadRef()
		if err != nil {
			return nil, false
		}
		s = next
	}
	tag, err := s.LoadUInt(8)
	if err != nil {
		return nil, false
	}
	switch tag {
	case tagSnake:
		return readSnake(s)
	case tagChunks:
		return readChunks(s)
	}
	return nil, false
}

func readChunks(s *cell.Slice) (out []byte, ok bool) {
	dict, err := s.LoadDict(32)
	if err != nil {
		return nil, false
	}
	for i := int64(0); len(out) <= maxTokenText; i++ {
		value, err := dict.LoadValueByIntKey(big.NewInt(i))
		if err != nil {
			return out, i > 0 // the chunk before was the last one
		}
		chunk, err := value.LoadRef()
		if err != nil || chunk.BitsLeft()%8 != 0 {
			return nil, false
		}
		part, err := chunk.LoadSlice(chunk.BitsLeft())
		if err != nil || len(part) == 0 {
			return nil, false
		}
		out = append(out, part...)
	}
	return nil, false
}
