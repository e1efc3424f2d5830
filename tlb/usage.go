package tlb

import (
	"errors"
	"fmt"
)

// Usage counts the model tokens of one request.
//
//	usage$_ prompt:uint64 cached:uint64 completion:uint64 reasoning:uint64 = Usage;
type Usage struct {
	Prompt     uint64
	Cached     uint64 // part of Prompt that the engine had in its cache
	Completion uint64
	Reasoning  uint64 // part of Completion that the model spent on thinking
}

// ErrUsage says that a part of the usage is larger than its whole.
var ErrUsage = errors.New("inconsistent token counts")

// Check returns [ErrUsage] if more prompt tokens were cached than there were, or more completion
// tokens were reasoning than there were.
func (u Usage) Check() error {
	if u.Cached > u.Prompt {
		return fmt.Errorf("%w: %d cached of %d prompt tokens", ErrUsage, u.Cached, u.Prompt)
	}
	if u.Reasoning > u.Completion {
		return fmt.Errorf("%w: %d reasoning of %d completion tokens", ErrUsage, u.Reasoning, u.Completion)
	}
	return nil
}

func (w *writer) usage(u Usage) {
	w.do(u.Check)
	w.uint(u.Prompt, 64)
	w.uint(u.Cached, 64)
	w.uint(u.Completion, 64)
	w.uint(u.Reasoning, 64)
}

func (r *reader) usage() Usage {
	u := Usage{Prompt: r.uint(64), Cached: r.uint(64), Completion: r.uint(64), Reasoning: r.uint(64)}
	if r.err == nil {
		r.err = u.Check()
	}
	return u
}
