package policyfile

import (
	"fmt"
	"regexp"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/gpu"
	"github.com/tussah-network/tussah/p2p/attest/snp"
)

var (
	chip   = regexp.MustCompile(`^[A-Z]{2}[0-9]{3}[A-Z]?$`)
	sku    = regexp.MustCompile(`^[0-9A-Z]{1,16}(_[0-9A-Z]{1,16}){2}$`)
	driver = regexp.MustCompile(`^[0-9]{1,4}(\.[0-9]{1,4}){1,3}$`)
	vbios  = regexp.MustCompile(`^[0-9A-F]{2}(\.[0-9A-F]{2}){4}$`)
)

func (c *checker) gpuModels(models []GPUModel) map[string]gpu.Model {
	read := map[string]gpu.Model{}
	if len(models) > maxList {
		c.fault("gpu.models", "has more than %d entries", maxList)
		return read
	}
	for i, m := range models {
		key := fmt.Sprintf("gpu.models[%d]", i)
		if _, twice := read[m.Name]; twice {
			c.fault(key+".name", "%s is there twice", m.Name)
		}
		if !chip.MatchString(m.Name) {
			c.fault(key+".name", "%.40q is not the name of a chip, such as GH100", m.Name)
		}
		if len(m.SKUs) == 0 {
			c.fault(key+".skus", "is empty, which would deny every device; name a variant, such as 1010_0200_895")
		}
		for j, s := range m.SKUs {
			if !sku.MatchString(s) {
				c.fault(fmt.Sprintf("%s.skus[%d]", key, j), "%.40q is not a variant, such as 1010_0200_895", s)
			}
		}
		if !driver.MatchString(m.MinDriver) {
			c.fault(key+".min_driver", "%.40q is not a driver's version, such as 550.90.07", m.MinDriver)
		}
		if !vbios.MatchString(m.MinVBIOS) {
			c.fault(key+".min_vbios", "%.40q is not a VBIOS version, such as 96.00.9F.00.01", m.MinVBIOS)
		}
		read[m.Name] = gpu.Model{SKUs: m.SKUs, MinDriver: m.MinDriver, MinVBIOS: m.MinVBIOS}
	}
	return read
}

func (c *checker) products(products []SNPProduct) map[snp.Product]snp.TCB {
	read := map[snp.Product]snp.TCB{}
	for i, p := range products {
		key := fmt.Sprintf("sev_snp.products[%d]", i)
		product, ok := snp.ParseProduct(p.Name)
		switch _, twice := read[product]; {
		case !ok:
			c.fault(key+".name", "%.40q is not a product line; write Genoa or Turin", p.Name)
			continue
		case product == snp.Milan:
			c.fault(key+".name", "Milan is never accepted: its keys can be extracted")
			continue
		case twice:
			c.fault(key+".name", "%s is there twice", product)
		}
		if p.FMC != 0 && product != snp.Turin {
			c.fault(key+".fmc", "%s has no such firmware", product)
		}
		least := snp.TCB{FMC: p.FMC, Bootloader: p.Bootloader, TEE: p.TEE, SNP: p.SNP, Microcode: p.Microcode}
		if least == (snp.TCB{}) {
			c.fault(key, "has no least firmware")
		}
		read[product] = least
	}
	return read
}

// GPU is what is accepted of accelerators. device says which of them the registry
// allows here; nil denies.
func (f File) GPU(device func(attest.GPU) error) gpu.Policy {
	return gpu.Policy{Models: f.read.gpuModels, Device: device, MaxAge: f.read.gpuAge}
}

// SNP is what is accepted of SEV-SNP machines beside the policy: the file's
// products and firmware. How a VM must be launched is fixed here: not on
// hyperthreads, on memory that was checked for aliases.
func (f File) SNP() snp.Rules {
	return snp.Rules{
		Products: f.read.snpProducts,
		ABI:      snp.ABI{Major: 1, Minor: 51},
		Forbid:   snp.PolicySMT,
		Platform: snp.PlatformAliasCheck,
	}
}
