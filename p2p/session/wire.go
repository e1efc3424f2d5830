package session

import (
	"fmt"
	"time"

	"github.com/tussah-network/tussah/tlb"
)

// How the messages stand on the wire: maps with small integers for keys. The types
// here mirror those messages that hold money, signed cells or durations; key
// numbers are pinned by testdata/wire.txt.

type (
	wirePrice struct {
		Prompt     tlb.Nano `cbor:"1,keyasint"`
		Cached     tlb.Nano `cbor:"2,keyasint"`
		Completion tlb.Nano `cbor:"3,keyasint"`
		Reasoning  tlb.Nano `cbor:"4,keyasint"`
	}
	wireUsage struct {
		Prompt     uint64 `cbor:"1,keyasint"`
		Cached     uint64 `cbor:"2,keyasint"`
		Completion uint64 `cbor:"3,keyasint"`
		Reasoning  uint64 `cbor:"4,keyasint"`
	}
	wireOffer struct {
		Model      string    `cbor:"1,keyasint"`
		Price      wirePrice `cbor:"2,keyasint"`
		MaxContext uint32    `cbor:"3,keyasint"`
		MaxTokens  uint32    `cbor:"4,keyasint"`
		Slots      uint32    `cbor:"5,keyasint"`
		Running    uint32    `cbor:"6,keyasint"`
		TTL        uint32    `cbor:"7,keyasint"` // seconds
		Image      [32]byte  `cbor:"8,keyasint"`
	}
	wireHello struct {
		Version      uint32      `cbor:"1,keyasint"`
		Role         Role        `cbor:"2,keyasint"`
		Network      int32       `cbor:"3,keyasint"`
		Registry     string      `cbor:"4,keyasint"`
		Agent        string      `cbor:"5,keyasint"`
		Capabilities []string    `cbor:"6,keyasint"`
		PayeeKey     [32]byte    `cbor:"7,keyasint"`
		Payout       string      `cbor:"8,keyasint"`
		MinDeposit   tlb.Nano    `cbor:"9,keyasint"`
		CloseDelay   uint32      `cbor:"10,keyasint"`
		Window       tlb.Nano    `cbor:"11,keyasint"`
		Offers       []wireOffer `cbor:"12,keyasint"`
		Draining     bool        `cbor:"13,keyasint"`
	}
	wireAnnounce struct {
		Config []byte   `cbor:"1,keyasint"` // BoC of the channel's initial storage
		Proof  [64]byte `cbor:"2,keyasint"`
	}
	wireChannelStatus struct {
		Channel    string   `cbor:"1,keyasint"`
		Highest    []byte   `cbor:"2,keyasint"` // signed voucher, or empty
		Authorised tlb.Nano `cbor:"3,keyasint"`
		Spent      tlb.Nano `cbor:"4,keyasint"`
		Problem    Code     `cbor:"5,keyasint"`
		Hint       string   `cbor:"6,keyasint"`
	}
	wireCloseChannel struct {
		Channel string `cbor:"1,keyasint"`
	}
	wireCloseConsent struct {
		Consent []byte `cbor:"1,keyasint"` // signed cooperative close
	}
	wireOfferList struct {
		Offers []wireOffer `cbor:"1,keyasint"`
	}
	wireRefused struct {
		Code    Code     `cbor:"1,keyasint"`
		Message string   `cbor:"2,keyasint"`
		Hint    string   `cbor:"3,keyasint"`
		Spent   tlb.Nano `cbor:"4,keyasint"`
		Need    tlb.Nano `cbor:"5,keyasint"`
	}
	wireHeader struct {
		ID          [32]byte  `cbor:"1,keyasint"`
		Kind        string    `cbor:"2,keyasint"`
		Model       string    `cbor:"3,keyasint"`
		Stream      bool      `cbor:"4,keyasint"`
		Price       wirePrice `cbor:"5,keyasint"`
		MaxTokens   uint64    `cbor:"6,keyasint"`
		PromptBound uint64    `cbor:"7,keyasint"`
		MaxCost     tlb.Nano  `cbor:"8,keyasint"`
		BodySize    uint64    `cbor:"9,keyasint"`
		Timeout     uint64    `cbor:"10,keyasint"` // milliseconds
		Channel     string    `cbor:"11,keyasint"`
		Voucher     []byte    `cbor:"12,keyasint"` // signed voucher, or empty
	}
	wireData struct {
		Data []byte `cbor:"1,keyasint"`
	}
	wireVoucher struct {
		Voucher []byte `cbor:"1,keyasint"`
	}
	wireHead struct {
		Status      uint16            `cbor:"1,keyasint"`
		ContentType string            `cbor:"2,keyasint"`
		Headers     map[string]string `cbor:"3,keyasint"`
	}
	wirePart struct {
		Data  []byte    `cbor:"1,keyasint"`
		Usage wireUsage `cbor:"2,keyasint"`
		Spent tlb.Nano  `cbor:"3,keyasint"`
	}
	wireNeedVoucher struct {
		Spent tlb.Nano `cbor:"1,keyasint"`
		Need  tlb.Nano `cbor:"2,keyasint"`
	}
	wireDone struct {
		Usage   wireUsage `cbor:"1,keyasint"`
		Cost    tlb.Nano  `cbor:"2,keyasint"`
		Receipt []byte    `cbor:"3,keyasint"` // signed receipt
	}
	wireFailed struct {
		Code    Code      `cbor:"1,keyasint"`
		Message string    `cbor:"2,keyasint"`
		Hint    string    `cbor:"3,keyasint"`
		Spent   tlb.Nano  `cbor:"4,keyasint"`
		Need    tlb.Nano  `cbor:"5,keyasint"`
		Usage   wireUsage `cbor:"6,keyasint"`
		Cost    tlb.Nano  `cbor:"7,keyasint"`
		Receipt []byte    `cbor:"8,keyasint"` // signed receipt, or empty
	}
	wireEmpty struct{}
)

