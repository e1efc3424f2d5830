package p2p

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestLibraryLogIsDemoted(t *testing.T) {
	for level, want := range map[slog.Level]string{
		slog.LevelInfo:  "",
		slog.LevelDebug: "level=DEBUG msg=broken logger=swarm fd.n=3",
	} {
		var out bytes.Buffer
		log := slog.New(demoted{slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level})}).With("logger", "swarm").WithGroup("fd")
		log.Warn("noise", "n", 1)
		log.Error("broken", "n", 3)
		if _, got, _ := strings.Cut(strings.TrimSpace(out.String()), " "); got != want {
			t.Errorf("at %s: got %q, want %q", level, got, want)
		}
	}
}
