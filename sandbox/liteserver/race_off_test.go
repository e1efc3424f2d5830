//go:build !race

package liteserver

const raceDetector = false
