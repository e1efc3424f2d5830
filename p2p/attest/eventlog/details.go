package eventlog

import (
	"bytes"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
)

// Details is an event's data in words. Its parts are for display: whether they
// are what was measured is for [Event.Covered] to say.
type Details struct {
	Text     string    // a name or a command; empty when the event has none
	Variable *Variable // of the EV_EFI_VARIABLE_… types
	Path     []string  // device path of a loaded image, a node each
}

// Variable is an EFI variable.
type Variable struct {
	Vendor GUID
	Name   string
	Data   []byte
}

// GUID is an identifier as EFI stores it: its first three groups are little-endian.
type GUID [16]byte

func (g GUID) String() string {
	le := binary.LittleEndian
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", le.Uint32(g[:]), le.Uint16(g[4:]), le.Uint16(g[6:]), g[8:10], g[10:])
}

// Details decodes the event's data. It is false where the data is not of a form
// that this package knows, or the type has none worth showing.
func (e Event) Details() (Details, bool) {
	switch e.Type {
	case EFIVariableDriverConfig, EFIVariableBoot, EFIVariableBoot2, EFIVariableAuthority:
		v, ok := parseVariable(e.Data)
		if !ok {
			return Details{}, false
		}
		return Details{Text: v.Name, Variable: &v}, true
	case EFIBootServicesApplication, EFIBootServicesDriver, EFIRuntimeServicesDriver:
		return parseImageLoad(e.Data)
	case EFIPlatformFirmwareBlob2:
		return parseBlob(e.Data)
	case EFIHandoffTables2:
		return parseHandoffTables(e.Data)
	case EventTag:
		return parseTag(e.Data)
	case EFIAction, Action, PlatformConfigFlags, IPL:
		return Details{Text: text(e.Data)}, true
	}
	return Details{}, false
}

// Covered says that the event's SHA-384 digest is that of what [Event.Details]
// shows. Where it is false, as for a firmware volume or a loaded image, the log
// names what was measured and does not hold it.
func (e Event) Covered() bool {
	digest, ok := e.Digest(SHA384)
	if !ok {
		return false
	}
	is := func(b []byte) bool {
		sum := sha512.Sum384(b)
		return bytes.Equal(sum[:], digest)
	}
	if is(e.Data) {
		return true
	}
	switch e.Type {
	case EFIVariableBoot:
		v, ok := parseVariable(e.Data)
		return ok && is(v.Data)
	case IPL:
		// GRUB measures a command without the word that says what it is.
		_, command, ok := strings.Cut(text(e.Data), ": ")
		return ok && is([]byte(command))
	}
	return false
}

// text is a string as firmware writes it: with or without a zero at its end.
func text(b []byte) string {
	return strings.ToValidUTF8(string(bytes.TrimRight(b, "\x00")), "\uFFFD")
}

// parseVariable reads
//
//	vendor GUID ‖ u64 characters of the name ‖ u64 bytes of the data ‖ name in UTF-16 ‖ data
func parseVariable(b []byte) (Variable, bool) {
	r := reader{rest: b}
	head := r.take(32)
	if head == nil {
		return Variable{}, false
	}
	characters, size := binary.LittleEndian.Uint64(head[16:]), binary.LittleEndian.Uint64(head[24:])
	if characters > uint64(len(r.rest))/2 {
		return Variable{}, false
	}
	name := wide(r.take(int(characters) * 2))
	if size != uint64(len(r.rest)) {
		return Variable{}, false
	}
	return Variable{Vendor: GUID(head), Name: name, Data: r.rest}, true
}

// Encode is the variable as an event's data, and what the digest of
// [EFIVariableDriverConfig] covers.
func (v Variable) Encode() []byte {
	name := utf16.Encode([]rune(v.Name))
	b := bytes.Clone(v.Vendor[:])
	b = binary.LittleEndian.AppendUint64(b, uint64(len(name)))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(v.Data)))
	for _, c := range name {
		b = binary.LittleEndian.AppendUint16(b, c)
	}
	return append(b, v.Data...)
}

// parseImageLoad reads u64 address ‖ u64 length ‖ u64 link time address ‖ u64 size of the path ‖ path.
func parseImageLoad(b []byte) (Details, bool) {
	r := reader{rest: b}
	head := r.take(32)
	if head == nil || binary.LittleEndian.Uint64(head[24:]) != uint64(len(r.rest)) {
		return Details{}, false
	}
	path, ok := parsePath(r.rest)
	if !ok {
		return Details{}, false
	}
	return Details{Text: strings.Join(path, "/"), Path: path}, true
}

// parseBlob reads u8 length ‖ text ‖ u64 address ‖ u64 length of a part of the firmware.
func parseBlob(b []byte) (Details, bool) {
	name, rest, ok := counted(b)
	if !ok || len(rest) != 16 {
		return Details{}, false
	}
	return Details{Text: name}, true
}

// parseHandoffTables reads u8 length ‖ text ‖ u64 n ‖ n × (GUID ‖ u64 address).
func parseHandoffTables(b []byte) (Details, bool) {
	name, rest, ok := counted(b)
	if !ok || len(rest) < 8 || len(rest[8:])%24 != 0 || binary.LittleEndian.Uint64(rest) != uint64(len(rest[8:])/24) {
		return Details{}, false
	}
	return Details{Text: name}, true
}

// counted cuts off a text with its length in front.
func counted(b []byte) (name string, rest []byte, ok bool) {
	if len(b) == 0 || int(b[0]) > len(b)-1 {
		return "", nil, false
	}
	n := 1 + int(b[0])
	return text(b[1:n]), b[n:], true
}

// parseTag reads u32 tag ‖ u32 length ‖ text, which the kernel writes in its own
// words: "LOADED_IMAGE::LoadOptions" for its command line, "Linux initrd".
func parseTag(b []byte) (Details, bool) {
	if len(b) < 8 || binary.LittleEndian.Uint32(b[4:]) != uint32(len(b)-8) {
		return Details{}, false
	}
	return Details{Text: text(b[8:])}, true
}

// wide decodes UTF-16, up to a zero.
func wide(b []byte) string {
	units := make([]uint16, 0, len(b)/2)
	for ; len(b) >= 2; b = b[2:] {
		if c := binary.LittleEndian.Uint16(b); c != 0 {
			units = append(units, c)
			continue
		}
		break
	}
	return string(utf16.Decode(units))
}
