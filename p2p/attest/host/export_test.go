package host

// For fuzzing: a journal is read from a file.
var (
	ParseJournal  = parseJournal
	EncodeJournal = encodeJournal
)
