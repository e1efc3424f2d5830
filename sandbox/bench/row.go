package bench

import "math"

// Row is one figure of a benchmark: durations in microseconds, rates per second.
// A peer is what does the same without us, measured in the same run; ratio is
// value / peer_value. Without a peer the three are absent.
type Row struct {
	Name      string  `json:"name"`
	Value     float64 `json:"value"`
	Unit      string  `json:"unit"`
	Peer      string  `json:"peer,omitempty"`
	PeerValue float64 `json:"peer_value,omitempty"`
	Ratio     float64 `json:"ratio,omitempty"`
}

// Compared is a figure beside a peer's.
func Compared(name string, value float64, unit, peer string, peerValue float64) Row {
	return Row{Name: name, Value: Round(value), Unit: unit, Peer: peer, PeerValue: Round(peerValue), Ratio: Round(value / peerValue)}
}

// Alone is a figure without a peer.
func Alone(name string, value float64, unit string) Row {
	return Row{Name: name, Value: Round(value), Unit: unit}
}

// Round keeps four digits: no figure here is known better.
func Round(v float64) float64 {
	if v == 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*scale) / scale
}
