package collateral_test

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"log"
	"os"

	"github.com/tussah-network/tussah/p2p/attest/collateral"
	"github.com/tussah-network/tussah/p2p/attest/sim"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

// A machine that reaches no service takes collateral from a bundle, and its
// verifier asks the service.
func Example() {
	ca, err := sim.NewCA()
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "collateral")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	service := collateral.New(collateral.Options{Dir: dir, Roots: []*x509.Certificate{ca.Root()}})
	if err := service.Open(); err != nil {
		log.Fatal(err)
	}
	defer service.Close()

	set, err := ca.Collateral()
	if err != nil {
		log.Fatal(err)
	}
	var bundle bytes.Buffer
	if err := collateral.WriteBundle(&bundle, []tdx.Collateral{set}); err != nil {
		log.Fatal(err)
	}
	if _, err := service.Import(&bundle); err != nil {
		log.Fatal(err)
	}
	verifier := tdx.Verifier{Roots: []*x509.Certificate{ca.Root()}, Collateral: service}
	fmt.Println(verifier.Inputs() != new(tdx.Verifier).Inputs())
	for _, subject := range service.Status().Subjects {
		fmt.Println(subject.Name, "served:", subject.Served)
	}
	// Output:
	// true
	// tdx/90c06f000000/platform served: true
}
