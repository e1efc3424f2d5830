package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets this test binary be the command: scripts and tests run it as "tussah".
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tussah": main})
}

// TestScripts are the command as its users see it, one topic per file.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata"})
}
