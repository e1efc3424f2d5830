package sandbox

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// alarm is how Pebble says that it cannot go on: a write failed, and what is on
// the disk is known only to the next one who opens it. It says so by calling a
// Fatalf that must not return, perhaps in a goroutine of its own, by a panic, or
// by an event after which writers wait for ever. Each makes an error here of
// whatever is under way, and of everything after.
type alarm struct {
	once sync.Once
	rung chan struct{}
	err  error // set before rung is closed
}

func newAlarm() *alarm { return &alarm{rung: make(chan struct{})} }

func (a *alarm) ring(err error) {
	a.once.Do(func() {
		a.err = err
		close(a.rung)
	})
}

// failed returns what rang, nil if nothing did.
func (a *alarm) failed() error {
	select {
	case <-a.rung:
		return a.err
	default:
		return nil
	}
}

// during runs what writes to the database.
func (a *alarm) during(f func() error) error {
	if err := a.failed(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				a.ring(fatal{fmt.Sprint(r), []any{r}})
			}
		}()
		done <- f()
	}()
	select {
	case err := <-done:
		return err
	case <-a.rung:
		return a.err
	}
}

func (*alarm) Infof(string, ...any)  {}
func (*alarm) Errorf(string, ...any) {}

func (a *alarm) Fatalf(format string, args ...any) {
	a.ring(fatal{fmt.Sprintf(format, args...), args})
	runtime.Goexit()
}

// fatal is Pebble's text, with the errors it made it from.
type fatal struct {
	text string
	args []any
}

func (f fatal) Error() string { return f.text }

func (f fatal) Unwrap() (causes []error) {
	for _, arg := range f.args {
		if err, ok := arg.(error); ok {
			causes = append(causes, err)
		}
	}
	return causes
}

// events are what Pebble reports. Corruption it finds while reading is also the
// error of that read.
func (a *alarm) events() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			if !errors.Is(err, pebble.ErrCancelledCompaction) {
				a.Fatalf("%v", err) // or it would try again without a pause
			}
		},
		DataCorruption: func(pebble.DataCorruptionInfo) {},
	}
}

// watch returns a file system that rings when a folder cannot be synced, where
// Pebble would panic.
func (a *alarm) watch(fs vfs.FS) vfs.FS { return watchedFS{fs, a} }

type watchedFS struct {
	vfs.FS
	alarm *alarm
}

func (w watchedFS) OpenDir(name string) (vfs.File, error) {
	f, err := w.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return watchedDir{f, w.alarm}, nil
}

type watchedDir struct {
	vfs.File
	alarm *alarm
}

func (w watchedDir) Sync() error {
	if err := w.File.Sync(); err != nil {
		w.alarm.Fatalf("sync folder: %v", err)
	}
	return nil
}
