//go:build !race

package tdx_test

const underRace = false
