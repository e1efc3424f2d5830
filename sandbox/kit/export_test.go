package kit

import (
	"os"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Updating tells golden tests to write what they get.
func Updating() bool { return updating() }

// SetUpdating has snapshots written, or not.
func SetUpdating(on bool) { *update = on }

// Home is the folder of this package.
var Home, _ = os.Getwd()

// FlowGap is what the explanation of a transaction does not account for.
func FlowGap(t *Transaction) Change {
	f := t.flow()
	return Gain(f.before) + Gain(f.received) - Gain(f.sent) - Gain(f.fees) - Gain(f.after)
}

// DiffCells shows what differs between two trees of cells.
func DiffCells(before, after *cell.Cell) string { return table(diffCells(before, after)) }

// Actions shows a list of actions.
func Actions(w *World, root *cell.Cell) (out []string) {
	for _, s := range actionList(root) {
		out = append(out, people{world: w}.action(s))
	}
	return out
}
