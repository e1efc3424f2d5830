package node

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/collateral"
	"github.com/tussah-network/tussah/p2p/attest/gpu"
	"github.com/tussah-network/tussah/p2p/ratls"
)

// Refusals about accelerators.
var (
	// ErrAccelerators says that a worker shows no evidence of accelerators, and
	// the policy file demands it.
	ErrAccelerators = errors.New("the worker shows no evidence of its accelerators")
	errNoMode       = errors.New("nvidia-smi does not say whether confidential computing is on")
)

// accelerators are this machine's GPUs, and what others' are judged by.
type accelerators struct {
	collector gpu.Collector // nil: this machine shows none
	mode      func(context.Context) (gpu.CCMode, error)

	policy      gpu.Policy
	required    bool
	rim         func(id string) ([]byte, error)
	revocations func() (*gpu.Revocations, error)
}

// newAccelerators collects with an external program and asks NVIDIA's driver for
// the mode; others' are judged by what the collateral service keeps, and by the
// operator's list of revocations.
func newAccelerators(cfg AttestationConfig, v verifiers) accelerators {
	a := accelerators{
		mode:        driverMode,
		policy:      v.file.GPU(gpu.AnyDevice),
		required:    v.file.Devices.Required,
		revocations: func() (*gpu.Revocations, error) { return readRevocations(cfg.GPURevocations) },
		rim:         func(string) ([]byte, error) { return nil, attest.ErrNoCollateral },
	}
	if len(cfg.GPUCollector) > 0 {
		a.collector = gpu.Command{Argv: cfg.GPUCollector, Timeout: gpuTimeout}
	}
	if s := v.collateral; s != nil {
		a.rim = func(id string) ([]byte, error) {
			name, err := collateral.RIM(id)
			if err != nil {
				return nil, err
			}
			return s.Document(name, func(body []byte) error { return gpu.VerifyRIM(body, time.Now()) })
		}
	}
	return a
}

// gpuTimeout leaves a handshake time for the rest of it.
const gpuTimeout = 4 * time.Second

// measured is the payload of [attest.EventGPU]: which devices, in which mode.
// Empty without any.
func (a accelerators) measured(ctx context.Context) ([]byte, error) {
	if a.collector == nil {
		return nil, nil
	}
	mode, err := a.mode(ctx)
	if err != nil {
		return nil, err
	}
	evidence, err := a.collect(ctx, [32]byte{})
	if err != nil {
		return nil, err
	}
	ids, err := gpu.DeviceIDs(evidence)
	if err != nil {
		return nil, err
	}
	return gpu.Measurement(mode, ids), nil
}

// show is this machine's evidence at gate B.
func (a accelerators) show(ctx context.Context, to ratls.GPUBound) ([]byte, error) {
	return a.collect(ctx, gpu.Nonce(to.Key, to.Nonce, to.Exporter))
}

func (a accelerators) collect(ctx context.Context, nonce [32]byte) ([]byte, error) {
	devices, err := a.collector.Collect(ctx, nonce)
	if err != nil {
		return nil, err
	}
	return gpu.Encode(devices)
}

// appraise judges what a peer showed beside its accepted machine evidence.
func (a accelerators) appraise(s ratls.Shown, now time.Time) (attest.GPUs, error) {
	if len(s.GPU) == 0 {
		if a.required && s.Claims.Role == ratls.RoleWorker {
			return attest.GPUs{}, ErrAccelerators
		}
		return attest.GPUs{}, nil
	}
	revocations, err := a.revocations()
	if err != nil {
		return attest.GPUs{}, fmt.Errorf("attestation.gpu_revocations: %w", err)
	}
	q := gpu.Question{Nonce: gpu.Nonce(s.Bound.Key, s.Bound.Nonce, s.Bound.Exporter), Asked: s.Asked}
	ids, err := gpu.DeviceIDs(s.GPU)
	if err != nil {
		return attest.GPUs{}, err
	}
	if i := slices.IndexFunc(s.Evidence.Events, func(e attest.Event) bool { return e.Name == attest.EventGPU }); i >= 0 {
		q.CC = gpu.MeasuredMode(s.Evidence.Events[i].Payload, ids)
	}
	return gpu.Appraise(s.GPU, q, gpu.Collateral{RIM: a.rim, Revocations: revocations}, a.policy, now)
}

// maxRevocations bounds the operator's list.
const maxRevocations = 4 << 20

// readRevocations reads the operator's list: {"date": RFC 3339, "ids": [SHA-256 in
// hexadecimal, …]}. Without a file there is no list, and no accelerator passes.
func readRevocations(path string) (*gpu.Revocations, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	decoder := json.NewDecoder(io.LimitReader(f, maxRevocations))
	decoder.DisallowUnknownFields()
	var list struct {
		Date time.Time `json:"date"`
		IDs  []string  `json:"ids"`
	}
	if err := decoder.Decode(&list); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: more than one object, or more than %d bytes", path, maxRevocations)
	}
	r := &gpu.Revocations{Date: list.Date, IDs: map[[32]byte]struct{}{}}
	for i, text := range list.IDs {
		id, err := hex.DecodeString(text)
		if err != nil || len(id) != 32 {
			return nil, fmt.Errorf("%s: ids[%d] is no SHA-256 in hexadecimal", path, i)
		}
		r.IDs[[32]byte(id)] = struct{}{}
	}
	return r, nil
}

// driverMode asks NVIDIA's driver, inside the measured machine.
func driverMode(ctx context.Context) (gpu.CCMode, error) {
	feature, err := exec.CommandContext(ctx, "nvidia-smi", "conf-compute", "-f").Output()
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errNoMode, err)
	}
	tools, err := exec.CommandContext(ctx, "nvidia-smi", "conf-compute", "-d").Output()
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errNoMode, err)
	}
	return modeOf(string(feature), string(tools))
}

// modeOf reads lines such as "CC status: ON" and "DevTools Mode: OFF".
func modeOf(feature, tools string) (gpu.CCMode, error) {
	state := func(line string) string {
		_, value, _ := strings.Cut(line, ":")
		return strings.ToUpper(strings.TrimSpace(value))
	}
	switch cc, open := state(feature), state(tools); {
	case cc == "OFF":
		return gpu.CCOff, nil
	case cc == "ON" && open == "OFF":
		return gpu.CCOn, nil
	case cc == "ON" && open == "ON":
		return gpu.CCDevTools, nil
	}
	return 0, fmt.Errorf("%w: %q, %q", errNoMode, feature, tools)
}
