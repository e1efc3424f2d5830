package collateral

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// bundleVersion is what a bundle begins with.
const bundleVersion = 1

// bundledSet is one set in a bundle, and by itself a file that other tools write:
// chains in PEM, lists in hexadecimal DER, the signed texts byte for byte.
type bundledSet struct {
	PCKCRLChain         string `json:"pck_crl_issuer_chain"`
	RootCRL             string `json:"root_ca_crl"`
	PCKCRL              string `json:"pck_crl"`
	TCBInfoChain        string `json:"tcb_info_issuer_chain"`
	TCBInfo             string `json:"tcb_info"`
	TCBInfoSignature    string `json:"tcb_info_signature"`
	QEIdentityChain     string `json:"qe_identity_issuer_chain"`
	QEIdentity          string `json:"qe_identity"`
	QEIdentitySignature string `json:"qe_identity_signature"`
}

// fields are the keys of a set and where their values go. All are required.
func (b *bundledSet) fields() map[string]*string {
	return map[string]*string{
		"pck_crl_issuer_chain": &b.PCKCRLChain, "root_ca_crl": &b.RootCRL, "pck_crl": &b.PCKCRL,
		"tcb_info_issuer_chain": &b.TCBInfoChain, "tcb_info": &b.TCBInfo, "tcb_info_signature": &b.TCBInfoSignature,
		"qe_identity_issuer_chain": &b.QEIdentityChain, "qe_identity": &b.QEIdentity, "qe_identity_signature": &b.QEIdentitySignature,
	}
}

// ParseBundle reads a bundle, or a file with a single set. Nothing in it is
// verified yet.
//
// A bundle is {"version":1,"sets":[…]}. A set has exactly these keys, all strings:
// tcb_info and qe_identity (the signed JSON texts), their …_signature in
// hexadecimal, their …_issuer_chain in PEM, root_ca_crl and pck_crl (DER in
// hexadecimal), pck_crl_issuer_chain in PEM.
func ParseBundle(r io.Reader) ([]tdx.Collateral, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxBundle+1))
	if err != nil {
		return nil, fmt.Errorf("read bundle: %w", err)
	}
	if len(text) > maxBundle {
		return nil, fmt.Errorf("%w: %w", ErrBundle, ErrTooLarge)
	}
	sets, err := parseBundle(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	return sets, nil
}

func parseBundle(text []byte) (sets []tdx.Collateral, err error) {
	var version int64
	var single bundledSet
	seen, isBundle := 0, false
	o := newObjects(text)
	err = o.object(func(key string) (err error) {
		switch key {
		case "version":
			isBundle = true
			version, err = o.number()
			return err
		case "sets":
			isBundle = true
			return o.array(func() error {
				if len(sets) == maxSets {
					return errors.New("too many")
				}
				var b bundledSet
				count := 0
				if err := o.object(func(key string) error { count++; return b.read(o, key) }); err != nil {
					return err
				}
				c, err := b.collateral(count)
				sets = append(sets, c)
				return err
			})
		}
		seen++
		return single.read(o, key)
	})
	switch {
	case err != nil:
		return nil, err
	case isBundle && seen > 0:
		return nil, errors.New("it is neither a bundle nor a set")
	case isBundle && version != bundleVersion:
		return nil, fmt.Errorf("version %d is not known here", version)
	case !isBundle:
		c, err := single.collateral(seen)
		if err != nil {
			return nil, err
		}
		sets = []tdx.Collateral{c}
	}
	return sets, o.end()
}

// read takes one value of a set.
func (b *bundledSet) read(o objects, key string) (err error) {
	field := b.fields()[key]
	if field == nil {
		return errors.New("not a key known here")
	}
	*field, err = o.text()
	if err == nil && (*field == "" || len(*field) > 2*maxBody) {
		err = errors.New("empty or too long")
	}
	return err
}

