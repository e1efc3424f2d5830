package main

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tussah-network/tussah/sandbox/control"
	"github.com/tussah-network/tussah/sandbox/localnet"
)

// TestSandboxScripts run sandboxes of their own. "await FILE" waits until the
// file is there; "network" runs a network in memory, with its control at $RPC.
func TestSandboxScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/sandbox", Cmds: map[string]func(*testscript.TestScript, bool, []string){
		"await": func(ts *testscript.TestScript, _ bool, args []string) {
			for range 1000 {
				if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
			ts.Fatalf("%s did not come", args[0])
		},
		"network": func(ts *testscript.TestScript, _ bool, _ []string) {
			network, err := localnet.Open(localnet.Options{})
			ts.Check(err)
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- network.Run(ctx) }()
			ts.Defer(func() {
				stop()
				if err := <-done; err != nil {
					t.Errorf("run the network: %v", err)
				}
			})
			ts.Setenv("RPC", network.Info().Control)
		},
	}})
}

// TestEveryVerbHasACommand holds the commands against the table of verbs, both
// ways.
func TestEveryVerbHasACommand(t *testing.T) {
	var commands, verbs []string
	for _, c := range sandboxCommand().Commands() {
		if name := c.Name(); !slices.Contains([]string{"up", "start", "replay"}, name) { // they need no running network
			commands = append(commands, name)
		}
	}
	for _, v := range control.Verbs() {
		verbs = append(verbs, v.Command)
	}
	slices.Sort(commands)
	slices.Sort(verbs)
	if verbs = slices.Compact(verbs); !slices.Equal(commands, verbs) {
		t.Errorf("commands are %v, verbs %v", commands, verbs)
	}
}
