package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tussah-network/tussah/node"
	"github.com/tussah-network/tussah/node/devnet"
	"github.com/tussah-network/tussah/sandbox/control"
	"github.com/tussah-network/tussah/sandbox/localnet"
	"github.com/tussah-network/tussah/tlb"
)

// service is a long-running command in a process of its own.
type service struct {
	t     *testing.T
	name  string
	cmd   *exec.Cmd
	lines chan string // of standard error
}

// up starts a command and waits until it has said that it runs.
func up(t *testing.T, said string, args ...string) *service {
	t.Helper()
	s := &service{t: t, name: args[0], cmd: exec.Command("tussah", args...), lines: make(chan string, 1000)}
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			s.cmd.Process.Kill()
			s.cmd.Wait()
		}
	})
	go func() {
		defer close(s.lines)
		for text := bufio.NewScanner(stderr); text.Scan(); {
			s.lines <- text.Text()
		}
	}()
	late := time.After(time.Minute)
	for {
		select {
		case line, ok := <-s.lines:
			if !ok {
				t.Fatalf("tussah %s ended before it said %q", strings.Join(args, " "), said)
			}
			t.Logf("%s: %s", s.name, line)
			if strings.Contains(line, said) {
				return s
			}
		case <-late:
			t.Fatalf("tussah %s did not say %q within a minute", strings.Join(args, " "), said)
		}
	}
}

// interrupt is Ctrl-C. The command has to leave in order, with code 0.
func (s *service) interrupt() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		s.t.Fatal(err)
	}
	late := time.AfterFunc(30*time.Second, func() { s.cmd.Process.Kill() })
	defer late.Stop()
	for line := range s.lines {
		s.t.Logf("%s: %s", s.name, line)
	}
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("tussah %s after Ctrl-C: %v", s.name, err)
	}
}

// tussah runs a command that succeeds and returns what it printed.
func tussah(t *testing.T, args ...string) string {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, "tussah", args...)
	var words bytes.Buffer
	cmd.Stderr = &words
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tussah %s: %v\n%s", strings.Join(args, " "), err, words.String())
	}
	return string(out)
}

// decode reads what a command printed as JSON.
func decode[V any](t *testing.T, text string) V {
	t.Helper()
	var v V
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("a minute passed: %s", what)
		}
	}
}

