package session

import (
	"bytes"
	"io"
	"runtime"
	"testing"
)

// However a body is cut, it is held in about as much memory as it is long, and read as
// it was sent.
func TestBodyBuffer(t *testing.T) {
	const size = MaxBody - 1
	want := randomBytes(size)
	for _, part := range []int{minPart, minPart + 1, 10_000, MaxPart} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		b := newBodyBuffer(size)
		for at := 0; at < size; at += part {
			// A copy each, as frames are.
			if err := b.push(bytes.Clone(want[at:min(at+part, size)])); err != nil {
				t.Fatal(err)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > size+size/8 {
			t.Errorf("parts of %d: %d bytes are held in %d", part, size, held)
		}
		if err := b.end(); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(b); err != nil || !bytes.Equal(got, want) {
			t.Errorf("parts of %d: read %d bytes, %v", part, len(got), err)
		}
		if b.mu.data != nil {
			t.Errorf("parts of %d: held after all was read", part)
		}
	}
}

// A body that is read while it arrives, and one that ends early.
func TestBodyBufferInTurns(t *testing.T) {
	want := randomBytes(3 * minPart)
	b := newBodyBuffer(uint64(len(want)))
	var got []byte
	for at := 0; at < len(want); at += minPart {
		if err := b.push(want[at : at+minPart]); err != nil {
			t.Fatal(err)
		}
		p := make([]byte, minPart-1)
		n, err := b.Read(p)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p[:n]...)
	}
	if err := b.end(); err != nil {
		t.Fatal(err)
	}
	b.fail(ErrBroken) // after the end: what is there may be read
	rest, err := io.ReadAll(b)
	if err != nil || !bytes.Equal(append(got, rest...), want) {
		t.Errorf("read %d and %d bytes, %v", len(got), len(rest), err)
	}

	b = newBodyBuffer(3)
	b.fail(ErrBroken)
	if err := b.push([]byte("abc")); err != nil || b.mu.data != nil {
		t.Errorf("what nobody will read is held: %v", err)
	}
}
