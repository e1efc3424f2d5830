package registry

// What one pass of Fill asks for.
const (
	MaxTransactions = page
	MaxPages        = pagesPerPass
)

// Decode lets a fuzzer at the decoders of all rows. It says whether the value was
// one of them, and how it is encoded again.
func Decode(kind byte, value []byte) ([]byte, bool) {
	var row any
	switch kind {
	case rowHead:
		row = new(headRow)
	case rowAccount:
		row = new(accountRow)
	case rowGap:
		row = new(gap)
	default:
		row = new(txRow)
	}
	if decodeRow(value, row) != nil {
		return nil, false
	}
	return encodeRow(row), true
}
