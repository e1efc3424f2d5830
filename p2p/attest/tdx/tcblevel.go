package tdx

import (
	"fmt"
	"slices"

	"github.com/tussah-network/tussah/p2p/attest"
)

// findLevels looks up how up to date quoting enclave, TDX module and platform
// are, and takes the worst of them for the whole: a chain of trust is as current
// as its oldest link.
func (c *candidate) findLevels() error {
	t := &c.collateral.tcb
	svn := [16]byte(c.quote.body.svn())
	platform := t.platformLevel(c.platform, svn)
	if platform == nil {
		return fmt.Errorf("platform with SVN %x, PCESVN %d, TDX %x", c.platform.SVN, c.platform.PCESVN, svn)
	}
	qe := enclaveLevel(c.collateral.qe.levels, c.quote.qe.version())
	if qe == nil {
		return fmt.Errorf("quoting enclave with ISVSVN %d", c.quote.qe.version())
	}
	found := []*level{platform, qe}
	status := worst(platform.status, qe.status)
	if c.module != nil {
		module := enclaveLevel(c.module.levels, uint16(svn[0]))
		if module == nil {
			return fmt.Errorf("TDX module TDX_%02X with SVN %d", svn[1], svn[0])
		}
		found = append(found, module)
		status = worst(status, module.status)
		if current, ok := c.quote.body.current(); ok && module.status == attest.OutOfDate {
			c.relaunch = t.latest([16]byte(current))
		}
	}
	c.tcb = attest.TCB{Status: status, Date: platform.date, Evaluation: c.collateral.evaluation()}
	for _, l := range found {
		c.tcb.Advisories = append(c.tcb.Advisories, l.advisories...)
		if l.date.Before(c.tcb.Date) {
			c.tcb.Date = l.date
		}
	}
	slices.Sort(c.tcb.Advisories)
	c.tcb.Advisories = slices.Compact(c.tcb.Advisories)
	return nil
}

// platformLevel is the best level that the platform reaches in everything, nil
// if there is none. The first two TDX components are SVN and version of the
// module: where the module has a version, its own levels judge them.
func (t *tcbInfo) platformLevel(p Platform, tdx [16]byte) *level {
	from := 0
	if tdx[1] > 0 {
		from = 2
	}
	for i := range t.levels {
		if l := &t.levels[i]; reaches(p.SVN[:], l.sgx[:]) && p.PCESVN >= l.pce && reaches(tdx[from:], l.tdx[from:]) {
			return l
		}
	}
	return nil
}

func reaches(got, want []byte) bool {
	for i := range want {
		if got[i] < want[i] {
			return false
		}
	}
	return true
}

// enclaveLevel is the best level that a version of an enclave or a module reaches.
func enclaveLevel(levels []level, svn uint16) *level {
	for i := range levels {
		if svn >= levels[i].svn {
			return &levels[i]
		}
	}
	return nil
}

// moduleOf is what is said about modules of a version.
func (t *tcbInfo) moduleOf(version uint8) *module {
	for i := range t.modules {
		if t.modules[i].version == version {
			return &t.modules[i]
		}
	}
	return nil
}

// latest tells whether these are the newest TDX components there are: then a VM
// that started under older ones becomes good by being launched anew.
func (t *tcbInfo) latest(tdx [16]byte) bool {
	newest := t.levels[0]
	least := uint16(newest.tdx[0])
	if tdx[1] > 0 {
		m := t.moduleOf(tdx[1])
		if m == nil {
			return false
		}
		least = m.levels[0].svn
	}
	return uint16(tdx[0]) >= least && tdx[2] >= newest.tdx[2]
}

// worst is the status of a platform together with that of an enclave or a module
// it relies on, which can only make it worse. What is not worse but also wrong,
// the need of another configuration, is kept.
func worst(platform, other attest.Status) attest.Status {
	switch {
	case platform == attest.Revoked || other == attest.Revoked:
		return attest.Revoked
	case other < attest.OutOfDate:
		return platform
	case platform == attest.ConfigurationNeeded || platform == attest.ConfigurationAndSWHardeningNeeded ||
		platform == attest.OutOfDateConfigurationNeeded:
		return attest.OutOfDateConfigurationNeeded
	}
	return attest.OutOfDate
}
