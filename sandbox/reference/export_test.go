//go:build reference && cgo

package reference

import "encoding/json"

// What the second reference, the same C++ built for the web, is told and answers in the same words.
var (
	OneDictionary = oneDictionary
	StoreTuple    = storeTuple
)

// ReadAnswer reads what either says of a transaction.
func ReadAnswer(text []byte) (Outcome, error) {
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		return Outcome{}, err
	}
	if a.Error != "" && !a.ExternalNotAccepted {
		// The older build says so in words only.
		a.ExternalNotAccepted = a.Error == "External message not accepted by smart contract"
	}
	return a.outcome()
}
