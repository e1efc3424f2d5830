package control

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// checkBrowser refuses what a foreign web page can make a browser send. A page
// cannot hide its Origin. A page that had its own name point here (DNS
// rebinding) cannot hide that name, so the server answers to IP addresses and
// to names without a dot, which are not in the public DNS: localhost, or that
// of a container.
func checkBrowser(r *http.Request) error {
	host := hostname(r.Host)
	if _, err := netip.ParseAddr(host); err != nil && (host == "" || strings.Contains(host, ".")) {
		return fmt.Errorf("%w: this is not %q", ErrForbidden, r.Host)
	}
	for _, origin := range r.Header.Values("Origin") {
		u, err := url.Parse(origin)
		if err != nil || !isLoopback(u.Hostname()) {
			return fmt.Errorf("%w: not for %q", ErrForbidden, origin)
		}
	}
	return nil
}

// hostname is a Host header without port and brackets.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return strings.ToLower(name)
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
