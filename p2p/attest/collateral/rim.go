package collateral

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// decodeRIM takes a manifest out of the answer that it comes in: an object with
// its identifier and the manifest itself, in base64.
func decodeRIM(n Name, body []byte) ([]byte, error) {
	var id, rim string
	o := newObjects(body)
	err := o.object(func(key string) (err error) {
		switch key {
		case "id":
			id, err = o.text()
		case "rim":
			rim, err = o.text()
		default:
			err = o.skip()
		}
		return err
	})
	if err == nil {
		err = o.end()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUpstream, err)
	}
	if id != n.key {
		return nil, fmt.Errorf("%w: answer is about %.80q", ErrUpstream, id)
	}
	// The service may break lines.
	manifest, err := base64.StdEncoding.Strict().DecodeString(strings.NewReplacer("\n", "", "\r", "").Replace(rim))
	if err != nil || len(manifest) == 0 {
		return nil, fmt.Errorf("%w: manifest is not in base64", ErrUpstream)
	}
	return manifest, nil
}
