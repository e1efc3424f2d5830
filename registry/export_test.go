package registry

// MaxTransactions is how many transactions are asked for at once.
const MaxTransactions = page

// Decode lets a fuzzer at the decoders of all rows. It says whether the value was
// one of them, and how it is encoded again.
func Decode(kind byte, value []byte) ([]byte, bool) {
	var row any
	switch kind {
	case rowHead:
		row = new(headRow)
	case rowAccount:
		row = new(accountRow)
	default:
		row = new(txRow)
	}
	if decodeRow(value, row) != nil {
		return nil, false
	}
	return encodeRow(row), true
}
