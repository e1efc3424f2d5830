package sandbox

import "fmt"

// ActionCode is how an action phase ended, 0 for success. (How a compute phase
// ended is a [get.Exit].)
type ActionCode int

// Result codes of the action phase.
const (
	ActionOK              ActionCode = 0
	ActionBadList         ActionCode = 32
	ActionListTooLong     ActionCode = 33
	ActionInvalid         ActionCode = 34
	ActionBadSource       ActionCode = 35
	ActionBadDestination  ActionCode = 36
	ActionNotEnoughTON    ActionCode = 37
	ActionNotEnoughExtra  ActionCode = 38
	ActionMessageTooBig   ActionCode = 39
	ActionCannotProcess   ActionCode = 40
	ActionLibrary         ActionCode = 41
	ActionLibraryChange   ActionCode = 42
	ActionLibraryTooLarge ActionCode = 43
	ActionStateTooLarge   ActionCode = 50
)

var actionNames = map[ActionCode]string{
	ActionOK: "ok", ActionBadList: "action list is no list", ActionListTooLong: "more than 255 actions",
	ActionInvalid: "action is invalid or unsupported", ActionBadSource: "invalid source address",
	ActionBadDestination: "invalid destination address", ActionNotEnoughTON: "not enough TON",
	ActionNotEnoughExtra: "not enough extra currency", ActionMessageTooBig: "message does not fit into a cell",
	ActionCannotProcess: "cannot process message", ActionLibrary: "library reference is null",
	ActionLibraryChange: "library change failed", ActionLibraryTooLarge: "library is too large",
	ActionStateTooLarge: "account state is too large",
}

func (a ActionCode) String() string {
	if name, ok := actionNames[a]; ok {
		return fmt.Sprintf("action %d (%s)", int(a), name)
	}
	return fmt.Sprintf("action %d", int(a))
}
