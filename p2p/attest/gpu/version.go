package gpu

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// version is a driver's or a VBIOS's, most significant part first.
type version []uint16

// parseDriver reads a driver version: two to four decimal parts.
func parseDriver(s string) (version, error) {
	return parseVersion(s, 10, 2, 4)
}

// parseVBIOS reads a VBIOS version: five parts of two hexadecimal digits.
func parseVBIOS(s string) (version, error) {
	if len(s) != len("96.00.9F.00.01") {
		return nil, fmt.Errorf("VBIOS version %q", s)
	}
	return parseVersion(s, 16, 5, 5)
}

func parseVersion(s string, base, least, most int) (version, error) {
	parts := strings.Split(s, ".")
	if len(s) > 32 || len(parts) < least || len(parts) > most {
		return nil, fmt.Errorf("version %q", s)
	}
	v := make(version, len(parts))
	for i, part := range parts {
		n, err := strconv.ParseUint(part, base, 16)
		if err != nil {
			return nil, fmt.Errorf("version %q: %w", s, err)
		}
		v[i] = uint16(n)
	}
	return v, nil
}

// before tells whether v is older. A missing part counts as less than any.
func (v version) before(other version) bool { return slices.Compare(v, other) < 0 }

// vbios returns the VBIOS version. The report has it as a little-endian number
// whose lower half is followed by its last part: 96009f00, 01.
func (o opaque) vbios() (string, error) {
	b := o[opaqueVBIOS]
	if len(b) != 8 || b[5] != 0 || b[6] != 0 || b[7] != 0 {
		return "", fmt.Errorf("opaque data: VBIOS version %x", b)
	}
	return fmt.Sprintf("%02X.%02X.%02X.%02X.%02X", b[3], b[2], b[1], b[0], b[4]), nil
}

// sku names the variant of the model as ids of documents do.
func (o opaque) sku() (string, error) {
	var parts []string
	for _, id := range []opaqueID{opaqueProject, opaqueProjectSKU, opaqueChipSKU} {
		part, err := o.text(id)
		if err != nil {
			return "", err
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "_"), nil
}

// rimIDs are the manufacturer's ids of the documents about a device: its
// driver's and its VBIOS's.
func (o opaque) rimIDs(model, sku, driver, vbios string) [2]string {
	prefix := "NV_GPU_CC_DRIVER_" + model + "_"
	if model == "GH100" { // Hopper came first
		prefix = "NV_GPU_DRIVER_GH100_"
	} else if chip, err := o.text(opaqueChip); err == nil {
		prefix = "NV_GPU_CC_DRIVER_" + chip + "_"
	}
	return [2]string{prefix + driver, "NV_GPU_VBIOS_" + sku + "_" + strings.ReplaceAll(vbios, ".", "")}
}
