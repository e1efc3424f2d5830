package gpu_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tussah-network/tussah/p2p/attest/gpu"
	"github.com/tussah-network/tussah/p2p/attest/gpu/gpusim"
)

// collectorMode makes this test binary the external command.
const collectorMode = "TUSSAH_TEST_COLLECTOR"

func TestMain(m *testing.M) {
	if mode := os.Getenv(collectorMode); mode != "" {
		os.Exit(runCollector(mode, os.Args[len(os.Args)-1]))
	}
	os.Exit(m.Run())
}

// runCollector is what programs may do when asked for evidence.
func runCollector(mode, nonceText string) int {
	nonce, err := hex.DecodeString(nonceText)
	if err != nil || len(nonce) != 32 {
		fmt.Fprintln(os.Stderr, "last argument is not a nonce")
		return 2
	}
	switch mode {
	case "fail":
		fmt.Fprintln(os.Stderr, strings.Repeat("noise ", 1000)+"no GPU found")
		return 3
	case "hang":
		time.Sleep(time.Minute)
		return 0
	case "flood":
		for {
			if _, err := os.Stdout.Write(make([]byte, 64<<10)); err != nil {
				return 1
			}
		}
	case "text":
		fmt.Println("evidence")
		return 0
	case "none":
		fmt.Println(`{"evidences": null, "result_code": 1}`)
		return 0
	case "stale":
		nonce[0]++
	}
	manufacturer, err := gpusim.NewManufacturer(gpusim.Options{})
	if err != nil {
		return 1
	}
	g, err := manufacturer.NewGPU()
	if err != nil {
		return 1
	}
	d, err := g.Evidence([32]byte(nonce))
	if err != nil {
		return 1
	}
	var chain bytes.Buffer
	for _, c := range d.Chain {
		_ = pem.Encode(&chain, &pem.Block{Type: "CERTIFICATE", Bytes: c})
	}
	if mode == "junk" {
		chain.WriteString("junk")
	}
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{
		"result_code": 0,
		"evidences":   []any{map[string]any{"arch": "HOPPER", "evidence": d.Report, "certificate": chain.Bytes(), "nonce": nonceText}},
	})
	if mode == "twice" {
		fmt.Println("{}")
	}
	return 0
}

func TestCommand(t *testing.T) {
	for _, c := range []struct {
		mode    string
		want    error
		text    string // in the error
		timeout time.Duration
	}{
		{mode: "good"},
		{mode: "fail", want: gpu.ErrCommand, text: "no GPU found"},
		{mode: "hang", want: gpu.ErrCommand, text: "deadline", timeout: 200 * time.Millisecond},
		{mode: "flood", want: gpu.ErrOutput},
		{mode: "text", want: gpu.ErrOutput},
		{mode: "none", want: gpu.ErrOutput},
		{mode: "stale", want: gpu.ErrOutput, text: "another nonce"},
		{mode: "junk", want: gpu.ErrOutput},
		{mode: "twice", want: gpu.ErrOutput},
	} {
		t.Run(c.mode, func(t *testing.T) {
			t.Setenv(collectorMode, c.mode)
			devices, err := gpu.Command{Argv: []string{os.Args[0]}, Timeout: c.timeout}.Collect(t.Context(), [32]byte{9})
			if !errors.Is(err, c.want) || c.want != nil && !strings.Contains(err.Error(), c.text) {
				t.Fatalf("got %v, want %v with %q", err, c.want, c.text)
			}
			if err != nil {
				if len(err.Error()) > 2000 {
					t.Errorf("error of %d bytes", len(err.Error()))
				}
				return
			}
			if len(devices) != 1 || len(devices[0].Chain) != 5 {
				t.Errorf("got %d devices", len(devices))
			}
		})
	}
}

func TestCommandIsMissing(t *testing.T) {
	if _, err := (gpu.Command{}).Collect(t.Context(), [32]byte{}); !errors.Is(err, gpu.ErrNoCommand) {
		t.Errorf("got %v", err)
	}
	if _, err := (gpu.Command{Argv: []string{"/nowhere/collector"}}).Collect(t.Context(), [32]byte{}); !errors.Is(err, gpu.ErrCommand) {
		t.Errorf("got %v", err)
	}
}
