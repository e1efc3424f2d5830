package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
)

func sandboxTimeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "time [+DURATION|TIME]",
		Short: "Move the network's clock forward, or set it",
		Long: `Moves the network's clock, which never goes back, and makes a block with the new time (JSON-RPC methods
advanceTime and setTime). Without an argument it shows the network.

  tussah sandbox time +1h30m
  tussah sandbox time 2030-01-01T00:00:00Z
  tussah sandbox time 1893456000`,
		Args: cobra.MaximumNArgs(1),
	}
	connect, asJSON := sandboxFlag(c), jsonFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return callSandbox(c, connect, *asJSON, "status", nil)
		}
		verb, param, text := "setTime", "to", args[0]
		if by, ok := strings.CutPrefix(text, "+"); ok {
			verb, param, text = "advanceTime", "by", by
		}
		if _, err := time.ParseDuration(text); err == nil && verb == "setTime" && strings.IndexFunc(text, unicode.IsLetter) >= 0 {
			return hint(fmt.Errorf("%q is a duration, not a time", text), "write +%s to move the clock forward by that", strings.TrimPrefix(text, "-"))
		}
		value, err := json.Marshal(text)
		if err != nil {
			return err
		}
		return callSandbox(c, connect, *asJSON, verb, map[string]json.RawMessage{param: value})
	}
	return c
}
