package p2p

import (
	"context"
	"log/slog"

	"github.com/libp2p/go-libp2p/gologshim"
)

// LibraryLog sends libp2p's own log lines to log, at debug level, instead of to the
// standard error output. What matters in them reaches callers as errors too. libp2p
// has one log for the whole process, so this is for the program to decide: once, and
// before the first [Open].
func LibraryLog(log *slog.Logger) {
	gologshim.SetDefaultHandler(demoted{log.Handler()})
}

// demoted passes errors on as debug lines and drops everything below.
type demoted struct{ to slog.Handler }

func (d demoted) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelError && d.to.Enabled(ctx, slog.LevelDebug)
}

func (d demoted) Handle(ctx context.Context, r slog.Record) error {
	r.Level = slog.LevelDebug
	return d.to.Handle(ctx, r)
}

func (d demoted) WithAttrs(attrs []slog.Attr) slog.Handler { return demoted{d.to.WithAttrs(attrs)} }
func (d demoted) WithGroup(name string) slog.Handler       { return demoted{d.to.WithGroup(name)} }
