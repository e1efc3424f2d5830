package devnet

import "testing"

// TestHangUp has callers leave in the middle of their streams. Each request still
// ends in a receipt at the client, and the proxy bills all that it pays for.
func TestHangUp(t *testing.T) {
	t.Parallel()
	trio, err := OpenTrio(t.Context(), TrioOptions{Dir: t.TempDir(), Progress: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	defer trio.Close()
	program := newCaller(trio.Client.Endpoint(), DemoModel, 1)
	defer program.close()
	const callers = 10
	for range callers {
		if err := program.leave(t.Context(), question{Text: "count to 400", Stream: true, MaxTokens: 512}); err != nil {
			t.Fatal(err)
		}
	}
	err = trio.until(t.Context(), func() (bool, error) { return len(trio.Client.Receipts()) == callers && trio.idle(), nil })
	if err != nil {
		t.Errorf("%d receipts of %d requests: %v", len(trio.Client.Receipts()), callers, err)
	}
	var spent []int64 // by the client, then by the proxy
	for _, c := range trio.paying() {
		spent = append(spent, int64(c.Spent))
	}
	if len(spent) != 2 || spent[1] == 0 || spent[0] <= spent[1] {
		t.Errorf("client and proxy spent %v nanoTON: the proxy paid for what it could not bill", spent)
	}
}
