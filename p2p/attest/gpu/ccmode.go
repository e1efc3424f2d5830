package gpu

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// CCMode is how a GPU treats confidential computing. Its report does not say, so
// a component that was measured at boot asks the driver, and measures the answer
// ([attest.EventGPU]) before anything that handles prompts starts.
type CCMode uint8

// The modes. Zero is no mode and never passes.
const (
	CCOff      CCMode = 1
	CCOn       CCMode = 2
	CCDevTools CCMode = 3 // on, but open to debuggers and profilers
)

func (m CCMode) String() string {
	switch m {
	case CCOff:
		return "off"
	case CCOn:
		return "on"
	case CCDevTools:
		return "devtools"
	}
	return "unknown"
}

// Measurement is the payload of the event that says: these devices were found in
// this mode. Devices are the ids that [DeviceIDs] returns, in any order.
func Measurement(m CCMode, devices [][32]byte) []byte {
	sorted := slices.Clone(devices)
	slices.SortFunc(sorted, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	h := sha256.New()
	h.Write([]byte("tussah/gpu/mode/v1"))
	h.Write([]byte{byte(m)})
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(sorted))))
	for _, id := range sorted {
		h.Write(id[:])
	}
	return h.Sum(nil)
}

// MeasuredMode finds the mode that a measured payload states for exactly these
// devices; zero if it is about others or none.
func MeasuredMode(payload []byte, devices [][32]byte) CCMode {
	for _, m := range []CCMode{CCOff, CCOn, CCDevTools} {
		if bytes.Equal(payload, Measurement(m, devices)) {
			return m
		}
	}
	return 0
}

// DeviceIDs returns the ids of the devices in evidence, in its order. They are
// claims until the evidence is accepted.
func DeviceIDs(evidence []byte) ([][32]byte, error) {
	devices, err := Decode(evidence)
	if err != nil {
		return nil, err
	}
	ids := make([][32]byte, len(devices))
	for i, d := range devices {
		c, err := parseChain(d.Chain)
		if err != nil {
			return nil, err
		}
		ids[i] = c.deviceID()
	}
	return ids, nil
}
