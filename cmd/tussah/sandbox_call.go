package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/sandbox"
	"github.com/tussah-network/tussah/sandbox/control"
	"github.com/tussah-network/tussah/sandbox/localnet"
)

// sandboxDir is where the sandbox commands look for a network.
const sandboxDir = "tussah-sandbox"

// sandboxFlag adds --rpc. The client it returns is ready when the command
// runs.
func sandboxFlag(c *cobra.Command) func() *control.Client {
	url := c.Flags().String("rpc", "", "`URL` of the sandbox's control (default: from "+sandboxDir+"/"+localnet.InfoFile+", or http://"+localnet.DefaultControl+")")
	return func() *control.Client {
		switch {
		case strings.Contains(*url, "://"):
			return &control.Client{URL: *url}
		case *url != "":
			return &control.Client{URL: "http://" + *url}
		}
		if info, err := localnet.LoadInfo(filepath.Join(sandboxDir, localnet.InfoFile)); err == nil {
			return &control.Client{URL: info.Control}
		}
		return &control.Client{URL: "http://" + localnet.DefaultControl}
	}
}

// callSandbox asks for a verb and prints what it answers.
func callSandbox(c *cobra.Command, connect func() *control.Client, asJSON bool, verb string, params map[string]json.RawMessage) error {
	if asJSON {
		result, err := connect().Raw(c.Context(), verb, params)
		if err != nil {
			return adviseSandbox(c, err)
		}
		if err := printJSON(c, result); err != nil || verb != "runGet" {
			return err
		}
		var got control.GetResult
		if err := json.Unmarshal(result, &got); err != nil {
			return err
		}
		return got.Failure()
	}
	result, err := connect().Call(c.Context(), verb, params)
	if err != nil {
		return adviseSandbox(c, err)
	}
	if got, ok := result.(control.GetResult); ok && got.Failure() != nil {
		return got.Failure()
	}
	_, err = fmt.Fprintln(c.OutOrStdout(), result)
	return err
}

// adviseSandbox adds what to do about an error.
func adviseSandbox(c *cobra.Command, err error) error {
	for _, known := range []struct {
		err  error
		hint string
	}{
		{control.ErrNoServer, "is a sandbox running? tussah sandbox start runs one and prints the URL of its control, for --rpc"},
		{control.ErrPaused, "leave out --wait and then: tussah sandbox mine, or first: tussah sandbox resume"},
		{control.ErrParams, c.CommandPath() + " --help explains them"},
		{control.ErrNoSnapshot, "tussah sandbox snapshots lists them"},
		{control.ErrTooManySnapshots, "tussah sandbox delete-snapshot NAME"},
		{sandbox.ErrNotActive, "tussah sandbox account ADDRESS shows what is there"},
	} {
		if errors.Is(err, known.err) {
			return hint(err, "%s", known.hint)
		}
	}
	return err
}
