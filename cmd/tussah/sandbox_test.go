package main

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tussah-network/tussah/sandbox/control"
)

// TestSandboxScripts run sandboxes of their own, each in its folder. "await
// FILE" waits until one has come up.
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
	}})
}

// TestEveryVerbHasACommand holds the commands against the table of verbs, both
// ways.
func TestEveryVerbHasACommand(t *testing.T) {
	var commands, verbs []string
	for _, c := range sandboxCommand().Commands() {
		if name := c.Name(); name != "up" && name != "start" { // they make a network
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
