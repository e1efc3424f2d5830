package lite_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tussah-network/tussah/node/lite"
)

func ExampleParseKeyBlock() {
	root, file := strings.Repeat("ab", 32), strings.Repeat("01", 32)
	trusted, err := lite.ParseKeyBlock("34711:" + root + ":" + file)
	fmt.Println(trusted.Seqno, err)
	// Output: 34711 <nil>
}

func TestKeyBlockText(t *testing.T) {
	for _, want := range []lite.KeyBlock{
		{Seqno: 1}, {Seqno: 1<<32 - 1, RootHash: [32]byte{0xab}, FileHash: [32]byte{31: 0xcd}},
	} {
		got, err := lite.ParseKeyBlock(want.String())
		if err != nil || got != want {
			t.Errorf("%s: got %s, %v", want, got, err)
		}
	}
	hash := strings.Repeat("ab", 32)
	good := "5:" + hash + ":" + hash
	if _, err := lite.ParseKeyBlock(good); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"", "5", "5:" + hash, good + ":", good + ":" + hash, " " + good, good + "\n", "::",
		"0:" + hash + ":" + hash, "05:" + hash + ":" + hash, "+5:" + hash + ":" + hash, "-5:" + hash + ":" + hash,
		"4294967296:" + hash + ":" + hash, "0x5:" + hash + ":" + hash, "1_0:" + hash + ":" + hash, ":" + hash + ":" + hash,
		"5:" + strings.ToUpper(hash) + ":" + hash, "5:" + hash + ":" + strings.ToUpper(hash),
		"5:" + hash[2:] + ":" + hash, "5:" + hash + "ab:" + hash, "5:" + hash + ":" + hash[1:], "5:" + hash + ":",
		"5:" + strings.Repeat("xy", 32) + ":" + hash,
	} {
		if got, err := lite.ParseKeyBlock(text); !errors.Is(err, lite.ErrKeyBlock) || got != (lite.KeyBlock{}) {
			t.Errorf("%q: got %s, %v", text, got, err)
		}
	}
}

func FuzzParseKeyBlock(f *testing.F) {
	f.Add(lite.KeyBlock{Seqno: 7, RootHash: [32]byte{1}}.String())
	f.Add("0:aa:bb")
	f.Fuzz(func(t *testing.T, text string) {
		if k, err := lite.ParseKeyBlock(text); err == nil && k.String() != text {
			t.Errorf("%q and %q are the same block", text, k)
		}
	})
}
