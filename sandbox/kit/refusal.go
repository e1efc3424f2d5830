package kit

import (
	"fmt"

	"github.com/tussah-network/tussah/tlb/get"
)

// explainRefusal tells why a contract did not accept an external message.
func (r *Result) explainRefusal() string {
	p, e := r.people, r.Refused
	list := []section{{"account", e.Account.String() + "\n"}}
	switch {
	case e.Reason != "":
		list = append(list, section{"refused", e.Reason + "\n"})
	case e.Exit.OK():
		list = append(list, section{"refused", "the contract ended without accepting (ACCEPT)\n"})
	case e.Exit == get.ExitOutOfGas:
		list = append(list, section{"refused", "the contract spent its credit of gas before it accepted (ACCEPT)\n"})
	default:
		list = append(list, section{"refused", "compute phase, before it accepted: " + p.exitText(e.Account, e.Exit) + "\n"})
	}
	if e.Execution != nil {
		if again := again(*e.Execution); again.err == nil && len(again.steps) > 0 {
			list = append(list, again.trail(p)...)
			list = append(list, section{"gas", fmt.Sprintf("%d used on credit\n", again.outcome.Gas)})
		}
	}
	return fmt.Sprintf("outside -> %s: not accepted\n%s", p.name(e.Account), sections(list))
}