// collateral is the set as the manufacturer served it. count is of its keys.
func (b *bundledSet) collateral(count int) (c tdx.Collateral, err error) {
	if want := len(b.fields()); count != want {
		return c, fmt.Errorf("a set has %d of its %d keys", count, want)
	}
	for _, list := range []struct {
		text string
		der  *[]byte
	}{{b.RootCRL, &c.RootCRL}, {b.PCKCRL, &c.PCKCRL}} {
		if *list.der, err = hex.DecodeString(list.text); err != nil {
			return tdx.Collateral{}, errors.New("a revocation list is not hexadecimal")
		}
	}
	for _, chain := range []struct {
		text string
		pem  *[]byte
	}{{b.TCBInfoChain, &c.TCBInfoChain}, {b.QEIdentityChain, &c.QEIdentityChain}, {b.PCKCRLChain, &c.PCKCRLChain}} {
		if *chain.pem, err = canonicalChain([]byte(chain.text)); err != nil {
			return tdx.Collateral{}, err
		}
	}
	if c.TCBInfo, err = signedAnswer(keyTCBInfo, b.TCBInfo, b.TCBInfoSignature); err != nil {
		return tdx.Collateral{}, err
	}
	if c.QEIdentity, err = signedAnswer(keyQEIdentity, b.QEIdentity, b.QEIdentitySignature); err != nil {
		return tdx.Collateral{}, err
	}
	return c, nil
}

// What the manufacturer calls a signed text in the answer that it comes in.
const (
	keyTCBInfo    = "tcbInfo"
	keyQEIdentity = "enclaveIdentity"
)

// signedAnswer is a signed text in the answer that it came in.
func signedAnswer(key, text, signature string) ([]byte, error) {
	if raw, err := hex.DecodeString(signature); err != nil || len(raw) != 64 {
		return nil, fmt.Errorf("the signature of %s is not 64 bytes in hexadecimal", key)
	}
	if !json.Valid([]byte(text)) {
		return nil, fmt.Errorf("%s is not JSON", key)
	}
	return []byte(`{"` + key + `":` + text + `,"signature":"` + signature + `"}`), nil
}

// splitAnswer undoes signedAnswer, byte for byte.
func splitAnswer(key string, answer []byte) (text, signature string, err error) {
	const between, end, digits = `,"signature":"`, `"}`, 128
	rest, ok := strings.CutPrefix(string(answer), `{"`+key+`":`)
	cut := len(rest) - len(between) - digits - len(end)
	if !ok || cut <= 0 {
		return "", "", fmt.Errorf("no %s and signature", key)
	}
	return rest[:cut], rest[cut+len(between):][:digits], nil
}

// bundled is a set as it stands in a bundle.
func bundled(c tdx.Collateral) (b bundledSet, err error) {
	b = bundledSet{
		PCKCRLChain: string(c.PCKCRLChain), RootCRL: hex.EncodeToString(c.RootCRL), PCKCRL: hex.EncodeToString(c.PCKCRL),
		TCBInfoChain: string(c.TCBInfoChain), QEIdentityChain: string(c.QEIdentityChain),
	}
	if b.TCBInfo, b.TCBInfoSignature, err = splitAnswer(keyTCBInfo, c.TCBInfo); err != nil {
		return b, fmt.Errorf("TCB info: %w", err)
	}
	if b.QEIdentity, b.QEIdentitySignature, err = splitAnswer(keyQEIdentity, c.QEIdentity); err != nil {
		return b, fmt.Errorf("QE identity: %w", err)
	}
	return b, nil
}

// WriteBundle writes sets as one bundle.
func WriteBundle(w io.Writer, sets []tdx.Collateral) error {
	out := struct {
		Version int          `json:"version"`
		Sets    []bundledSet `json:"sets"`
	}{Version: bundleVersion, Sets: []bundledSet{}}
	for _, c := range sets {
		b, err := bundled(c)
		if err != nil {
			return fmt.Errorf("write bundle: %w", err)
		}
		out.Sets = append(out.Sets, b)
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(out); err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	return nil
}
