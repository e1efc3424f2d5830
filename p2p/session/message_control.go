package session

import (
	"fmt"
	"time"

	"github.com/tussah-network/tussah/p2p/ratls"
	"github.com/tussah-network/tussah/tlb"
)

// Role is what a peer is in the network, see [ratls.Role].
type Role = ratls.Role

// The roles.
const (
	RoleClient = ratls.RoleClient
	RoleProxy  = ratls.RoleProxy
	RoleWorker = ratls.RoleWorker
)

// Hello introduces a peer; both ends say one. A worker repeats it to refresh its
// offers. Fields that only a payee has are zero in a client's Hello.
type Hello struct {
	Version      uint32   // Version
	Role         Role     //
	Network      int32    // global id of the TON network
	Registry     string   // address of the registry
	Agent        string   // software and version, for logs
	Capabilities []string // optional features; unknown ones are ignored

	PayeeKey   [32]byte // Ed25519 key that signs receipts and consents to a close
	Payout     string   // the payee's fixed payout address
	MinDeposit tlb.Nano // smallest deposit of a channel it accepts
	CloseDelay uint32   // close delay in seconds that a channel must have
	Window     tlb.Nano // credit window: how much it likes to be authorised ahead
	Offers     []Offer
	Draining   bool // takes no new requests
}

// Offer is a payee's price statement for one model, with what is needed to choose
// between payees.
type Offer struct {
	Model      string
	Price      tlb.Price
	MaxContext uint32        // tokens of prompt and completion together
	MaxTokens  uint32        // completion tokens per request
	Slots      uint32        // requests served at once
	Running    uint32        // requests running now
	TTL        time.Duration // how long the price holds; whole seconds
	Image      [32]byte      // measured image of the worker; zero if there are several
}

// ChannelStatus is what a payee knows of an announced channel.
type ChannelStatus struct {
	Channel    string             // address
	Highest    *tlb.SignedVoucher // highest voucher held; nil if none
	Authorised tlb.Nano
	Spent      tlb.Nano
	Problem    Code   // why it accepts no requests on it; zero if it does
	Hint       string // what to do about the problem
}

// The control messages that the API speaks through method arguments.
type (
	announce struct {
		Config tlb.ChannelConfig
		Proof  [64]byte // see announcement
	}
	closeChannel  struct{ Channel string }
	closeConsent  struct{ Consent tlb.SignedCoopClose }
	offersRequest struct{}
	offerList     struct{ Offers []Offer }
	ping          struct{}
	pong          struct{}
	refused       struct {
		Code          Code
		Message, Hint string
		Spent, Need   tlb.Nano
	}
)

func (m Hello) check() error {
	for _, c := range m.Capabilities {
		if err := checkText("capability", c, maxName); err != nil {
			return err
		}
	}
	return firstError(
		checkRange("role", uint64(m.Role), uint64(RoleClient), uint64(RoleWorker)),
		checkText("registry", m.Registry, maxAddress),
		checkText("agent", m.Agent, maxAgent),
		checkText("payout", m.Payout, maxAddress),
		checkNano("minimum deposit", m.MinDeposit),
		checkNano("window", m.Window),
		checkRange("capabilities", uint64(len(m.Capabilities)), 0, maxCapabilities),
		checkOffers(m.Offers),
	)
}

func (m Offer) check() error {
	var ttl error
	if m.TTL < 0 || m.TTL > 24*time.Hour || m.TTL%time.Second != 0 {
		ttl = fmt.Errorf("offer's TTL is no whole number of seconds within a day")
	}
	return firstError(
		checkName("model", m.Model, maxModel),
		checkPrice(m.Price),
		ttl,
	)
}

func checkOffers(offers []Offer) error {
	if len(offers) > maxOffers {
		return fmt.Errorf("%d offers, at most %d", len(offers), maxOffers)
	}
	for _, o := range offers {
		if err := o.check(); err != nil {
			return err
		}
	}
	return nil
}

func (m ChannelStatus) check() error {
	return firstError(
		checkName("channel", m.Channel, maxAddress),
		checkNano("authorised", m.Authorised),
		checkNano("spent", m.Spent),
		checkCode(m.Problem, true),
		checkText("hint", m.Hint, maxText),
	)
}

func (m closeChannel) check() error { return checkName("channel", m.Channel, maxAddress) }
func (m offerList) check() error    { return checkOffers(m.Offers) }

func (m refused) check() error {
	return firstError(
		checkCode(m.Code, false),
		checkText("message", m.Message, maxText),
		checkText("hint", m.Hint, maxText),
		checkNano("spent", m.Spent),
		checkNano("need", m.Need),
	)
}

func (m announce) check() error      { return nil }
func (m closeConsent) check() error  { return nil }
func (m offersRequest) check() error { return nil }
func (m ping) check() error          { return nil }
func (m pong) check() error          { return nil }

func (m refused) err() *Error {
	return &Error{Code: m.Code, Message: m.Message, Hint: m.Hint, Spent: m.Spent, Need: m.Need}
}

func refusedBy(e *Error) refused {
	return refused{Code: e.Code, Message: e.Message, Hint: e.Hint, Spent: e.Spent, Need: e.Need}
}
