package collateral

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// objects reads JSON objects key by key. encoding/json's own rules let a key come
// twice, or in other letters, and the last one win: what one reader checked, the
// next one would not see.
type objects struct{ *json.Decoder }

func newObjects(text []byte) objects {
	o := objects{json.NewDecoder(bytes.NewReader(text))}
	o.UseNumber()
	return o
}

// object calls value for each key, which reads what follows. A second key of the
// same name is an error.
func (o objects) object(value func(key string) error) error {
	if err := o.delimiter('{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for o.More() {
		token, err := o.Token()
		if err != nil {
			return err
		}
		key, ok := token.(string)
		if !ok || seen[key] {
			return fmt.Errorf("key %.40q comes twice", key)
		}
		seen[key] = true
		if err := value(key); err != nil {
			return fmt.Errorf("%.40s: %w", key, err)
		}
	}
	return o.delimiter('}')
}

// array calls element for each element, which reads it.
func (o objects) array(element func() error) error {
	if err := o.delimiter('['); err != nil {
		return err
	}
	for o.More() {
		if err := element(); err != nil {
			return err
		}
	}
	return o.delimiter(']')
}

func (o objects) text() (string, error) {
	token, err := o.Token()
	if err != nil {
		return "", err
	}
	s, ok := token.(string)
	if !ok {
		return "", errors.New("not a string")
	}
	return s, nil
}

func (o objects) number() (int64, error) {
	token, err := o.Token()
	if err != nil {
		return 0, err
	}
	n, ok := token.(json.Number)
	if !ok {
		return 0, errors.New("not a number")
	}
	return n.Int64()
}

// skip reads a value of any kind that nobody asks for.
func (o objects) skip() error {
	var ignored json.RawMessage
	return o.Decode(&ignored)
}

// end makes sure that nothing follows.
func (o objects) end() error {
	if _, err := o.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the end")
	}
	return nil
}

func (o objects) delimiter(want json.Delim) error {
	token, err := o.Token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("expected %s", want)
	}
	return nil
}
