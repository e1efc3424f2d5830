package openai

import (
	"net/http/httptest"
	"testing"
)

func TestKeys(t *testing.T) {
	two := Options{Keys: hashed("sk-one", "sk-two")}
	for _, c := range []struct {
		name   string
		o      Options
		header string
		want   int
	}{
		{"first", two, "Bearer sk-one", 200},
		{"second", two, "Bearer sk-two", 200},
		{"scheme in lower case", two, "bearer sk-one", 200},
		{"none", two, "", 401},
		{"empty", two, "Bearer ", 401},
		{"wrong", two, "Bearer sk-three", 401},
		{"part", two, "Bearer sk-on", 401},
		{"longer", two, "Bearer sk-one1", 401},
		{"other scheme", two, "Basic sk-one", 401},
		{"bare", two, "sk-one", 401},
		{"required, none configured", Options{RequireKey: true}, "Bearer x", 401},
		{"no key configured, one sent", Options{}, "Bearer whatever", 200},
		{"no key configured, none sent", Options{}, "", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := httptest.NewRequest("GET", "http://127.0.0.1:10000/v1/models", nil)
			if c.header != "" {
				q.Header.Set("Authorization", c.header)
			}
			w := httptest.NewRecorder()
			NewHandler(fakeBackend{}, c.o).ServeHTTP(w, q)
			if w.Code != c.want {
				t.Fatalf("status %d, want %d", w.Code, c.want)
			}
			if c.want == 401 {
				if e := readError(t, w.Body.String()); e.Code == nil || *e.Code != "invalid_api_key" {
					t.Errorf("error %+v", e)
				}
			}
		})
	}
}

func TestWebPagesAreKeptOut(t *testing.T) {
	for _, c := range []struct {
		name, host string
		header     [2]string
		keys       []string
		want       int
	}{
		{"program", "127.0.0.1:10000", [2]string{}, nil, 415},
		{"program by name", "localhost:10000", [2]string{}, nil, 415},
		{"program over IPv6", "[::1]:10000", [2]string{}, nil, 415},
		{"without port", "localhost", [2]string{}, nil, 415},
		{"name made to resolve to loopback", "evil.example:10000", [2]string{}, nil, 403},
		{"address of the network", "192.168.1.2:10000", [2]string{}, nil, 403},
		{"page, old browser", "127.0.0.1:10000", [2]string{"Origin", "https://evil.example"}, nil, 403},
		{"page, new browser", "127.0.0.1:10000", [2]string{"Sec-Fetch-Site", "cross-site"}, nil, 403},
		{"page that knows the key", "gpu.example", [2]string{"Origin", "https://app.example"}, []string{"k"}, 415},
	} {
		q := httptest.NewRequest("POST", "/v1/chat/completions", nil) // without content type, so 415 is as far as it gets
		q.Host = c.host
		if c.header[0] != "" {
			q.Header.Set(c.header[0], c.header[1])
		}
		if c.keys != nil {
			q.Header.Set("Authorization", "Bearer "+c.keys[0])
		}
		w := httptest.NewRecorder()
		NewHandler(fakeBackend{}, Options{Keys: hashed(c.keys...)}).ServeHTTP(w, q)
		if readError(t, w.Body.String()); w.Code != c.want {
			t.Errorf("%s: status %d, want %d", c.name, w.Code, c.want)
		}
	}
}

func hashed(keys ...string) (all [][32]byte) {
	for _, key := range keys {
		all = append(all, HashKey(key))
	}
	return all
}
