package kit

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
	"github.com/tussah-network/tussah/tlb/get"
)

// table aligns columns that are separated by tabs.
func table(lines []string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
	_ = w.Flush() // to memory
	var out strings.Builder
	for line := range strings.Lines(b.String()) {
		out.WriteString(strings.TrimRight(line, " \n"))
		out.WriteByte('\n')
	}
	return out.String()
}

// section is a part of an explanation.
type section struct{ name, text string }

// sections puts the names of sections to the left of their texts.
func sections(list []section) string {
	const column = 12
	var b strings.Builder
	for _, s := range list {
		name := s.name
		for line := range strings.Lines(s.text) {
			fmt.Fprintf(&b, "  %-*s%s\n", column, name, strings.TrimRight(line, "\n"))
			name = ""
		}
	}
	return b.String()
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

const (
	maxShownBytes = 32 // of a cell
	maxShownText  = 48 // of an instruction, in characters
)

// showBits writes bits as Fift does: x{0A8_}, where _ says that the last digit
// ends with a 1 that is not part of it, and with the zeros after that.
func showBits(s *cell.Slice) string {
	n := s.BitsLeft()
	shown := min(n, maxShownBytes*8)
	data, err := s.PreloadSlice(shown)
	if err != nil {
		return "x{?}"
	}
	if n > shown {
		return fmt.Sprintf("x{%X..} (%d bits)", data, n)
	}
	if n%4 == 0 {
		return "x{" + strings.ToUpper(fmt.Sprintf("%x", data))[:n/4] + "}"
	}
	data[n/8] |= 1 << (7 - n%8)
	return "x{" + strings.ToUpper(fmt.Sprintf("%x", data))[:n/4+1] + "_}"
}

// showCell writes a cell in one line.
func showCell(c *cell.Cell) string {
	if c == nil {
		return "none"
	}
	s, err := c.WithoutTrace().BeginParse()
	if err != nil {
		return fmt.Sprintf("cell %x that does not parse", c.Hash())
	}
	return showSlice(s)
}

func showSlice(s *cell.Slice) string {
	s = s.WithoutTrace().Copy()
	text := showBits(s)
	if refs := s.RefsNum(); refs > 0 {
		text += " and " + plural(refs, "ref")
	}
	return text
}

// showFields writes decoded values in one line.
func showFields(fields []Field) string {
	words := make([]string, len(fields))
	for i, f := range fields {
		words[i] = strings.TrimPrefix(f.Name+" "+f.Value, " ")
	}
	return strings.Join(words, ", ")
}

// addressIn reads a slice that is an address and nothing else.
func addressIn(s *cell.Slice) *address.Address {
	const size = 2 + 1 + 8 + 256
	if s.BitsLeft() != size || s.RefsNum() != 0 {
		return nil
	}
	a, err := tlb.LoadAddress(s.WithoutTrace().Copy())
	if err != nil {
		return nil
	}
	return a
}

// exitText is an exit code as the contract that ended with it would call it.
func (p people) exitText(on *address.Address, exit get.Exit) string {
	if name, ok := p.of(on).Exit(int32(exit)); ok {
		return fmt.Sprintf("exit %d (%s)", int(exit), name)
	}
	return exit.String()
}

func (t *Transaction) exitText() string {
	return strings.TrimPrefix(t.result.people.exitText(t.Message.To, t.Trace.Exit), "exit ")
}

// skipped is why the contract did not run.
func (t *Transaction) skipped() string { return "not run: " + t.Trace.Skipped }

// named is the name of the message: its receiver's, else its sender's, as those
// who send know what they send.
func (t *Transaction) named() (string, bool) {
	if t.Message.Bounced {
		return "", false // its op is the mark of bounces
	}
	return t.result.people.message(t.Message.To, t.Message.From, t.Message.Op())
}

func (p people) message(to, from *address.Address, op uint32) (string, bool) {
	if name, ok := p.of(to).Message(op); ok {
		return name, true
	}
	return p.of(from).Message(op)
}

// bouncedName is what came back: after the mark of bounces stands the beginning
// of the message.
func (t *Transaction) bouncedName() string {
	const mark = 32
	s, err := t.Message.Body.BeginParse()
	if err != nil || s.BitsLeft() < mark+32 {
		return ""
	}
	op := uint32(s.MustLoadUInt(mark+32) & (1<<32 - 1))
	// It was sent the other way.
	if name, ok := t.result.people.message(t.Message.From, t.Message.To, op); ok {
		return name
	}
	return "op " + showOp(op)
}

// messageName is what the message is called in print.
func (t *Transaction) messageName() string {
	body := t.Message.Body
	if name, ok := t.named(); ok {
		return fmt.Sprintf("%s (op %s)", name, showOp(t.Message.Op()))
	}
	if body == nil || body.BitsSize() < 32 {
		if body == nil || body.BitsSize() == 0 && body.RefsNum() == 0 {
			return "empty"
		}
		return "no op"
	}
	if t.Message.External && body.BitsSize() >= signatureBits {
		return "signed" // what stands first is no op
	}
	return "op " + showOp(t.Message.Op())
}

// signatureBits is the length of a signature, which external messages begin
// with.
const signatureBits = 512
