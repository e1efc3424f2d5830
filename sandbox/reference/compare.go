package reference

import (
	"errors"
	"fmt"
	"strings"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// ErrMismatch means that two executors came to different outcomes.
var ErrMismatch = errors.New("the executors differ")

// A Mismatch is an [ErrMismatch] with everything to repeat it.
type Mismatch struct {
	Fixture     Fixture // what was executed, and as expected what theirs made of it
	Differences []Difference
}

func (m *Mismatch) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v in a transaction of %s at %d:", ErrMismatch, m.Fixture.Account, m.Fixture.LT)
	for _, d := range m.Differences {
		fmt.Fprintf(&b, "\n\t%s", d)
	}
	return b.String()
}

func (m *Mismatch) Unwrap() error { return ErrMismatch }

// Compare holds ours against theirs, which stands for the chain: the
// transaction and the account to the last bit, exit code, gas and actions. The
// error is a [*Mismatch].
func Compare(in Execution, ours, theirs Outcome) error {
	differences := compare(ours, theirs)
	if len(differences) == 0 {
		return nil
	}
	f, err := NewFixture(in, theirs)
	return errors.Join(&Mismatch{Fixture: f, Differences: differences}, err)
}

func compare(ours, theirs Outcome) (out []Difference) {
	differ := func(field string, a, b any) {
		if want, got := fmt.Sprint(b), fmt.Sprint(a); want != got {
			out = append(out, Difference{Field: field, Got: got, Want: want})
		}
	}
	differ("accepted", ours.Transaction != nil, theirs.Transaction != nil)
	if ours.Transaction == nil || theirs.Transaction == nil {
		return out
	}
	out = append(out, Differences(ours.Transaction, theirs.Transaction)...)
	out = append(out, accountDifferences(ours.After, theirs.After)...)
	differ("exit code", int(ours.Exit), int(theirs.Exit))
	differ("gas", ours.Gas, theirs.Gas)
	differ("actions", hash(ours.Actions), hash(theirs.Actions))
	return out
}

// emptyList is the list of no actions, an empty cell; an executor may leave it
// out.
var emptyList = fmt.Sprintf("%x", cell.BeginCell().EndCell().Hash())

func hash(c *cell.Cell) string {
	if c == nil {
		return emptyList
	}
	return fmt.Sprintf("%x", c.Hash())
}