// TestFourTerminals is a network as its operators run it: four commands, each in a
// process of its own, and the commands to look at them.
func TestFourTerminals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("NOT TESTED on Windows: a process cannot be sent Ctrl-C there")
	}
	dir := t.TempDir()
	file := func(role string) string { return filepath.Join(dir, role, role+".toml") }
	sandbox := up(t, "Ctrl-C stops", "sandbox", "up", "--dir", dir, "--liteserver", "127.0.0.1:0", "--http", "127.0.0.1:0", "--rpc", "127.0.0.1:0", "--interval", "150ms", "--client-listen", "")
	info, err := localnet.LoadInfo(filepath.Join(dir, localnet.InfoFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&control.Client{URL: info.Control}).Call(t.Context(), "status", nil); err != nil {
		t.Errorf("control: %v", err)
	}
	if response, err := http.Get(info.HTTP + "/api/v2/getMasterchainInfo"); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("HTTP API: %v, %v", response, err)
	} else if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
	proxy := up(t, "status: ", "proxy", "--config", file("proxy"))
	worker := up(t, "status: ", "worker", "--config", file("worker"))
	client := up(t, "status: ", "client", "--config", file("client"))
	cfg, err := node.LoadConfig(file("client"))
	if err != nil {
		t.Fatal(err)
	}
	endpoint := "http://" + cfg.Client.Listen
	eventually(t, "the client serves", func() bool {
		response, err := http.Get(endpoint + "/healthz")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})

	response, err := http.Post(endpoint+"/v1/chat/completions", "application/json",
		strings.NewReader(fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"count to 3"}]}`, devnet.DemoModel)))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(answer), "The Tussah demo engine counts: 1 2 3") {
		t.Fatalf("%s, %v: %s", response.Status, err, answer)
	}
	cost, err := tlb.ParseNano(response.Header.Get("Tussah-Cost"))
	if err != nil || cost == 0 {
		t.Errorf("the stated cost: %v, %v", cost, err)
	}

	t.Run("registry show", func(t *testing.T) {
		view := decode[registryView](t, tussah(t, "registry", "show", "--config", file("client"), "--json"))
		if len(view.Images) != 2 || len(view.Models) != 1 || view.Models[0] != devnet.DemoModel || len(view.Proxies) != 1 || !view.Proxies[0].Active {
			t.Errorf("registry %+v", view)
		}
		if table := tussah(t, "registry", "show", "--config", file("client")); !strings.Contains(table, view.Proxies[0].Peer) || !strings.Contains(table, devnet.DemoModel) {
			t.Errorf("the table says %s", table)
		}
	})
	var channel node.Channel
	t.Run("channel list and show", func(t *testing.T) {
		all := decode[[]node.Channel](t, tussah(t, "channel", "list", "--config", file("client"), "--json"))
		if len(all) != 1 || all[0].End != "paying" || all[0].Spent != cost || all[0].Phase != "Open" {
			t.Fatalf("channels %+v, and the answer cost %s", all, cost)
		}
		channel = all[0]
		if one := decode[node.Channel](t, tussah(t, "channel", "show", "--config", file("client"), "--json", channel.Channel)); one != channel {
			t.Errorf("show says %+v, list %+v", one, channel)
		}
		for _, args := range [][]string{{"list"}, {"show", channel.Channel}} {
			if text := tussah(t, append([]string{"channel", "--config", file("client")}, args...)...); !strings.Contains(text, channel.Channel) {
				t.Errorf("channel %s says %s", args[0], text)
			}
		}
		if both := decode[[]node.Channel](t, tussah(t, "channel", "list", "--config", file("proxy"), "--json")); len(both) != 2 || both[0].Channel != channel.Channel || both[0].Spent != cost {
			t.Errorf("the proxy's channels %+v", both)
		}
	})
	before := decode[walletInfo](t, tussah(t, "wallet", "show", "--config", file("client"), "--json"))
	if before.Balance == nil || before.Status != "active" {
		t.Fatalf("wallet %+v", before)
	}
	t.Run("channel close", func(t *testing.T) {
		tussah(t, "channel", "close", "--config", file("client"), channel.Channel)
		eventually(t, "the deposit comes back", func() bool {
			now := decode[walletInfo](t, tussah(t, "wallet", "show", "--config", file("client"), "--json"))
			return *now.Balance > *before.Balance+channel.Deposit*9/10
		})
	})
	t.Run("wallet send", func(t *testing.T) {
		to := decode[walletInfo](t, tussah(t, "wallet", "show", "--config", file("worker"), "--json"))
		send := []string{"wallet", "send", "--config", file("client"), "--to", to.Address, "--amount", "0.25 TON", "--id", "rent", "--json"}
		var words bytes.Buffer
		if code := run(t.Context(), send, strings.NewReader(""), io.Discard, &words); code != 1 || !strings.Contains(words.String(), "in use") {
			t.Errorf("with the node running: code %d, %s", code, words.String())
		}
		client.interrupt()
		for range 2 { // the second time it is known to be done
			tussah(t, send...)
		}
		eventually(t, "it arrives", func() bool {
			now := decode[walletInfo](t, tussah(t, "wallet", "show", "--config", file("worker"), "--json"))
			if *now.Balance > *to.Balance+tlb.TON/4 {
				t.Fatalf("%s became %s by 0.25 TON", to.Balance, now.Balance)
			}
			return *now.Balance > *to.Balance+tlb.TON/5
		})
	})
	worker.interrupt()
	proxy.interrupt()
	sandbox.interrupt()
}
