package engine

import (
	"bytes"
	"encoding/json"
	"iter"
	"strconv"
)

// encoding/json matches keys case-insensitively, lets the last of several win and loses the place of a value. Metering
// and minimal edits need the opposite, so this file walks JSON in place. The walkers expect text that [json.Valid]
// accepted; on other text they end early or yield nonsense, but stay inside it.

// span is a piece of a JSON text: text[from:to].
type span struct{ from, to int }

// members walks the members of a JSON object: decoded key, span of the value. Other values have no members.
func members(text []byte) iter.Seq2[[]byte, span] {
	return func(yield func([]byte, span) bool) {
		i := skipSpace(text, 0)
		if i == len(text) || text[i] != '{' {
			return
		}
		for i = skipSpace(text, i+1); i < len(text) && text[i] != '}'; {
			keyEnd := skipValue(text, i)
			colon := skipSpace(text, keyEnd)
			from := skipSpace(text, min(colon+1, len(text)))
			to := skipValue(text, from)
			if !yield(unquoteBytes(text[i:keyEnd]), span{from, to}) {
				return
			}
			i = skipComma(text, to)
		}
	}
}

// elements walks the elements of a JSON array. Other values have no elements.
func elements(text []byte) iter.Seq[span] {
	return func(yield func(span) bool) {
		i := skipSpace(text, 0)
		if i == len(text) || text[i] != '[' {
			return
		}
		for i = skipSpace(text, i+1); i < len(text) && text[i] != ']'; {
			to := skipValue(text, i)
			if !yield(span{i, to}) {
				return
			}
			i = skipComma(text, to)
		}
	}
}

// tooDeep tells whether objects and arrays are nested more than limit deep.
func tooDeep(text []byte, limit int) bool {
	depth := 0
	for i := 0; i < len(text); {
		switch text[i] {
		case '"':
			i = skipString(text, i)
			continue
		case '{', '[':
			if depth++; depth > limit {
				return true
			}
		case '}', ']':
			depth--
		}
		i++
	}
	return false
}

func skipSpace(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r') {
		i++
	}
	return i
}

func skipComma(text []byte, i int) int {
	i = skipSpace(text, i)
	if i < len(text) && text[i] == ',' {
		i = skipSpace(text, i+1)
	}
	return i
}

// skipString returns the end of the string that starts at i.
func skipString(text []byte, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// skipValue returns the end of the value that starts at i. It always moves on, so that no walker can loop for ever.
func skipValue(text []byte, i int) int {
	if i >= len(text) {
		return len(text)
	}
	switch text[i] {
	case '"':
		return skipString(text, i)
	case '{', '[':
		for depth := 0; i < len(text); {
			switch text[i] {
			case '"':
				i = skipString(text, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			}
			i++
			if depth == 0 {
				return i
			}
		}
		return len(text)
	}
	for i++; i < len(text); i++ {
		switch text[i] {
		case ',', ':', '}', ']', ' ', '\n', '\t', '\r':
			return i
		}
	}
	return i
}

// unquote decodes a JSON string; other text comes back as it is.
func unquote(text []byte) string { return string(unquoteBytes(text)) }

// unquoteBytes is unquote without a copy, unless the string has escapes.
func unquoteBytes(text []byte) []byte {
	if len(text) < 2 || text[0] != '"' {
		return text
	}
	if bytes.IndexByte(text, '\\') < 0 {
		return text[1 : len(text)-1]
	}
	var s string
	if json.Unmarshal(text, &s) != nil {
		return text
	}
	return []byte(s)
}

func isString(value []byte) bool { return len(value) > 0 && value[0] == '"' }
func isObject(value []byte) bool { return len(value) > 0 && value[0] == '{' }
func isArray(value []byte) bool  { return len(value) > 0 && value[0] == '[' }
func isNull(value []byte) bool   { return string(value) == "null" }

// nonEmptyString tells whether the value is a string with something in it.
func nonEmptyString(value []byte) bool { return isString(value) && len(value) > 2 }

// count reads a plain non-negative integer: no sign, fraction or exponent.
func count(value []byte, limit uint64) (uint64, bool) {
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(string(value), 10, 64)
	return n, err == nil && n <= limit
}
