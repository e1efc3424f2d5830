package node

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// Browsers reach loopback listeners too, under foreign names and from foreign pages.
func TestAdminGuard(t *testing.T) {
	h := guardAdmin(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for name, c := range map[string]struct {
		host, origin string
		want         int
	}{
		"address":      {"127.0.0.1:10001", "", http.StatusNoContent},
		"IPv6":         {"[::1]:10001", "", http.StatusNoContent},
		"localhost":    {"localhost:10001", "", http.StatusNoContent},
		"without port": {"127.0.0.1", "", http.StatusNoContent},
		"rebound name": {"evil.example:10001", "", http.StatusForbidden},
		"public":       {"192.0.2.1:10001", "", http.StatusForbidden},
		"empty":        {"", "", http.StatusForbidden},
		"web page":     {"127.0.0.1:10001", "http://evil.example", http.StatusForbidden},
		"local page":   {"127.0.0.1:10001", "http://127.0.0.1:10001", http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/status", nil)
			r.Host = c.host
			if c.origin != "" {
				r.Header.Set("Origin", c.origin)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("got %d, want %d", w.Code, c.want)
			}
		})
	}
}
