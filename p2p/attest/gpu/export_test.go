package gpu

// ReadReport shows tests what is read in a report.
func ReadReport(b []byte) (driver, vbios string, fwid []byte, measurements [][48]byte, err error) {
	r, err := parseReport(b)
	if err != nil {
		return "", "", nil, nil, err
	}
	if driver, err = r.opaque.text(opaqueDriver); err != nil {
		return "", "", nil, nil, err
	}
	vbios, err = r.opaque.vbios()
	for _, m := range r.measurements {
		measurements = append(measurements, m)
	}
	return driver, vbios, r.opaque[opaqueFWID], measurements, err
}

// CheckRIM takes a document through the steps that need nothing but it.
func CheckRIM(b []byte) error {
	r := &rim{raw: b}
	if err := r.parse(nil); err != nil {
		return err
	}
	if err := r.certificates(nil); err != nil {
		return err
	}
	return r.verify(nil)
}

// Canonical returns the canonical form of a whole document.
func Canonical(b []byte) ([]byte, error) {
	root, err := parseXML(b)
	if err != nil {
		return nil, err
	}
	return root.canonical(nil, nil), nil
}
