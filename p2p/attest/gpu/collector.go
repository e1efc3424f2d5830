package gpu

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// Collector obtains evidence of this machine's GPUs.
type Collector interface {
	// Collect asks all devices to sign a nonce. It may take seconds.
	Collect(ctx context.Context, nonce [32]byte) ([]Device, error)
}

// Errors of [Command].
var (
	ErrNoCommand = errors.New("gpu: no command to collect evidence with")
	ErrCommand   = errors.New("gpu: the command that collects evidence did not succeed")
	ErrOutput    = errors.New("gpu: the command that collects evidence wrote something else")
)

// Command collects evidence with an external program: NVIDIA's own, or one that
// prints what it prints, a JSON object
//
//	{"evidences": [{"evidence": base64 of the report, "certificate": base64 of the chain in PEM}, …]}
//
// in which other members are ignored. The program runs inside the measured
// machine and is part of its image.
type Command struct {
	// Argv is the program and its arguments. The nonce in hexadecimal comes last:
	// {"nvattest", "collect-evidence", "--device", "gpu", "--nonce"}.
	Argv []string
	// Timeout bounds a run. Default 30 s.
	Timeout time.Duration
}

var _ Collector = Command{}

const (
	defaultTimeout = 30 * time.Second
	maxOutput      = 1 << 20 // sixteen devices, base64 twice over for certificates
	maxTail        = 1 << 10 // of stderr in an error
	waitDelay      = 2 * time.Second
)

// Collect implements [Collector].
func (c Command) Collect(ctx context.Context, nonce [32]byte) ([]Device, error) {
	if len(c.Argv) == 0 {
		return nil, ErrNoCommand
	}
	timeout := c.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	arguments := append(slices.Clone(c.Argv[1:]), hex.EncodeToString(nonce[:]))
	run := exec.CommandContext(ctx, c.Argv[0], arguments...)
	// A child that keeps the pipes open must not keep us.
	run.WaitDelay = waitDelay
	out, tail := &limited{limit: maxOutput, full: cancel}, &ring{}
	run.Stdout, run.Stderr = out, tail
	err := run.Run()
	switch {
	case out.exceeded:
		return nil, fmt.Errorf("%w: more than %d bytes", ErrOutput, maxOutput)
	case err != nil:
		return nil, fmt.Errorf("%w: %s: %w; it said: %q", ErrCommand, c.Argv[0], errors.Join(err, ctx.Err()), tail.String())
	}
	return parseOutput(out.kept.Bytes(), nonce)
}

// parseOutput reads what the command wrote, and checks that it is about the nonce:
// a stale answer is better noticed here than by a peer.
func parseOutput(b []byte, nonce [32]byte) ([]Device, error) {
	var output struct {
		Evidences []struct {
			Evidence    []byte `json:"evidence"`
			Certificate []byte `json:"certificate"`
		} `json:"evidences"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&output); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOutput, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: more than one value", ErrOutput)
	}
	if n := len(output.Evidences); n == 0 || n > MaxDevices {
		return nil, fmt.Errorf("%w: %d devices", ErrOutput, n)
	}
	var devices []Device
	for i, e := range output.Evidences {
		r, err := parseReport(e.Evidence)
		if err != nil {
			return nil, fmt.Errorf("%w: device %d: report: %w", ErrOutput, i, err)
		}
		if r.nonce != nonce {
			return nil, fmt.Errorf("%w: device %d answers another nonce", ErrOutput, i)
		}
		chain, err := parsePEM(e.Certificate)
		if err != nil {
			return nil, fmt.Errorf("%w: device %d: %w", ErrOutput, i, err)
		}
		devices = append(devices, Device{Report: e.Evidence, Chain: chain})
	}
	return devices, nil
}

// parsePEM reads certificates and nothing else.
func parsePEM(b []byte) ([][]byte, error) {
	var chain [][]byte
	for len(bytes.TrimSpace(b)) > 0 {
		block, rest := pem.Decode(b)
		if block == nil || block.Type != "CERTIFICATE" || len(chain) == maxCertificates {
			return nil, fmt.Errorf("PEM after %d certificates", len(chain))
		}
		chain = append(chain, block.Bytes)
		b = rest
	}
	return chain, nil
}

// limited keeps what is written up to a limit, and stops the writer beyond it.
type limited struct {
	kept     bytes.Buffer // not embedded: its ReadFrom would go past the limit
	limit    int
	full     func()
	exceeded bool
}

func (l *limited) Write(b []byte) (int, error) {
	if l.kept.Len()+len(b) > l.limit {
		l.exceeded = true
		l.full()
		return 0, ErrOutput
	}
	return l.kept.Write(b)
}

// ring keeps the end of what is written.
type ring struct{ tail []byte }

func (r *ring) Write(b []byte) (int, error) {
	r.tail = append(r.tail, b...)
	if extra := len(r.tail) - maxTail; extra > 0 {
		r.tail = append([]byte(nil), r.tail[extra:]...)
	}
	return len(b), nil
}

func (r *ring) String() string { return strings.TrimSpace(string(r.tail)) }
