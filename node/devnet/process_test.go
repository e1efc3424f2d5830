package devnet_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tussah-network/tussah/node"
)

// nodeVariable names a configuration file: with it set, this test binary is a node
// and not a test. Only a process of its own can be killed without warning.
const nodeVariable = "TUSSAH_TEST_NODE"

func TestMain(m *testing.M) {
	if file := os.Getenv(nodeVariable); file != "" {
		if err := runNode(file); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// readyLine is what a node prints once it has started.
const readyLine = "ready"

// runNode runs until standard input ends, so that no node outlives its test.
func runNode(file string) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	cfg, err := node.LoadConfig(file)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})).With("role", cfg.Role())
	n, err := node.New(cfg, node.Options{Log: log, Ready: func(*node.Node) { fmt.Println(readyLine) }})
	if err != nil {
		return err
	}
	return n.Run(ctx)
}

// process is a node in a process of its own.
type process struct {
	t     *testing.T
	file  string
	cmd   *exec.Cmd
	stdin io.Closer
}

// startProcess runs the node of a configuration file until the test ends.
func startProcess(t *testing.T, file string) *process {
	t.Helper()
	p := &process{t: t, file: file}
	t.Cleanup(p.kill)
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// start returns when the node is ready.
func (p *process) start() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	p.cmd = exec.Command(program)
	p.cmd.Env = append(os.Environ(), nodeVariable+"="+p.file)
	p.cmd.Stderr = p.t.Output()
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	stuck := time.AfterFunc(time.Minute, func() { p.cmd.Process.Kill() })
	defer stuck.Stop()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if line != readyLine+"\n" {
		return fmt.Errorf("the node of %s did not start: it said %q, %w", p.file, line, err)
	}
	return nil
}

// kill is kill -9: the node can write nothing more.
func (p *process) kill() {
	if p.cmd == nil || p.cmd.Process == nil || p.cmd.ProcessState != nil {
		return
	}
	p.cmd.Process.Kill()
	_ = p.cmd.Wait() // it was killed: that is its error
}

// stop ends the node as its operator would.
func (p *process) stop() error {
	late := time.AfterFunc(30*time.Second, func() { p.cmd.Process.Kill() })
	defer late.Stop()
	return errors.Join(p.stdin.Close(), p.cmd.Wait())
}
