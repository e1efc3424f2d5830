package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tussah-network/tussah/p2p/attest/gpu"
)

// inspectGPU takes evidence as this project passes it on, and a bare report.
func inspectGPU(raw []byte) (description, error) {
	devices, err := gpu.Decode(raw)
	if err == nil {
		return describeGPUs(devices)
	}
	// The request for all measurements, which every report begins with.
	if len(raw) > 37 && bytes.HasPrefix(raw, []byte{0x11, 0xe0, 0x01, 0xff}) {
		d := description{Kind: "measurement report of a GPU"}
		d.Says.add("nonce", "%x", raw[4:36])
		d.Says.add("certificates", "none: as evidence it lacks the device's")
		return d, nil
	}
	return description{}, errNotThis
}

// inspectGPUJSON takes what NVIDIA's collector prints.
func inspectGPUJSON(text []byte) (description, error) {
	var printed struct {
		Evidences []struct {
			Evidence    string `json:"evidence"`
			Certificate string `json:"certificate"`
		} `json:"evidences"`
	}
	if err := json.Unmarshal(text, &printed); err != nil || len(printed.Evidences) == 0 {
		return description{}, errNotThis
	}
	var devices []gpu.Device
	for i, e := range printed.Evidences {
		report, err := base64.StdEncoding.DecodeString(e.Evidence)
		if err != nil {
			return description{}, fmt.Errorf("GPU %d: its report is not base64", i)
		}
		chain, err := base64.StdEncoding.DecodeString(e.Certificate)
		if err != nil {
			return description{}, fmt.Errorf("GPU %d: its certificates are not base64", i)
		}
		devices = append(devices, gpu.Device{Report: report, Chain: certificatesIn(chain)})
	}
	return describeGPUs(devices)
}

func describeGPUs(devices []gpu.Device) (description, error) {
	d := description{Kind: fmt.Sprintf("evidence of %d GPU(s)", len(devices))}
	for i, device := range devices {
		one, err := gpu.Encode([]gpu.Device{device})
		if err != nil {
			return description{}, fmt.Errorf("GPU %d: %w", i, err)
		}
		part := description{Kind: fmt.Sprintf("GPU %d", i)}
		if len(device.Report) >= 36 {
			part.Says.add("nonce", "%x", device.Report[4:36])
		}
		if ids, err := gpu.DeviceIDs(one); err == nil {
			part.Says.add("device", "%x", ids[0])
		}
		if rims, err := gpu.RIMs(one); err != nil {
			part.Says.add("report", "cannot be read: %v", err)
		} else {
			part.Says.add("judged by", "%s", strings.Join(rims, ", "))
		}
		part.Says.add("mode", "not in the report: whether confidential computing is on is measured elsewhere")
		for _, der := range device.Chain {
			certificate, err := inspectCertificate(der)
			if err != nil {
				certificate = description{Kind: "certificate that cannot be read"}
			}
			part.Parts = append(part.Parts, certificate)
		}
		d.Parts = append(d.Parts, part)
	}
	return d, nil
}
