package kit

import (
	"fmt"
	"strings"
)

// Tree draws all transactions, one a line, each below the one that set it off.
func (r *Result) Tree() string {
	if r.Refused != nil {
		return fmt.Sprintf("outside -> %s: refused\n", r.people.name(r.Refused.Account))
	}
	lines := []string{"#\tmessage\tvalue\tresult\tgas\tfees"}
	for _, t := range r.All {
		value := "-"
		if !t.Message.External {
			value = t.Message.Value.String()
		}
		lines = append(lines, fmt.Sprintf("%d\t%s%s\t%s\t%s\t%d\t%s",
			t.Index, strings.Repeat("  ", t.depth), t.arrow(), value, t.outcome(), t.Gas, t.Trace.Fees))
	}
	return table(lines)
}

func (r *Result) String() string { return r.Tree() }

// arrow is who sent what to whom.
func (t *Transaction) arrow() string {
	p := t.result.people
	return fmt.Sprintf("%s -> %s: %s", p.name(t.Message.From), p.name(t.Message.To), t.what())
}

// what is the message, in a few words.
func (t *Transaction) what() string {
	switch {
	case t.Message.Bounced:
		return strings.TrimSuffix("bounced "+t.bouncedName(), " ")
	case t.Message.External && t.result.world.isTreasury(t.Message.To):
		return "signed"
	}
	return t.messageName()
}

// outcome is how the transaction ended, in a few words.
func (t *Transaction) outcome() string {
	var words []string
	compute, action := t.compute(), t.phases.ActionPhase
	switch {
	case compute == nil:
		words = append(words, t.skipped())
	case !compute.Success:
		words = append(words, t.result.people.exitText(t.Message.To, t.Trace.Exit))
	case action != nil && !action.Success:
		words = append(words, t.Trace.Action.String())
	case t.Trace.Exit != 0:
		words = append(words, t.result.people.exitText(t.Message.To, t.Trace.Exit))
	default:
		words = append(words, "ok")
	}
	if action != nil && action.Success && action.SkippedActions > 0 {
		words = append(words, plural(int(action.SkippedActions), "action")+" skipped")
	}
	if t.Deployed() {
		words = append(words, "deployed")
	}
	if t.Destroyed() {
		words = append(words, "destroyed")
	}
	if n := len(t.Emitted); n > 0 {
		words = append(words, plural(n, "event"))
	}
	return strings.Join(words, ", ")
}
