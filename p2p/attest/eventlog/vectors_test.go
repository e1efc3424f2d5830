package eventlog_test

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tussah-network/tussah/p2p/attest/eventlog"
)

// The vectors are logs of real machines, with what another parser makes of them,
// kept outside the repository.
func vector(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "vectors", "tdx", name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("SKIPPED: real event log %s is not on this machine; real logs were not tested", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// expectedEvent is an event as the vectors' JSON has it.
type expectedEvent struct {
	Details struct {
		String     *string  `json:"string,omitempty"`
		Name       *string  `json:"unicode_name,omitempty"`
		NameLength *int     `json:"unicode_name_length,omitempty"`
		Data       *string  `json:"variable_data,omitempty"`
		DataLength *int     `json:"variable_data_length,omitempty"`
		Vendor     *string  `json:"variable_name,omitempty"`
		Paths      []string `json:"device_paths,omitempty"`
	} `json:"details"`
	Matches bool `json:"digest_matches_event"`
	Digests []struct {
		Algorithm string `json:"alg"`
		Digest    string `json:"digest"`
	} `json:"digests"`
	Event []byte `json:"event"`
	Index uint32 `json:"index"`
	Type  string `json:"type_name"`
}

func TestRealLogs(t *testing.T) {
	for _, name := range []string{"CCEL_data_ovmf", "CCEL_data_grub"} {
		t.Run(name, func(t *testing.T) {
			log, err := eventlog.Parse(vector(t, name))
			if err != nil {
				t.Fatal(err)
			}
			var want struct {
				Events []expectedEvent `json:"uefi_event_logs"`
			}
			decoder := json.NewDecoder(bytes.NewReader(vector(t, name+"_out.json")))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&want); err != nil {
				t.Fatal(err)
			}
			if len(log.Events) != len(want.Events) || len(want.Events) == 0 {
				t.Fatalf("got %d events, want %d", len(log.Events), len(want.Events))
			}
			for i, e := range log.Events {
				if diff := cmp.Diff(inUEFIWords(want.Events[i]), asExpected(e)); diff != "" {
					t.Errorf("event %d (-want +got):\n%s", i, diff)
				}
			}
			if _, err := log.Replay(); err != nil {
				t.Error(err)
			}
			if encoded, err := log.Encode(); err != nil || !bytes.HasPrefix(vector(t, name), encoded) {
				t.Errorf("encoding the log gives other bytes (%v)", err)
			}
		})
	}
}

// asExpected brings an event of ours into the vectors' form.
func asExpected(e eventlog.Event) expectedEvent {
	sum := sha512.Sum384(e.Data)
	digest, _ := e.Digest(eventlog.SHA384)
	got := expectedEvent{Matches: bytes.Equal(sum[:], digest), Event: e.Data, Index: e.Index, Type: e.Type.String()}
	for _, d := range e.Digests {
		got.Digests = append(got.Digests, struct {
			Algorithm string `json:"alg"`
			Digest    string `json:"digest"`
		}{d.Algorithm.String(), hex.EncodeToString(d.Value)})
	}
	details, ok := e.Details()
	switch {
	case !ok:
	case details.Variable != nil:
		v := details.Variable
		data, nameLength, dataLength := base64.StdEncoding.EncodeToString(v.Data), len(v.Name), len(v.Data)
		vendor := v.Vendor.String()
		got.Details.Name, got.Details.NameLength = &v.Name, &nameLength
		got.Details.Data, got.Details.DataLength = &data, &dataLength
		got.Details.Vendor = &vendor
	case strings.HasPrefix(got.Type, "EV_EFI_BOOT_SERVICES"):
		got.Details.Paths = details.Path
	default:
		got.Details.String = &details.Text
	}
	return got
}

var (
	pciRoot  = regexp.MustCompile(`^ACPI\(PNP0A03,(\d+)\)$`)
	pci      = regexp.MustCompile(`^Pci\((\d+),(\d+)\)$`)
	venMedia = regexp.MustCompile(`^VenMedia\((.*),\)$`)
	disk     = regexp.MustCompile(`^HD\((\d+),GPT,([0-9A-F-]+),`)
)

// inUEFIWords says what the vectors say in the words of UEFI's specification: a
// GUID's first groups in their order, a PCI node's device before its function.
func inUEFIWords(e expectedEvent) expectedEvent {
	if e.Details.Vendor != nil {
		raw, err := hex.DecodeString(strings.ReplaceAll(*e.Details.Vendor, "-", ""))
		if err == nil && len(raw) == 16 {
			vendor := eventlog.GUID(raw).String()
			e.Details.Vendor = &vendor
		}
	}
	for i, node := range e.Details.Paths {
		node = pciRoot.ReplaceAllString(node, "PciRoot(0x$1)")
		node = pci.ReplaceAllString(node, "Pci(0x$2,0x$1)")
		node = venMedia.ReplaceAllStringFunc(node, func(s string) string {
			return strings.Replace("VenMedia("+strings.ToLower(s[len("VenMedia("):]), ",)", ")", 1)
		})
		node = disk.ReplaceAllStringFunc(node, func(s string) string {
			part, guid, _ := strings.Cut(s, ",GPT,")
			return part + ",GPT," + strings.ToLower(guid)
		})
		e.Details.Paths[i] = node
	}
	return e
}

// TestCovered holds on the log of a machine that booted a kernel directly: only
// what its log does not hold is not covered.
func TestCovered(t *testing.T) {
	log, err := eventlog.Parse(vector(t, "CCEL_data_ovmf"))
	if err != nil {
		t.Fatal(err)
	}
	outside := map[eventlog.Type]bool{
		eventlog.EFIHandoffTables2: true, eventlog.EFIPlatformFirmwareBlob2: true,
		eventlog.PlatformConfigFlags: true, eventlog.EFIBootServicesApplication: true, eventlog.EventTag: true,
	}
	for i, e := range log.Events {
		if got, want := e.Covered(), !outside[e.Type]; got != want {
			t.Errorf("event %d, %v: covered %v, want %v", i, e.Type, got, want)
		}
	}
}
