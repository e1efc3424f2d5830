package ratls_test

import (
	"context"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/ratls"
)

func ExampleOption() {
	// The proxy runs in a VM, simulated here, and takes clients without evidence.
	ca, err := sim.NewCA()
	if err != nil {
		fmt.Println(err)
		return
	}
	proxy, err := libp2p.New(
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"),
		ratls.Option(ratls.Options{
			Provider:          ca.Platform("rack 7").VM(sim.Measure("proxy")),
			UnattestedInbound: true,
		}),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer proxy.Close()

	// The client shows nothing and wants to know whom it talks to.
	policy := attest.Policy{
		AllowSimulated: true,
		EventsLater:    true,
		Image:          func(image [32]byte) error { return nil }, // a real client asks the registry
		Platform:       attest.AnyPlatform,
	}
	client, err := libp2p.New(
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.NoListenAddrs,
		ratls.Option(ratls.Options{
			Appraise: func(s ratls.Shown) (attest.Appraisal, error) {
				return ca.Verifier().Appraise(s.Evidence, s.ReportData, policy, time.Now())
			},
		}),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	if err := client.Connect(context.Background(), peer.AddrInfo{ID: proxy.ID(), Addrs: proxy.Addrs()}); err != nil {
		fmt.Println(err)
		return
	}
	p, ok := ratls.FromConn(client.Network().ConnsToPeer(proxy.ID())[0])
	fmt.Println(ok, p.Appraisal.TEE, p.Appraisal.Image == sim.Measure("proxy").Image())
	// Output: true tdx true
}
