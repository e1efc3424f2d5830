//go:build race

package liteserver

const raceDetector = true
