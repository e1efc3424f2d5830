package collateral

// Keys of facts in the log.
const (
	logName    = "name"
	logError   = "error"
	logExpires = "expires"
	logNext    = "next"
	logSource  = "source"
)
