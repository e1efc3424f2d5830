package policyfile

import (
	"errors"
	"time"

	"github.com/tussah-network/tussah/p2p/attest"
)

// ErrFile marks every fault of a policy file.
var ErrFile = errors.New("policy file")

// Any in a list, alone, stands for whatever the registry allows.
const Any = "any"

// File is what an operator accepts. Made by [Parse]; one made otherwise allows
// nothing.
type File struct {
	TTL           string   `toml:"ttl" json:"ttl" comment:"how long an accepted machine is relied on without a new look at its evidence; at most 24h"`
	GateEvery     string   `toml:"gate_every" json:"gate_every" comment:"how often a connected machine must show fresh evidence"`
	MinEvaluation uint32   `toml:"min_evaluation" json:"min_evaluation" comment:"least tcbEvaluationDataNumber of Intel's collateral"`
	Registered    bool     `toml:"require_registered_platforms" json:"require_registered_platforms" comment:"only processors that the registry lists: the answer to attacks on a machine's memory bus"`
	Models        []string `toml:"models" json:"models" comment:"names of models, or \"any\" for all that the registry lists; an empty list denies"`

	Images    Images    `toml:"images" json:"images"`
	Platforms Platforms `toml:"platforms" json:"platforms"`
	Grace     []Grace   `toml:"grace" json:"grace"`
	Devices   GPU       `toml:"gpu" json:"gpu"`
	SEVSNP    SEVSNP    `toml:"sev_snp" json:"sev_snp"`

	read compiled
}

// Images are the digests of allowed images in hexadecimal, by role.
type Images struct {
	Proxy  []string `toml:"proxy" json:"proxy" comment:"digests of images, or \"any\" for all that the registry lists; tussah attest measure prints one"`
	Worker []string `toml:"worker" json:"worker"`
}

// Platforms are the ids of processors in hexadecimal.
type Platforms struct {
	Allowed []string `toml:"allowed" json:"allowed" comment:"ids of processors, or \"any\"; tussah attest inspect prints one"`
	Denied  []string `toml:"denied" json:"denied" comment:"ids that are refused whatever else is said; may be empty"`
}

// Grace accepts a state of updates that is not the best one, for a time.
type Grace struct {
	Status     string   `toml:"status" json:"status" comment:"as Intel calls it; OutOfDate and Revoked cannot be accepted"`
	Advisories []string `toml:"advisories" json:"advisories" comment:"a platform to which any other applies is refused"`
	Until      string   `toml:"until" json:"until" comment:"last day, in UTC"`
	Reason     string   `toml:"reason" json:"reason" comment:"for those who read this later"`
}

// GPU is what is accepted of accelerators. Without models, none is.
type GPU struct {
	Required bool       `toml:"required" json:"required" comment:"refuse workers without evidence of GPUs"`
	MaxAge   string     `toml:"max_age" json:"max_age" comment:"time from question to answer; at most 10m"`
	Models   []GPUModel `toml:"models" json:"models"`
}

// GPUModel is one chip that is accepted.
type GPUModel struct {
	Name      string   `toml:"name" json:"name" comment:"such as GH100"`
	SKUs      []string `toml:"skus" json:"skus" comment:"variants, as project_projectSKU_chipSKU"`
	MinDriver string   `toml:"min_driver" json:"min_driver" comment:"such as 550.90.07"`
	MinVBIOS  string   `toml:"min_vbios" json:"min_vbios" comment:"such as 96.00.9F.00.01"`
}

// SEVSNP is what is accepted of AMD's processors. Without products, none is.
type SEVSNP struct {
	Products []SNPProduct `toml:"products" json:"products"`
}

// SNPProduct is a product line, with the oldest firmware that is accepted.
type SNPProduct struct {
	Name       string `toml:"name" json:"name" comment:"Genoa or Turin"`
	FMC        uint8  `toml:"fmc" json:"fmc" comment:"Turin only"`
	Bootloader uint8  `toml:"bootloader" json:"bootloader"`
	TEE        uint8  `toml:"tee" json:"tee"`
	SNP        uint8  `toml:"snp" json:"snp"`
	Microcode  uint8  `toml:"microcode" json:"microcode"`
}

// Defaults of a file that does not say.
const (
	DefaultGateEvery = time.Hour
	defaultMaxAge    = 2 * time.Minute
)

// Default is a file without an entry in any list: it denies everything.
func Default() File {
	return File{TTL: attest.DefaultTTL.String(), GateEvery: DefaultGateEvery.String(), Devices: GPU{MaxAge: defaultMaxAge.String()}}
}

// Example is a complete file with comments, in which the registry decides on
// images, models and platforms.
func Example() []byte { return []byte(example) }

const example = `# What this node accepts of other machines. The registry must allow it, too.
# An empty list denies; "any" leaves the decision to the registry.

# How long an accepted machine is relied on without a new look at its evidence.
ttl = "24h"
# How often a connected machine must show fresh evidence.
gate_every = "1h"
# Least tcbEvaluationDataNumber of Intel's collateral: see tussah attest collateral status.
min_evaluation = 17
# Only processors that the registry lists. This is the answer to attacks on a
# machine's memory bus, which no evidence shows.
require_registered_platforms = false
# Names of models.
models = ["any"]

[images]
# Digests of images, such as tussah attest measure and inspect print them.
proxy = ["any"]
worker = ["any"]

[platforms]
# Ids of processors, such as tussah attest inspect prints them.
allowed = ["any"]
# Refused, whatever else is said.
denied = []

# A platform that is up to date needs none of these. Every advisory that applies
# to it must be named. OutOfDate and Revoked cannot be accepted.
[[grace]]
status = "SWHardeningNeeded"
advisories = ["INTEL-SA-00615"]
until = "2027-01-31" # the last day, in UTC
reason = "our software has what the advisory asks for"

[gpu]
# Refuse workers without evidence of GPUs.
required = false
# From question to answer.
max_age = "2m"

[[gpu.models]]
name = "GH100"
skus = ["1010_0200_895"]
min_driver = "550.90.07"
min_vbios = "96.00.9F.00.01"

[[sev_snp.products]]
name = "Genoa"
bootloader = 9
tee = 0
snp = 23
microcode = 72
`
