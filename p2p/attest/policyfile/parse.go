package policyfile

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/tussah-network/tussah/p2p/attest"
	"github.com/tussah-network/tussah/p2p/attest/gpu"
	"github.com/tussah-network/tussah/p2p/attest/snp"
)

// Bounds of a file. Lists are short: an operator writes them by hand.
const (
	maxFile   = 1 << 20
	maxList   = 4096
	maxText   = 256
	minGate   = time.Minute
	maxGate   = 24 * time.Hour
	maxGPUAge = 10 * time.Minute
)

// compiled is a file's content as it is asked for.
type compiled struct {
	ttl, gateEvery  time.Duration
	models          set[string]
	images          map[Role]set[[32]byte]
	allowed, denied set[[32]byte]
	graces          []grace
	gpuAge          time.Duration
	gpuModels       map[string]gpu.Model
	snpProducts     map[snp.Product]snp.TCB
}

// set is a list of a file. The zero set has nothing.
type set[T comparable] struct {
	any bool
	of  map[T]bool
}

func (s set[T]) has(v T) bool { return s.any || s.of[v] }

type grace struct {
	status     attest.Status
	advisories map[string]bool
	end        time.Time // the first moment after it
}

// Parse reads a file. Unknown keys are errors, also those in other letters, and
// every fault is listed by its key.
func Parse(text []byte) (File, error) {
	if len(text) > maxFile {
		return File{}, fmt.Errorf("%w: larger than %d bytes", ErrFile, maxFile)
	}
	// The decoder takes a key in any letters; a first pass does not.
	var keys map[string]any
	if err := toml.Unmarshal(text, &keys); err != nil {
		return File{}, describe(err)
	}
	if err := lower("", keys); err != nil {
		return File{}, err
	}
	f := Default()
	decoder := toml.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil {
		return File{}, describe(err)
	}
	c := checker{}
	f.read = c.compile(f)
	if err := errors.Join(c.faults...); err != nil {
		return File{}, err
	}
	return f, nil
}

// lower refuses keys in other letters than this package's.
func lower(path string, value any) error {
	switch v := value.(type) {
	case map[string]any:
		var faults []error
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if key != strings.ToLower(key) {
				faults = append(faults, fmt.Errorf("%w: %s%s: unknown key; keys are in small letters", ErrFile, path, key))
				continue
			}
			faults = append(faults, lower(path+key+".", v[key]))
		}
		return errors.Join(faults...)
	case []any:
		var faults []error
		for _, element := range v {
			faults = append(faults, lower(path, element))
		}
		return errors.Join(faults...)
	}
	return nil
}

// describe turns the decoder's errors into lines that name key and place.
func describe(err error) error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) {
		var faults []error
		for _, e := range unknown.Errors {
			row, _ := e.Position()
			faults = append(faults, fmt.Errorf("%w: %s: unknown key (line %d)", ErrFile, strings.Join(e.Key(), "."), row))
		}
		return errors.Join(faults...)
	}
	var syntax *toml.DecodeError
	if errors.As(err, &syntax) {
		row, column := syntax.Position()
		return fmt.Errorf("%w: line %d, column %d: %s", ErrFile, row, column, strings.TrimPrefix(syntax.Error(), "toml: "))
	}
	return fmt.Errorf("%w: %w", ErrFile, err)
}

// checker collects faults.
type checker struct{ faults []error }

func (c *checker) fault(key, format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf("%w: %s: %s", ErrFile, key, fmt.Sprintf(format, args...)))
}

