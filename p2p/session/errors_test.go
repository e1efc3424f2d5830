package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestCodes pins the numbers and holds codes and sentinels together both ways.
func TestCodes(t *testing.T) {
	want := map[Code]string{
		1: "bad_request", 2: "unauthorised", 3: "version", 4: "wrong_network",
		10: "model_unknown", 11: "no_worker", 12: "overloaded", 13: "draining", 14: "price",
		20: "underauthorised", 21: "voucher_low", 22: "voucher_replayed", 23: "voucher_channel", 24: "voucher_network",
		25: "voucher_signature", 26: "voucher_epoch", 27: "over_deposit",
		30: "channel_unknown", 31: "channel_closing", 32: "channel_refused", 33: "deposit_low",
		40: "engine_down", 41: "engine_garbage", 42: "engine_no_usage",
		50: "payment_stopped", 51: "cancelled", 52: "deadline", 60: "internal",
	}
	if len(codes) != len(want) {
		t.Errorf("%d codes, want %d", len(codes), len(want))
	}
	sentinels := map[error]bool{}
	for code, name := range want {
		if got := code.String(); got != name {
			t.Errorf("code %d is %q, want %q", code, got, name)
		}
		sentinel := code.Err()
		if sentinel == nil || sentinels[sentinel] {
			t.Fatalf("code %s has no sentinel of its own", code)
		}
		sentinels[sentinel] = true
		for _, err := range []error{sentinel, fmt.Errorf("while x: %w", sentinel), &Error{Code: code}, fmt.Errorf("x: %w", &Error{Code: code})} {
			if got := CodeOf(err); got != code {
				t.Errorf("code of %q is %s, want %s", err, got, code)
			}
			if got := FailedBy(err).Err(); !errors.Is(got, sentinel) {
				t.Errorf("%q arrives as %q", err, got)
			}
			if err := FailedBy(err).check(); err != nil {
				t.Errorf("%s cannot be sent: %v", code, err)
			}
		}
	}
	if got := Code(9).String(); got != "code_9" || Code(9).Err() != nil || Code(0).Err() != nil {
		t.Errorf("unknown code: %q", got)
	}
}

func TestForeignErrorsKeepTheirText(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Code
	}{
		{errors.New("password is hunter2"), CodeInternal},
		{fmt.Errorf("hunter2: %w", ErrNoWorker), CodeNoWorker},
		{fmt.Errorf("hunter2: %w", context.DeadlineExceeded), CodeDeadline},
		{fmt.Errorf("hunter2: %w", context.Canceled), CodeCancelled},
		{&Error{Code: 9, Message: "hunter2"}, CodeInternal},
	} {
		f := FailedBy(c.err)
		if strings.Contains(f.Message+f.Hint, "hunter2") {
			t.Errorf("%q: its text is told to the peer: %q", c.err, f.Message)
		}
		if f.Code != c.want {
			t.Errorf("%q: code %s, want %s", c.err, f.Code, c.want)
		}
	}
}

func TestErrorTextIsMadePrintable(t *testing.T) {
	f := FailedBy(&Error{Code: CodeEngineDown, Message: "line\nline\x1b[1m", Hint: strings.Repeat("ü", maxText)})
	if err := f.check(); err != nil {
		t.Errorf("cannot be sent: %v", err)
	}
	if want := "line line [1m"; f.Message != want {
		t.Errorf("got %q, want %q", f.Message, want)
	}
	if len(f.Hint) != maxText {
		t.Errorf("hint has %d bytes, want %d", len(f.Hint), maxText)
	}
}