// Each message turns into its wire form with wire, and each wire form into its
// message with parse. wire may assume that the message passed its check.

func (m Hello) wire() (any, error) {
	return wireHello{
		Version: m.Version, Role: m.Role, Network: m.Network, Registry: m.Registry, Agent: m.Agent,
		Capabilities: m.Capabilities, PayeeKey: m.PayeeKey, Payout: m.Payout, MinDeposit: m.MinDeposit,
		CloseDelay: m.CloseDelay, Window: m.Window, Offers: offersToWire(m.Offers), Draining: m.Draining,
	}, nil
}

func (w wireHello) parse() (message, error) {
	return Hello{
		Version: w.Version, Role: w.Role, Network: w.Network, Registry: w.Registry, Agent: w.Agent,
		Capabilities: w.Capabilities, PayeeKey: w.PayeeKey, Payout: w.Payout, MinDeposit: w.MinDeposit,
		CloseDelay: w.CloseDelay, Window: w.Window, Offers: offersFromWire(w.Offers), Draining: w.Draining,
	}, nil
}

func offersToWire(offers []Offer) []wireOffer {
	out := make([]wireOffer, len(offers))
	for i, o := range offers {
		out[i] = wireOffer{
			Model: o.Model, Price: wirePrice(o.Price), MaxContext: o.MaxContext, MaxTokens: o.MaxTokens,
			Slots: o.Slots, Running: o.Running, TTL: uint32(o.TTL / time.Second), Image: o.Image,
		}
	}
	return out
}

func offersFromWire(offers []wireOffer) []Offer {
	out := make([]Offer, len(offers))
	for i, o := range offers {
		out[i] = Offer{
			Model: o.Model, Price: tlb.Price(o.Price), MaxContext: o.MaxContext, MaxTokens: o.MaxTokens,
			Slots: o.Slots, Running: o.Running, TTL: time.Duration(o.TTL) * time.Second, Image: o.Image,
		}
	}
	return out
}

func (m announce) wire() (any, error) {
	data, err := m.Config.Data()
	if err != nil {
		return nil, err
	}
	boc, err := tlb.EncodeBoC(data)
	return wireAnnounce{Config: boc, Proof: m.Proof}, err
}

// parse leaves it to the comparison with the one encoding to refuse the storage of
// a channel that is past its beginning.
func (w wireAnnounce) parse() (message, error) {
	data, err := tlb.ParseBoC(w.Config, maxConfig)
	if err != nil {
		return nil, err
	}
	state, err := tlb.ParseChannelState(data)
	return announce{Config: state.Config, Proof: w.Proof}, err
}

func (m ChannelStatus) wire() (any, error) {
	highest, err := optional(m.Highest)
	return wireChannelStatus{
		Channel: m.Channel, Highest: highest, Authorised: m.Authorised, Spent: m.Spent, Problem: m.Problem, Hint: m.Hint,
	}, err
}

func (w wireChannelStatus) parse() (message, error) {
	highest, err := parseOptional(w.Highest, tlb.ParseSignedVoucher)
	return ChannelStatus{
		Channel: w.Channel, Highest: highest, Authorised: w.Authorised, Spent: w.Spent, Problem: w.Problem, Hint: w.Hint,
	}, err
}

func (m closeChannel) wire() (any, error)          { return wireCloseChannel(m), nil }
func (w wireCloseChannel) parse() (message, error) { return closeChannel(w), nil }

func (m closeConsent) wire() (any, error) {
	consent, err := m.Consent.MarshalBinary()
	return wireCloseConsent{Consent: consent}, err
}

func (w wireCloseConsent) parse() (message, error) {
	consent, err := tlb.ParseSignedCoopClose(w.Consent)
	return closeConsent{Consent: consent}, err
}

func (m offerList) wire() (any, error) { return wireOfferList{Offers: offersToWire(m.Offers)}, nil }
func (w wireOfferList) parse() (message, error) {
	return offerList{Offers: offersFromWire(w.Offers)}, nil
}

