package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tussah-network/tussah/sandbox/control"
)

// sandboxVerbs are the commands that change a running sandbox, one for each
// verb of package control. Two are made by hand: time, which is two verbs, and
// dump, which writes a file.
func sandboxVerbs() []*cobra.Command {
	commands := []*cobra.Command{sandboxTimeCommand(), sandboxDumpCommand()}
	made := map[string]bool{"time": true, "dump": true}
	for _, v := range control.Verbs() {
		if !made[v.Command] {
			commands = append(commands, sandboxVerbCommand(v))
		}
	}
	return commands
}

// sandboxVerbCommand is the command of a verb: its parameters as arguments and
// flags, one call, and the result.
func sandboxVerbCommand(v control.Verb) *cobra.Command {
	use, about, required := v.Command, "", 0
	var arguments []control.Param
	for _, p := range v.Params {
		if p.Flag {
			continue
		}
		arguments = append(arguments, p)
		name := argumentName(p)
		about += fmt.Sprintf("\n  %-13s %s", name, p.Doc)
		if p.Optional {
			name = "[" + name + "]"
		} else {
			required++
		}
		use += " " + name
	}
	c := &cobra.Command{Use: use, Short: v.Doc, Long: v.Doc + " (JSON-RPC method " + v.Name + ").", Args: cobra.RangeArgs(required, len(arguments))}
	if about != "" {
		c.Long += "\n" + about
	}
	switch n := len(arguments); {
	case n > 0 && arguments[n-1].Kind == control.KindArguments:
		c.Args = cobra.MinimumNArgs(required)
	case n == required: // for a better message
		c.Args = cobra.ExactArgs(n)
	}
	c.SetFlagErrorFunc(adviseNegative)
	connect, asJSON := sandboxFlag(c), jsonFlag(c)
	flags := verbFlags(c, v)
	c.RunE = func(c *cobra.Command, args []string) error {
		params, err := flags(c)
		if err != nil {
			return err
		}
		for i, p := range arguments {
			if p.Kind == control.KindArguments {
				params[p.Name], err = json.Marshal(args[min(i, len(args)):])
			} else if i < len(args) {
				params[p.Name], err = verbParam(c, p, args[i])
			}
			if err != nil {
				return err
			}
		}
		return callSandbox(c, connect, *asJSON, v.Name, params)
	}
	return c
}

// adviseNegative: what looks like a flag may be meant as a number.
func adviseNegative(_ *cobra.Command, err error) error {
	if !negative.MatchString(err.Error()) {
		return err
	}
	return hint(err, "amounts are not negative; other negative numbers go behind --")
}

var negative = regexp.MustCompile(`^unknown shorthand flag: '\d' in -`)

// argumentName is how help calls an argument.
func argumentName(p control.Param) string {
	switch p.Kind {
	case control.KindCell:
		return string(p.Kind)
	case control.KindArguments:
		return strings.ToUpper(p.Name) + "..."
	}
	return strings.ToUpper(p.Name)
}

// verbFlags adds a flag for each parameter that is one. The function it
// returns collects those that were given.
func verbFlags(c *cobra.Command, v control.Verb) func(*cobra.Command) (map[string]json.RawMessage, error) {
	for _, p := range v.Params {
		switch {
		case !p.Flag:
			continue
		case p.Kind == control.KindSwitch:
			c.Flags().Bool(p.Name, false, p.Doc)
		default:
			c.Flags().Var(&kindFlag{kind: p.Kind}, p.Name, p.Doc)
		}
		if !p.Optional {
			if err := c.MarkFlagRequired(p.Name); err != nil {
				panic("tussah: internal error: " + err.Error())
			}
		}
	}
	return func(c *cobra.Command) (map[string]json.RawMessage, error) {
		given := map[string]json.RawMessage{}
		for _, p := range v.Params {
			if f := c.Flags().Lookup(p.Name); p.Flag && f.Changed {
				var err error
				if given[p.Name], err = verbParam(c, p, f.Value.String()); err != nil {
					return nil, err
				}
			}
		}
		return given, nil
	}
}

// kindFlag is a text that help calls by its kind.
type kindFlag struct {
	text string
	kind control.Kind
}

func (k *kindFlag) String() string        { return k.text }
func (k *kindFlag) Set(text string) error { k.text = text; return nil }
func (k *kindFlag) Type() string          { return string(k.kind) }

// verbParam makes a parameter of a text. Cells are in files.
func verbParam(c *cobra.Command, p control.Param, text string) (json.RawMessage, error) {
	if p.Kind != control.KindCell {
		return p.JSON(text)
	}
	data, err, missing := []byte(text), error(nil), error(nil)
	if text == "-" {
		data, err = io.ReadAll(c.InOrStdin())
	} else if _, missing = os.Stat(text); missing == nil {
		data, err = os.ReadFile(text)
	}
	if err != nil {
		return nil, err
	}
	boc, err := control.ParseFile(data)
	if err != nil && missing != nil {
		return nil, hint(fmt.Errorf("%s: no file %s", p.Name, text), "name a file with a BoC (binary, hex or base64), - for standard input, or write the BoC itself")
	}
	if err != nil {
		return nil, hint(fmt.Errorf("%s %s: %w", p.Name, text, err), "name a file with a BoC (binary, hex or base64), - for standard input, or write the BoC itself")
	}
	return json.Marshal(boc)
}
