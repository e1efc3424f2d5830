package abi

import "errors"

var (
	// ErrSchema: the JSON is no ABI this package can read.
	ErrSchema = errors.New("not an ABI this version reads")
	// ErrTooLarge: the description or the value is beyond what is read.
	ErrTooLarge = errors.New("too large")
	// ErrUnknownMessage: no message of the contract has this name, or begins
	// as this body does.
	ErrUnknownMessage = errors.New("no such message in the ABI")
	// ErrPrefix: the bits in front are not those of the struct or the union.
	ErrPrefix = errors.New("prefix does not match")
	// ErrTruncated: the cell ended before the value did.
	ErrTruncated = errors.New("cell ends before the value does")
	// ErrTrailing: the value ended before the cell did.
	ErrTrailing = errors.New("cell goes on after the value")
	// ErrMalformed: the bits cannot be a value of the type.
	ErrMalformed = errors.New("not a value of the type")
	// ErrNoBytes: the type lives on the stack only, or cannot be a key.
	ErrNoBytes = errors.New("type has no such serialization")
	// ErrValue: a Go value that cannot stand for the ABI type.
	ErrValue = errors.New("value does not fit the type")
	// ErrMissing: a field of a struct has no value.
	ErrMissing = errors.New("field has no value")
	// ErrUnknownField: a value for a field the struct does not have.
	ErrUnknownField = errors.New("no such field")
)
