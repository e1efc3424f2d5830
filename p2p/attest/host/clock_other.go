//go:build !linux

package host

import "errors"

func synchronised() (bool, error) { return false, errors.New("the doctor knows Linux only") }
