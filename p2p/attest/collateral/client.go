package collateral

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// ClientOptions say where manufacturers' services are. The zero value is the
// manufacturers' own.
type ClientOptions struct {
	// PCS and RootCRL are Intel's service and the host of its root's revocation
	// list. Default [IntelPCS] and [IntelRootCRL].
	PCS     string
	RootCRL string
	// PCCS is a cache to ask instead of both, such as a cloud provider's. It needs
	// no trust: it can withhold, not forge.
	PCCS string
	// KDS is AMD's service, RIM and OCSP are NVIDIA's. Default [AMDKDS],
	// [NVIDIARIM] and [NVIDIAOCSP].
	KDS  string
	RIM  string
	OCSP string
	// Timeout bounds one request from its beginning to the answer's last byte.
	// Default 15 seconds.
	Timeout time.Duration
	// Transport carries requests. Default is one like http.DefaultTransport. It is
	// where a PCCS with a certificate of its own is believed.
	Transport http.RoundTripper
}

// Client asks manufacturers' services. It knows their addresses and builds the
// paths from a [Name]'s checked fields: nothing that a peer shows is ever an
// address. Whatever it returns is not verified yet.
type Client struct {
	o    ClientOptions
	http *http.Client
}

// NewClient checks the addresses. It does no I/O.
func NewClient(o ClientOptions) (*Client, error) {
	for _, service := range []struct {
		address  *string
		standard string
	}{{&o.PCS, IntelPCS}, {&o.RootCRL, IntelRootCRL}, {&o.PCCS, ""}, {&o.KDS, AMDKDS}, {&o.RIM, NVIDIARIM}, {&o.OCSP, NVIDIAOCSP}} {
		if *service.address == "" {
			*service.address = service.standard
		}
		if *service.address == "" {
			continue
		}
		base, err := parseBase(*service.address)
		if err != nil {
			return nil, err
		}
		*service.address = base
	}
	if o.Timeout <= 0 {
		o.Timeout = 15 * time.Second
	}
	if o.Transport == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxResponseHeaderBytes = 4 * maxChain
		o.Transport = transport
	}
	return &Client{o: o, http: &http.Client{Transport: o.Transport, CheckRedirect: sameHost}}, nil
}

// parseBase accepts a scheme, a host and perhaps a path, and nothing that could
// hide what is asked.
func parseBase(address string) (string, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return "", fmt.Errorf("collateral: address of a service: %w", err)
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "":
		return "", fmt.Errorf("collateral: address %q of a service does not begin with https://host", address)
	case u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "", u.Opaque != "":
		return "", fmt.Errorf("collateral: address %q of a service has more than scheme, host and path", address)
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// sameHost lets a service move a document, but not send us elsewhere.
func sameHost(next *http.Request, via []*http.Request) error {
	if first := via[0].URL; next.URL.Scheme != first.Scheme || next.URL.Host != first.Host {
		return fmt.Errorf("%w: from %s to %s", ErrRedirect, first.Host, next.URL.Host)
	}
	if len(via) > 2 {
		return fmt.Errorf("%w: more than twice", ErrRedirect)
	}
	return nil
}

// Fetch asks for a document and returns it with the issuer's certificates, where
// these come beside it. Both are bounded and of the form the document should
// have; neither is verified.
func (c *Client) Fetch(ctx context.Context, n Name) (body, chain []byte, err error) {
	e, err := c.endpoint(n)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	body, chain, err = c.fetch(ctx, n, e)
	if err != nil {
		return nil, nil, fmt.Errorf("fetch %s from %s: %w", n, e.base, err)
	}
	return body, chain, nil
}

func (c *Client) fetch(ctx context.Context, n Name, e endpoint) (body, chain []byte, err error) {
	var question io.Reader
	if e.request != nil {
		question = bytes.NewReader(e.request)
	}
	request, err := http.NewRequestWithContext(ctx, e.method(), e.base+e.path, question)
	if err != nil {
		return nil, nil, err
	}
	request.Header.Set("Accept", strings.Join(e.types, ", "))
	if e.request != nil {
		request.Header.Set("Content-Type", ocspRequest)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		if errors.Is(err, ErrRedirect) {
			return nil, nil, err
		}
		return nil, nil, fmt.Errorf("%w: %w", ErrUpstream, err)
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode == http.StatusNotFound:
		return nil, nil, ErrNotFound
	case answer.StatusCode != http.StatusOK:
		return nil, nil, fmt.Errorf("%w: status %d", ErrUpstream, answer.StatusCode)
	case answer.ContentLength > maxBody:
		return nil, nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, answer.ContentLength)
	}
	if media, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type")); err != nil || !slices.Contains(e.types, media) {
		return nil, nil, fmt.Errorf("%w: %.60q", ErrContentType, answer.Header.Get("Content-Type"))
	}
	if e.header != "" {
		values := answer.Header.Values(e.header)
		if len(values) != 1 {
			return nil, nil, fmt.Errorf("%w: header %s comes %d times", ErrChain, e.header, len(values))
		}
		if chain, err = parseChain(values[0]); err != nil {
			return nil, nil, err
		}
	}
	// The limit holds for what was unpacked, too.
	body, err = io.ReadAll(io.LimitReader(answer.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("%w: %w", ErrUpstream, err)
	case len(body) > maxBody:
		return nil, nil, ErrTooLarge
	case len(body) == 0:
		return nil, nil, fmt.Errorf("%w: empty answer", ErrUpstream)
	}
	if e.decode != nil {
		if body, err = e.decode(n, body); err != nil {
			return nil, nil, err
		}
	}
	return body, chain, nil
}
