package p2p_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/tussah-network/tussah/p2p"
	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/ratls"
)

// A client finds a proxy in the registry and connects to it.
func ExampleOpen() {
	ca, err := sim.NewCA()
	if err != nil {
		log.Fatal(err)
	}
	proxyID, err := p2p.NewIdentity()
	if err != nil {
		log.Fatal(err)
	}
	proxy, err := p2p.Open(proxyID, p2p.Options{
		RATLS:  ratls.Options{Provider: ca.Platform("rack 7").VM(sim.Measure("proxy")), UnattestedInbound: true},
		Listen: []string{"/ip4/127.0.0.1/tcp/0"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer proxy.Close()

	// What the registry says about the proxy.
	entry, err := p2p.ParseCandidate([]byte(proxy.ID()), proxy.Addresses(), p2p.FromRegistry)
	if err != nil {
		log.Fatal(err)
	}
	book := p2p.NewBook()
	book.Replace(p2p.FromRegistry, []p2p.Candidate{entry})

	policy := attest.Policy{
		AllowSimulated: true,
		EventsLater:    true,
		Image:          func([32]byte) error { return nil }, // a real client asks the registry
		Platform:       attest.AnyPlatform,
	}
	clientID, err := p2p.NewIdentity()
	if err != nil {
		log.Fatal(err)
	}
	client, err := p2p.Open(clientID, p2p.Options{
		RATLS: ratls.Options{Appraise: func(s ratls.Shown) (attest.Appraisal, error) {
			return ca.Verifier().Appraise(s.Evidence, s.ReportData, policy, time.Now())
		}},
		AllowPrivate: true, // the proxy of this example is on loopback
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	for _, c := range book.Candidates() {
		fmt.Println(c.Source, client.Dial(context.Background(), c))
	}
	// Output: registry <nil>
}