func (c *checker) compile(f File) compiled {
	r := compiled{
		ttl:       c.duration("ttl", f.TTL, minGate, attest.DefaultTTL),
		gateEvery: c.duration("gate_every", f.GateEvery, minGate, maxGate),
		models:    list(c, "models", f.Models, c.name),
		images: map[Role]set[[32]byte]{
			Proxy:  list(c, "images.proxy", f.Images.Proxy, c.hash),
			Worker: list(c, "images.worker", f.Images.Worker, c.hash),
		},
		allowed: list(c, "platforms.allowed", f.Platforms.Allowed, c.hash),
		denied:  list(c, "platforms.denied", f.Platforms.Denied, c.hash),
		gpuAge:  c.duration("gpu.max_age", f.Devices.MaxAge, time.Second, maxGPUAge),
	}
	if r.denied.any {
		c.fault("platforms.denied", "%q would deny every platform; leave platforms.allowed empty instead", Any)
	}
	for i, g := range f.Grace {
		r.graces = append(r.graces, c.grace(fmt.Sprintf("grace[%d]", i), g))
	}
	r.gpuModels = c.gpuModels(f.Devices.Models)
	r.snpProducts = c.products(f.SEVSNP.Products)
	return r
}

func (c *checker) duration(key, text string, least, most time.Duration) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		c.fault(key, "%q is no duration (write 2m, 1h, 24h)", text)
	} else if d < least || d > most {
		c.fault(key, "must be between %s and %s", least, most)
	}
	return d
}

func (c *checker) hash(key, text string) (h [32]byte, ok bool) {
	if text != strings.ToLower(text) || hex.DecodedLen(len(text)) != len(h) {
		c.fault(key, "%.80q is not 64 digits in hexadecimal, in small letters", text)
		return h, false
	}
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(h) {
		c.fault(key, "%.80q is not 64 digits in hexadecimal, in small letters", text)
		return h, false
	}
	return [32]byte(raw), true
}

func (c *checker) name(key, text string) (string, bool) {
	if text == "" || len(text) > maxText {
		c.fault(key, "a name has 1 to %d bytes", maxText)
		return "", false
	}
	return text, true
}

// list reads one list of a file.
func list[T comparable](c *checker, key string, texts []string, read func(key, text string) (T, bool)) set[T] {
	if len(texts) > maxList {
		c.fault(key, "has more than %d entries", maxList)
		return set[T]{}
	}
	if len(texts) == 1 && texts[0] == Any {
		return set[T]{any: true}
	}
	s := set[T]{of: map[T]bool{}}
	for i, text := range texts {
		at := fmt.Sprintf("%s[%d]", key, i)
		if text == Any {
			c.fault(at, "%q stands alone or not at all", Any)
			continue
		}
		v, ok := read(at, text)
		if ok && s.of[v] {
			c.fault(at, "is there twice")
		}
		if ok {
			s.of[v] = true
		}
	}
	return s
}

// advisory is how manufacturers name theirs.
var advisory = regexp.MustCompile(`^(INTEL|AMD)-S[AB]-[0-9]{4,6}$`)

func (c *checker) grace(key string, g Grace) grace {
	status, ok := attest.ParseStatus(g.Status)
	switch {
	case !ok:
		c.fault(key+".status", "%.40q is not a status of Intel's, such as SWHardeningNeeded", g.Status)
	case status == attest.UpToDate:
		c.fault(key+".status", "%s needs no grace", status)
	case status >= attest.OutOfDate:
		c.fault(key+".status", "%s is never accepted: it is known how such a platform is broken", status)
	}
	if len(g.Advisories) == 0 {
		c.fault(key+".advisories", "is empty; name each advisory that is accepted")
	}
	names := list(c, key+".advisories", g.Advisories, func(key, text string) (string, bool) {
		if !advisory.MatchString(text) {
			c.fault(key, "%.40q is not the name of an advisory, such as INTEL-SA-00615", text)
			return "", false
		}
		return text, true
	})
	if names.any {
		c.fault(key+".advisories", "must name each advisory; %q is not for this list", Any)
	}
	day, err := time.Parse(time.DateOnly, g.Until)
	if err != nil {
		c.fault(key+".until", "%.40q is no date, such as 2027-01-31", g.Until)
	}
	if strings.TrimSpace(g.Reason) == "" {
		c.fault(key+".reason", "is missing; say why, for those who read this later")
	}
	return grace{status, names.of, day.AddDate(0, 0, 1)}
}