func (m refused) wire() (any, error)          { return wireRefused(m), nil }
func (w wireRefused) parse() (message, error) { return refused(w), nil }

func (m Header) wire() (any, error) {
	voucher, err := optional(m.Voucher)
	return wireHeader{
		ID: m.ID, Kind: m.Kind, Model: m.Model, Stream: m.Stream, Price: wirePrice(m.Price), MaxTokens: m.MaxTokens,
		PromptBound: m.PromptBound, MaxCost: m.MaxCost, BodySize: m.BodySize, Timeout: uint64(m.Timeout / time.Millisecond),
		Channel: m.Channel, Voucher: voucher,
	}, err
}

func (w wireHeader) parse() (message, error) {
	voucher, err := parseOptional(w.Voucher, tlb.ParseSignedVoucher)
	if err != nil {
		return nil, err
	}
	if w.Timeout > uint64(MaxTimeout/time.Millisecond) {
		return nil, fmt.Errorf("timeout is longer than %s", MaxTimeout)
	}
	return Header{
		ID: w.ID, Kind: w.Kind, Model: w.Model, Stream: w.Stream, Price: tlb.Price(w.Price), MaxTokens: w.MaxTokens,
		PromptBound: w.PromptBound, MaxCost: w.MaxCost, BodySize: w.BodySize, Timeout: time.Duration(w.Timeout) * time.Millisecond,
		Channel: w.Channel, Voucher: voucher,
	}, nil
}

func (m body) wire() (any, error)          { return wireData(m), nil }
func (w wireData) parse() (message, error) { return body(w), nil }

func (m moreVoucher) wire() (any, error) {
	voucher, err := m.Signed.MarshalBinary()
	return wireVoucher{Voucher: voucher}, err
}

func (w wireVoucher) parse() (message, error) {
	voucher, err := tlb.ParseSignedVoucher(w.Voucher)
	return moreVoucher{Signed: voucher}, err
}

func (m Head) wire() (any, error) {
	return wireHead{Status: uint16(m.Status), ContentType: m.ContentType, Headers: m.Headers}, nil
}

func (w wireHead) parse() (message, error) {
	return Head{Status: int(w.Status), ContentType: w.ContentType, Headers: w.Headers}, nil
}

func (m Part) wire() (any, error) {
	return wirePart{Data: m.Data, Usage: wireUsage(m.Usage), Spent: m.Spent}, nil
}

func (w wirePart) parse() (message, error) {
	return Part{Data: w.Data, Usage: tlb.Usage(w.Usage), Spent: w.Spent}, nil
}

func (m NeedVoucher) wire() (any, error)          { return wireNeedVoucher(m), nil }
func (w wireNeedVoucher) parse() (message, error) { return NeedVoucher(w), nil }

func (m Done) wire() (any, error) {
	receipt, err := m.Receipt.MarshalBinary()
	return wireDone{Usage: wireUsage(m.Usage), Cost: m.Cost, Receipt: receipt}, err
}

func (w wireDone) parse() (message, error) {
	receipt, err := tlb.ParseSignedReceipt(w.Receipt)
	return Done{Usage: tlb.Usage(w.Usage), Cost: w.Cost, Receipt: receipt}, err
}

func (m Failed) wire() (any, error) {
	receipt, err := optional(m.Receipt)
	return wireFailed{
		Code: m.Code, Message: m.Message, Hint: m.Hint, Spent: m.Spent, Need: m.Need,
		Usage: wireUsage(m.Usage), Cost: m.Cost, Receipt: receipt,
	}, err
}

func (w wireFailed) parse() (message, error) {
	receipt, err := parseOptional(w.Receipt, tlb.ParseSignedReceipt)
	return Failed{
		Code: w.Code, Message: w.Message, Hint: w.Hint, Spent: w.Spent, Need: w.Need,
		Usage: tlb.Usage(w.Usage), Cost: w.Cost, Receipt: receipt,
	}, err
}

func (offersRequest) wire() (any, error) { return wireEmpty{}, nil }
func (ping) wire() (any, error)          { return wireEmpty{}, nil }
func (pong) wire() (any, error)          { return wireEmpty{}, nil }
func (Accepted) wire() (any, error)      { return wireEmpty{}, nil }
func (bodyEnd) wire() (any, error)       { return wireEmpty{}, nil }
func (cancel) wire() (any, error)        { return wireEmpty{}, nil }

// optional encodes a signed cell that may be absent; absent is the empty string.
func optional[T interface{ MarshalBinary() ([]byte, error) }](signed *T) ([]byte, error) {
	if signed == nil {
		return nil, nil
	}
	return (*signed).MarshalBinary()
}

func parseOptional[T any](b []byte, parse func([]byte) (T, error)) (*T, error) {
	if len(b) == 0 {
		return nil, nil
	}
	signed, err := parse(b)
	return &signed, err
}
