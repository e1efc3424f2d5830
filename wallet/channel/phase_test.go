package channel_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tussah-network/tussah/wallet/channel"
)

var arrow = regexp.MustCompile(`(?m)^ +(\w+) --> (\w+): ([\w, ]+)$`)

func TestTableIsDrawing(t *testing.T) {
	text, err := os.ReadFile("channel.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```mermaid")
	if len(blocks) != 3 {
		t.Fatalf("channel.md has %d drawings, want 2", len(blocks)-1)
	}
	for i, name := range []string{"payer", "payee"} {
		drawing, _, _ := strings.Cut(blocks[i+1], "```")
		drawn := map[[3]string]bool{}
		for _, m := range arrow.FindAllStringSubmatch(drawing, -1) {
			for event := range strings.SplitSeq(m[3], ", ") {
				drawn[[3]string{m[1], event, m[2]}] = true
			}
		}
		if diff := cmp.Diff(channel.Transitions(name == "payer"), drawn); diff != "" {
			t.Errorf("%s: phase.go (-) and channel.md (+) differ:\n%s", name, diff)
		}
	}
}
