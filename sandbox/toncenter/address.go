package toncenter

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/crc16"
)

// friendlyLength is the length of an address in base64.
const friendlyLength = 48

// Flags of an address in base64, its first byte.
const (
	flagBounceable    = 0x11
	flagNotBounceable = 0x51
	flagTest          = 0x80
)

// parseAddress reads an address in any form: "0:83df…", "EQCD…" or the same
// with the other base64 alphabet.
func parseAddress(text string) (*address.Address, error) {
	if workchain, account, ok := strings.Cut(text, ":"); ok {
		wc, err := strconv.ParseInt(workchain, 10, 8)
		data, hexErr := hex.DecodeString(account)
		if err != nil || hexErr != nil || len(data) != 32 {
			return nil, fmt.Errorf("invalid raw address %q", clip(text))
		}
		return address.NewAddress(0, byte(int8(wc)), data), nil
	}
	data, err := decodeBase64(text)
	if err != nil || len(text) != friendlyLength || len(data) != 36 {
		return nil, fmt.Errorf("invalid address %q", clip(text))
	}
	if crc16.ChecksumXMODEM(data[:34]) != binary.BigEndian.Uint16(data[34:]) {
		return nil, fmt.Errorf("wrong checksum in address %q", text)
	}
	if flag := data[0] &^ flagTest; flag != flagBounceable && flag != flagNotBounceable {
		return nil, fmt.Errorf("unknown flags in address %q", text)
	}
	a := address.NewAddress(0, data[1], data[2:34])
	return a.Bounce(data[0]&^flagTest == flagBounceable).Testnet(data[0]&flagTest != 0), nil
}

// rawUpper and rawLower are the raw form in the two spellings toncenter uses.
func rawUpper(a *address.Address) string {
	return strconv.Itoa(int(a.Workchain())) + ":" + strings.ToUpper(hex.EncodeToString(a.Data()))
}

func rawLower(a *address.Address) string {
	return strconv.Itoa(int(a.Workchain())) + ":" + hex.EncodeToString(a.Data())
}

func packAddress(_ context.Context, _ Source, p *params) (any, error) {
	a := p.address("address")
	if p.err != nil {
		return nil, p.err
	}
	if !strings.Contains(p.text("address"), ":") {
		return a.String(), nil // whether it is bounceable was said
	}
	return friendly{a}, nil
}

func unpackAddress(_ context.Context, _ Source, p *params) (any, error) {
	a := p.address("address")
	if p.err != nil {
		return nil, p.err
	}
	return rawUpper(a), nil
}

type detectedAddress struct {
	Type          string         `json:"@type"`
	Raw           string         `json:"raw_form"`
	Bounceable    addressVariant `json:"bounceable"`
	NonBounceable addressVariant `json:"non_bounceable"`
	GivenType     string         `json:"given_type"`
	TestOnly      bool           `json:"test_only"`
}

type addressVariant struct {
	Type   string `json:"@type"`
	B64    string `json:"b64"`
	B64URL string `json:"b64url"`
}

func viewVariant(a *address.Address) addressVariant {
	url := a.String()
	return addressVariant{
		Type: "ext.utils.detectedAddressVariant", B64: strings.NewReplacer("-", "+", "_", "/").Replace(url), B64URL: url,
	}
}

func detectAddress(_ context.Context, _ Source, p *params) (any, error) {
	a := p.address("address")
	if p.err != nil {
		return nil, p.err
	}
	given := "raw_form"
	if !strings.Contains(p.text("address"), ":") {
		if given = "friendly_non_bounceable"; a.IsBounceable() {
			given = "friendly_bounceable"
		}
	}
	return detectedAddress{
		Type: "ext.utils.detectedAddress", Raw: rawLower(a), Bounceable: viewVariant(a.Bounce(true)),
		NonBounceable: viewVariant(a.Bounce(false)), GivenType: given, TestOnly: a.IsTestnetOnly(),
	}, nil
}

type detectedHash struct {
	Type   string `json:"@type"`
	B64    string `json:"b64"`
	B64URL string `json:"b64url"`
	Hex    string `json:"hex"`
}

func detectHash(_ context.Context, _ Source, p *params) (any, error) {
	p.text("hash") // required
	h := p.hash("hash")
	return detectedHash{
		Type: "ext.utils.detectedHash", B64: base64.StdEncoding.EncodeToString(h),
		B64URL: base64.URLEncoding.EncodeToString(h), Hex: hex.EncodeToString(h),
	}, nil
}
