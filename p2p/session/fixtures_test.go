package session

import (
	"crypto/ed25519"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/xssnick/tonutils-go/address"
	"go.uber.org/goleak"

	"github.com/tussah-network/tussah/tlb"
)

var update = flag.Bool("update", false, "rewrite golden files in testdata")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const channelAddress = "EQAHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHB4sf"

func testKey(b byte) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = b
	return ed25519.NewKeyFromSeed(seed)
}

func testAddress(b byte) *address.Address {
	id := make([]byte, 32)
	for i := range id {
		id[i] = b
	}
	return address.NewAddress(0, 0, id)
}

func public(key ed25519.PrivateKey) (pub [32]byte) {
	copy(pub[:], key.Public().(ed25519.PublicKey))
	return pub
}

func testVoucher(t testing.TB, cumulative tlb.Nano) tlb.SignedVoucher {
	t.Helper()
	v, err := tlb.SignVoucher(tlb.Voucher{Network: -3, Channel: testAddress(7), Epoch: 9, Seq: 3, Cumulative: cumulative}, testKey(1))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

var testUsage = tlb.Usage{Prompt: 20, Cached: 5, Completion: 30, Reasoning: 10}

var testPrice = tlb.Price{Prompt: 1000, Cached: 100, Completion: 4000, Reasoning: 4000}

func testReceipt(t testing.TB, id [32]byte, u tlb.Usage) tlb.SignedReceipt {
	t.Helper()
	cost, err := testPrice.Cost(u)
	if err != nil {
		t.Fatal(err)
	}
	work := tlb.Work{Request: id, Model: tlb.ModelHash("silk-1"), Image: [32]byte{1}, Usage: u}
	sig, err := work.Sign(testKey(3))
	if err != nil {
		t.Fatal(err)
	}
	r, err := tlb.SignReceipt(tlb.Receipt{
		Work: work, WorkerKey: public(testKey(3)), WorkerSig: sig, Network: -3, Channel: testAddress(7),
		Price: testPrice, Cost: cost, Spent: cost,
	}, testKey(2))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func testConfig() tlb.ChannelConfig {
	return tlb.ChannelConfig{
		Payer: testAddress(5), Payout: testAddress(6), SessionKey: public(testKey(1)), PayeeKey: public(testKey(2)),
		CloseDelay: 3600, Network: -3, Salt: 42,
	}
}

func testHello() Hello {
	return Hello{
		Version: Version, Role: RoleProxy, Network: -3, Registry: "EQregistry", Agent: "tussah/test",
		Capabilities: []string{"sealed-body"}, PayeeKey: public(testKey(2)), Payout: "EQpayout",
		MinDeposit: tlb.TON / 10, CloseDelay: 3600, Window: 2_000_000, Offers: []Offer{testOffer()}, Draining: true,
	}
}

func testOffer() Offer {
	return Offer{
		Model: "silk-1", Price: testPrice, MaxContext: 8192, MaxTokens: 1024, Slots: 4, Running: 1,
		TTL: 30 * time.Second, Image: [32]byte{1, 2, 3},
	}
}

func testHeader(bodySize int) Header {
	return Header{
		ID: [32]byte{7}, Kind: ChatCompletions, Model: "silk-1", Stream: true, Price: testPrice, MaxTokens: 100,
		PromptBound: 10, MaxCost: tlb.TON, BodySize: uint64(bodySize), Timeout: 20 * time.Second, Channel: channelAddress,
	}
}

// samples has at least one message of every kind, by name.
func samples(t testing.TB) map[string]message {
	voucher := testVoucher(t, 5_000_000)
	usage := testUsage
	receipt := testReceipt(t, [32]byte{7}, usage)
	consent, err := tlb.SignCoopClose(tlb.CoopClose{Network: -3, Channel: testAddress(7), Final: 11}, testKey(2))
	if err != nil {
		t.Fatal(err)
	}
	paid := testHeader(300)
	paid.Voucher = &voucher
	client := Hello{Version: Version, Role: RoleClient, Network: -3, Registry: "EQregistry"}
	return map[string]message{
		"hello":                    testHello(),
		"hello of a client":        client,
		"announce":                 announce{testConfig(), [64]byte{9}},
		"channel status":           ChannelStatus{Channel: channelAddress, Highest: &voucher, Authorised: 5_000_000, Spent: 4_000_000},
		"channel status, problem":  ChannelStatus{Channel: channelAddress, Problem: CodeDepositLow, Hint: "deposit at least 0.1 TON"},
		"close channel":            closeChannel{channelAddress},
		"close consent":            closeConsent{consent},
		"offers request":           offersRequest{},
		"offer list":               offerList{[]Offer{testOffer(), {Model: "silk-2"}}},
		"offer list, empty":        offerList{},
		"ping":                     ping{},
		"pong":                     pong{},
		"refused":                  refused{Code: CodeUnderauthorised, Message: "too little", Hint: "authorise more", Spent: 3, Need: 4},
		"header":                   testHeader(300),
		"header with voucher":      paid,
		"body":                     body{[]byte("opaque")},
		"body end":                 bodyEnd{},
		"voucher":                  moreVoucher{voucher},
		"cancel":                   cancel{},
		"accepted":                 Accepted{},
		"head":                     Head{Status: 200, ContentType: "text/event-stream", Headers: map[string]string{"x-request-id": "a", "retry-after": "3"}},
		"head without headers":     Head{Status: 503},
		"part":                     Part{Data: []byte("opaque"), Usage: usage, Spent: 700},
		"part, usage only":         Part{Usage: usage, Spent: 700},
		"need voucher":             NeedVoucher{Spent: 700, Need: 900},
		"done":                     Done{Usage: usage, Cost: 800, Receipt: receipt},
		"failed":                   Failed{Code: CodeNoWorker, Message: "no worker", Hint: "try later"},
		"failed after some answer": Failed{Code: CodeCancelled, Usage: usage, Cost: 800, Receipt: &receipt},
		"failed, underauthorised":  Failed{Code: CodeUnderauthorised, Spent: 1, Need: 2},
	}
}

func testPeerID(n int) peer.ID { return peer.ID(fmt.Sprintf("peer %d", n)) }
