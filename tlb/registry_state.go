package tlb

import (
	"fmt"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// RegistryState is the storage of the registry contract.
//
//	registry_state#_ version:uint64 next_change:uint32 owner:MsgAddressInt
//	    transfer:(Maybe ^OwnerTransfer) changes:(HashmapE 32 PendingChange)
//	    proxies:(HashmapE 256 ^ProxyEntry) policy:^RegistryPolicy = RegistryState;
//	owner_transfer#_ to:MsgAddressInt ready_at:uint32 = OwnerTransfer;
//	pending_change#_ ready_at:uint32 change:^RegistryChange = PendingChange;
//	registry_policy#_ images:(HashmapE 256 uint8) models:(HashmapE 256 ^Text)
//	    platforms:(HashmapE 256 Bool) params:^RegistryParams = RegistryPolicy;
type RegistryState struct {
	Owner      *address.Address
	Version    uint64 // raised by every change
	Params     RegistryParams
	Images     map[[32]byte]Roles  // an image that is not here may not run
	Models     map[[32]byte]string // by ModelHash
	Platforms  map[[32]byte]bool   // true: allowed, false: denied
	Proxies    []ProxyEntry        // ordered by owner
	Transfer   *OwnerTransfer      // nil if the owner stays
	Changes    []PendingChange     // announced, ordered by ID
	NextChange uint32              // ID of the next change to be announced
}

// OwnerTransfer is a hand-over that the next owner may accept from ReadyAt on.
type OwnerTransfer struct {
	To      *address.Address
	ReadyAt uint32
}

// PendingChange is an announced change that the owner may execute from ReadyAt on.
type PendingChange struct {
	ID      uint32
	ReadyAt uint32
	Change  RegistryChange
}

// ToCell encodes the storage. A freshly deployed registry starts with such a cell, so its address
// commits to the owner and to the whole first policy.
func (s RegistryState) ToCell() (*cell.Cell, error) {
	w := newWriter()
	w.uint(s.Version, 64)
	w.uint32(s.NextChange)
	w.account(s.Owner)
	if t := s.Transfer; t != nil {
		tw := newWriter()
		tw.account(t.To)
		tw.uint32(t.ReadyAt)
		c, err := tw.end()
		w.do(func() error { return err })
		w.maybeRef(c)
	} else {
		w.maybeRef(nil)
	}
	var changes, proxies []cell.DictBulkKV
	for _, p := range s.Changes {
		if p.Change == nil {
			return nil, fmt.Errorf("encode registry state: pending change %d: %w", p.ID, ErrField)
		}
		key := []byte{byte(p.ID >> 24), byte(p.ID >> 16), byte(p.ID >> 8), byte(p.ID)}
		v := newWriter()
		v.uint32(p.ReadyAt)
		v.ref(p.Change.ToCell())
		w.item(&changes, key, v)
	}
	w.dict(32, changes)
	for _, p := range s.Proxies {
		if err := checkAccount(p.Owner); err != nil {
			return nil, fmt.Errorf("encode registry state: owner of a proxy: %w", err)
		}
		v := newWriter()
		v.ref(p.ToCell())
		w.item(&proxies, p.Owner.Data(), v)
	}
	w.dict(256, proxies)
	w.ref(s.policy())
	c, err := w.end()
	if err != nil {
		return nil, fmt.Errorf("encode registry state: %w", err)
	}
	return c, nil
}

func (s RegistryState) policy() (*cell.Cell, error) {
	var images, models, platforms []cell.DictBulkKV
	w := newWriter()
	for key, roles := range s.Images {
		v := newWriter()
		v.do(roles.check)
		v.uint(uint64(roles), 8)
		w.item(&images, key[:], v)
	}
	for key, name := range s.Models {
		v := newWriter()
		v.do(func() error { return checkModel(key, name) })
		v.ref(textCells("model name", []byte(name), MaxModelName))
		w.item(&models, key[:], v)
	}
	for key, allowed := range s.Platforms {
		v := newWriter()
		v.do(func() error { return v.b.StoreBoolBit(allowed) })
		w.item(&platforms, key[:], v)
	}
	w.dict(256, images)
	w.dict(256, models)
	w.dict(256, platforms)
	w.ref(s.Params.ToCell())
	return w.end()
}

// ParseRegistryState decodes what [RegistryState.ToCell] writes, and nothing else.
func ParseRegistryState(c *cell.Cell) (RegistryState, error) {
	if err := CheckCell(c); err != nil {
		return RegistryState{}, fmt.Errorf("registry state: %w", err)
	}
	var s RegistryState
	r := newReader(c)
	s.Version = r.uint(64)
	s.NextChange = r.uint32()
	s.Owner = r.account()
	if t := r.maybeRef(); t != nil {
		tr := newReader(t)
		s.Transfer = &OwnerTransfer{To: tr.account(), ReadyAt: tr.uint32()}
		if err := tr.end(); err != nil {
			return RegistryState{}, fmt.Errorf("registry owner transfer: %w", err)
		}
	}
	r.dict(32, func(key, value *reader) error {
		p := PendingChange{ID: key.uint32(), ReadyAt: value.uint32()}
		change := value.ref()
		if value.err != nil {
			return value.err
		}
		var err error
		p.Change, err = ParseRegistryChange(change)
		s.Changes = append(s.Changes, p)
		return err
	})
	r.dict(256, func(key, value *reader) error {
		owner := key.bits256()
		p, err := ParseProxyEntry(address.NewAddress(0, 0, owner[:]), value.ref())
		s.Proxies = append(s.Proxies, p)
		return err
	})
	policy := r.ref()
	if err := r.end(); err != nil {
		return RegistryState{}, fmt.Errorf("registry state: %w", err)
	}
	if err := s.parsePolicy(policy); err != nil {
		return RegistryState{}, fmt.Errorf("registry policy: %w", err)
	}
	// A dictionary has one canonical form, but the library reads others too.
	again, err := s.ToCell()
	if err != nil {
		return RegistryState{}, err
	}
	if again.HashKey() != c.HashKey() {
		return RegistryState{}, fmt.Errorf("registry state: %w", ErrNotCanonical)
	}
	return s, nil
}

func (s *RegistryState) parsePolicy(c *cell.Cell) error {
	s.Images = map[[32]byte]Roles{}
	s.Models = map[[32]byte]string{}
	s.Platforms = map[[32]byte]bool{}
	r := newReader(c)
	r.dict(256, func(key, value *reader) error {
		s.Images[key.bits256()] = Roles(value.uint(8))
		return value.err
	})
	r.dict(256, func(key, value *reader) error {
		name, err := text("model name", value.ref(), MaxModelName)
		s.Models[key.bits256()] = string(name)
		return err
	})
	r.dict(256, func(key, value *reader) error {
		s.Platforms[key.bits256()] = value.uint(1) == 1
		return value.err
	})
	params := r.ref()
	if err := r.end(); err != nil {
		return err
	}
	var err error
	s.Params, err = ParseRegistryParams(params)
	return err
}

func checkModel(key [32]byte, name string) error {
	if ModelHash(name) != key {
		return fmt.Errorf("model %q under another key: %w", name, ErrField)
	}
	return nil
}
