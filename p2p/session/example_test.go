package session_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"log"
	"strings"
	"time"

	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/p2p"
	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/ratls"
	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/tlb"
)

// echo is a payee that answers with the body. A real one checks vouchers before it
// delivers, and serves the other calls as well.
type echo struct {
	session.Handler
	key ed25519.PrivateKey
}

func (e echo) Request(ctx context.Context, p session.Peer, in *session.Incoming) error {
	if in.Header.Voucher == nil {
		return &session.Error{Code: session.CodeUnderauthorised, Need: 1000}
	}
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return err
	}
	if err := in.Accept(); err != nil {
		return err
	}
	if err := in.Head(session.Head{Status: 200, ContentType: "text/plain"}); err != nil {
		return err
	}
	usage := tlb.Usage{Prompt: 1, Completion: 1}
	if err := in.Part(session.Part{Data: body, Usage: usage, Spent: 1000}); err != nil {
		return err
	}
	work := tlb.Work{Request: in.Header.ID, Model: tlb.ModelHash(in.Header.Model), Usage: usage}
	sig, err := work.Sign(e.key)
	if err != nil {
		return err
	}
	receipt, err := tlb.SignReceipt(tlb.Receipt{
		Work: work, WorkerKey: [32]byte(e.key.Public().(ed25519.PublicKey)), WorkerSig: sig,
		Network: -3, Channel: in.Header.Voucher.Voucher.Channel, Price: in.Header.Price, Cost: 1000, Spent: 1000,
	}, e.key)
	if err != nil {
		return err
	}
	return in.Done(session.Done{Usage: usage, Cost: 1000, Receipt: receipt})
}

func ExampleClient_Request() {
	proxy, client, err := connectedHosts()
	if err != nil {
		log.Fatal(err)
	}
	defer proxy.Close()
	defer client.Close()
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

	server := session.Serve(proxy, echo{key: key}, session.Options{
		Admit: func(session.Peer) error { return nil }, // clients need no evidence
	})
	defer server.Close()

	channel := address.NewAddress(0, 0, make([]byte, 32))
	voucher, err := tlb.SignVoucher(tlb.Voucher{Network: -3, Channel: channel, Cumulative: 1000}, key)
	if err != nil {
		log.Fatal(err)
	}
	prompt := "a prompt that is nobody else's business"
	header := session.Header{
		ID: [32]byte{1}, Kind: session.ChatCompletions, Model: "silk-1", MaxCost: 1000, BodySize: uint64(len(prompt)),
		Timeout: time.Minute, Channel: channel.String(), Voucher: &voucher,
	}
	ctx := context.Background()
	request, err := session.NewClient(client, session.Options{}).Request(ctx, proxy.ID(), header, strings.NewReader(prompt))
	if err != nil {
		log.Fatal(err)
	}
	defer request.Close()
	for {
		event, err := request.Next(ctx)
		if err == io.EOF {
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		switch e := event.(type) {
		case session.Accepted:
			fmt.Println("accepted")
		case session.Head:
			fmt.Println("status", e.Status)
		case session.Part:
			fmt.Println("part of", len(e.Data), "bytes, spent", e.Spent)
		case session.NeedVoucher:
			fmt.Println("needs", e.Need)
		case session.Done:
			fmt.Println("done, cost", e.Cost, "paid against receipt of", e.Receipt.Receipt.Cost)
		case session.Failed:
			fmt.Println("failed:", e.Err())
		}
	}
	// Output:
	// accepted
	// status 200
	// part of 39 bytes, spent 0.000001 TON
	// done, cost 0.000001 TON paid against receipt of 0.000001 TON
}

// connectedHosts makes a proxy with simulated evidence and a client connected to it.
func connectedHosts() (proxy, client *p2p.Host, err error) {
	ca, err := sim.NewCA()
	if err != nil {
		return nil, nil, err
	}
	policy := attest.Policy{
		AllowSimulated: true, EventsLater: true,
		Image: func([32]byte) error { return nil }, Platform: attest.AnyPlatform,
	}
	proxy, err = openHost(p2p.Options{
		RATLS:  ratls.Options{Provider: ca.Platform("rack").VM(sim.Measure("proxy")), UnattestedInbound: true, Self: func() ratls.Claims { return ratls.Claims{Role: ratls.RoleProxy} }},
		Listen: []string{"/ip4/127.0.0.1/tcp/0"},
	})
	if err != nil {
		return nil, nil, err
	}
	client, err = openHost(p2p.Options{
		RATLS: ratls.Options{Appraise: func(s ratls.Shown) (attest.Appraisal, error) {
			return ca.Verifier().Appraise(s.Evidence, s.ReportData, policy, time.Now())
		}},
		AllowPrivate: true,
	})
	if err != nil {
		return nil, nil, err
	}
	c, err := p2p.ParseCandidateAddr(proxy.Addresses()[0], p2p.FromConfig)
	if err != nil {
		return nil, nil, err
	}
	return proxy, client, client.Dial(context.Background(), c)
}

func openHost(o p2p.Options) (*p2p.Host, error) {
	id, err := p2p.NewIdentity()
	if err != nil {
		return nil, err
	}
	return p2p.Open(id, o)
}
