package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/eventlog"
	"github.com/tussah-network/tussah/p2p/attest/tdx"
)

func inspectQuote(raw []byte) (description, error) {
	r, err := tdx.Inspect(raw)
	if errors.Is(err, tdx.ErrKind) || errors.Is(err, attest.ErrSize) {
		return description{}, errNotThis
	}
	if err != nil {
		return description{}, err
	}
	d := description{Kind: fmt.Sprintf("TDX quote, version %d", r.Version)}
	s := &d.Says
	if !r.Canonical {
		s.add("form", "padded, as hardware makes it; a verifier accepts the canonical form only")
	}
	s.add("image", "%x", r.Image)
	s.add("image upstream", "%x", r.Upstream)
	s.add("report data", "%x", r.ReportData)
	s.add("debug", "%s", yesNo(r.Attributes&1 != 0, "yes: the host can read this VM's memory", "no"))
	s.add("attributes", "%#x: %s", r.Attributes, strings.Join(r.AttributeNames, ", "))
	s.add("XFAM", "%#x: %s", r.XFAM, strings.Join(r.FeatureNames, ", "))
	s.add("MRTD", "%x", r.MRTD)
	for i, register := range r.RTMR {
		s.add(fmt.Sprintf("RTMR%d", i), "%x", register)
	}
	for _, given := range []struct {
		name  string
		value tdx.Register
	}{{"MRCONFIGID", r.MRConfigID}, {"MROWNER", r.MROwner}, {"MROWNERCONFIG", r.MROwnerConfig}} {
		if given.value != (tdx.Register{}) {
			s.add(given.name, "%x", given.value)
		}
	}
	if r.ServiceTD != nil && *r.ServiceTD != (tdx.Register{}) {
		s.add("service TD", "%x: another VM may move or read this one", *r.ServiceTD)
	}
	s.add("TDX module", "%x", r.MRSEAM)
	s.add("versions at launch", "%x", r.SVN)
	if r.CurrentSVN != nil {
		s.add("versions now", "%x", *r.CurrentSVN)
	}
	s.add("quoting enclave", "version %d, product %d, signer %x", r.QE.SVN, r.QE.Product, r.QE.MRSigner)
	if p := r.Platform; p != nil {
		s.add("platform", "%x", p.ID())
		s.add("PPID", "%x", p.PPID)
		s.add("FMSPC", "%x, certified by the %s CA", p.FMSPC, r.CA)
		s.add("platform versions", "%v, PCE %d", p.SVN, p.PCESVN)
	}
	s.add("root", "%s", yesNo(r.Intel, "Intel's, by its key", "not Intel's: simulated, or a forgery"))
	for i, c := range r.Certificates {
		name := [...]string{"platform certificate", "its CA", "root certificate"}[i]
		if c.Err != nil {
			s.add(name, "cannot be read: %v", c.Err)
			continue
		}
		s.add(name, "%s, serial %s, valid %s", c.Subject, c.Serial, span(c.NotBefore, c.NotAfter))
	}
	return d, nil
}

func inspectLog(raw []byte) (description, error) {
	log, err := eventlog.Parse(raw)
	if errors.Is(err, eventlog.ErrHeader) || errors.Is(err, eventlog.ErrSize) {
		return description{}, errNotThis
	}
	if err != nil {
		return description{}, err
	}
	d := description{Kind: fmt.Sprintf("event log with %d events", len(log.Events))}
	if registers, err := log.Replay(); err != nil {
		d.Says.add("replay", "not possible: %v", err)
	} else {
		for i, r := range registers {
			d.Says.add(fmt.Sprintf("RTMR%d", i), "%x, if the log is true", r)
		}
	}
	for i, e := range log.Events {
		where := "no register"
		if rtmr, ok := eventlog.Register(e.Index); ok && e.Type != eventlog.NoAction {
			where = fmt.Sprintf("RTMR%d", rtmr)
		}
		what := eventText(e)
		if what != "" && !e.Covered() && e.Type != eventlog.NoAction {
			what += " (a remark: the digest is of something else)"
		}
		d.Says.add(fmt.Sprintf("event %d", i+1), "%s  %v  %s", where, e.Type, what)
	}
	return d, nil
}

func eventText(e eventlog.Event) string {
	details, ok := e.Details()
	switch {
	case !ok:
		return ""
	case details.Variable != nil:
		return fmt.Sprintf("variable %q, %d bytes", details.Variable.Name, len(details.Variable.Data))
	case len(details.Path) > 0:
		return fmt.Sprintf("%q", strings.Join(details.Path, "/"))
	}
	return fmt.Sprintf("%q", details.Text)
}

func yesNo(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

func span(from, to time.Time) string {
	return from.UTC().Format(time.DateOnly) + " to " + to.UTC().Format(time.DateOnly)
}
