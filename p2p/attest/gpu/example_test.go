package gpu_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/tussah-network/tussah/p2p/attest/gpu"
	"github.com/tussah-network/tussah/p2p/attest/gpu/gpusim"
)

// A client asks the worker at the other end of a channel about its GPU. The GPU
// and its manufacturer are simulated here, which the policy has to allow.
func Example() {
	manufacturer, err := gpusim.NewManufacturer(gpusim.Options{})
	if err != nil {
		log.Fatal(err)
	}
	device, err := manufacturer.NewGPU()
	if err != nil {
		log.Fatal(err)
	}

	// Both ends know these.
	var workerKey, clientNonce, exporter [32]byte
	nonce, asked := gpu.Nonce(workerKey, clientNonce, exporter), time.Now()

	// The worker.
	devices, err := gpusim.Collector{device}.Collect(context.Background(), nonce)
	if err != nil {
		log.Fatal(err)
	}
	evidence, err := gpu.Encode(devices)
	if err != nil {
		log.Fatal(err)
	}
	ids, err := gpu.DeviceIDs(evidence)
	if err != nil {
		log.Fatal(err)
	}
	measured := gpu.Measurement(gpu.CCOn, ids) // at boot, as part of its quote

	// The client.
	question := gpu.Question{Nonce: nonce, Asked: asked, CC: gpu.MeasuredMode(measured, ids)}
	collateral := gpu.Collateral{RIM: manufacturer.RIM, Revocations: &gpu.Revocations{Date: time.Now()}}
	policy := gpu.Policy{
		Models: map[string]gpu.Model{"GH100": {
			SKUs: []string{"1010_0200_882"}, MinDriver: "550.90.07", MinVBIOS: "96.00.9F.00.01",
		}},
		Device:         gpu.AnyDevice,
		AllowSimulated: true,
		SimulatedRoots: manufacturer.Roots(),
	}
	result, err := gpu.Appraise(evidence, question, collateral, policy, time.Now())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Devices[0].Model, result.Devices[0].Driver, result.Devices[0].VBIOS)

	policy.AllowSimulated = false
	_, err = gpu.Appraise(evidence, question, collateral, policy, time.Now())
	fmt.Println(err != nil)
	// Output:
	// GH100 550.90.07 96.00.9F.00.01
	// true
}
