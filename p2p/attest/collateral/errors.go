package collateral

import "errors"

// Why something is refused. Each wraps into text that names the document.
var (
	ErrName        = errors.New("collateral: not the name of a document")
	ErrUpstream    = errors.New("collateral: service does not answer as it should")
	ErrNotFound    = errors.New("collateral: service does not know the document")
	ErrRedirect    = errors.New("collateral: service sends elsewhere")
	ErrContentType = errors.New("collateral: answer is of another type than the document")
	ErrTooLarge    = errors.New("collateral: larger than any such document")
	ErrChain       = errors.New("collateral: issuer's certificates are malformed")
	ErrRefused     = errors.New("collateral: document is not valid")
	ErrRolledBack  = errors.New("collateral: older than what was seen before")
	ErrDamaged     = errors.New("collateral: file is damaged")
	ErrMarks       = errors.New("collateral: the record of what was seen before is missing or damaged")
	ErrLocked      = errors.New("collateral: folder is in use by another process")
	ErrClosed      = errors.New("collateral: service is not open")
	ErrReadOnly    = errors.New("collateral: service was opened to read only")
	ErrOffline     = errors.New("collateral: there is no service to ask")
	ErrBundle      = errors.New("collateral: bundle is malformed")
	ErrFull        = errors.New("collateral: too many platforms are asked about")
	ErrBusy        = errors.New("collateral: new platforms are asked about too fast")
)
