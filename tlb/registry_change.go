package tlb

import (
	"fmt"

	"github.com/xssnick/tonutils-go/tvm/cell"
)

// Roles say in which roles an image may run.
type Roles uint8

const (
	RoleProxy  Roles = 1
	RoleWorker Roles = 2

	allRoles = RoleProxy | RoleWorker
)

// String names the roles as an error or a listing does: "proxy", "worker", "proxy+worker".
func (r Roles) String() string {
	switch r {
	case RoleProxy:
		return "proxy"
	case RoleWorker:
		return "worker"
	case allRoles:
		return "proxy+worker"
	}
	return fmt.Sprintf("roles(%d)", uint8(r))
}

// RegistryChange is a change of policy that has to be announced. Exactly one of [AllowImage],
// [AllowModel], [AllowPlatform] and [SetParams].
type RegistryChange interface {
	ToCell() (*cell.Cell, error)
	change()
}

// AllowImage lets an image run in the given roles, and in no others.
//
//	allow_image#01 image:uint256 roles:uint8 = RegistryChange;
type AllowImage struct {
	Image [32]byte
	Roles Roles
}

// AllowModel adds a model to those that may be offered.
//
//	allow_model#02 name:^Text = RegistryChange;
type AllowModel struct{ Name string }

// AllowPlatform trusts a TEE platform, or trusts it again.
//
//	allow_platform#03 platform:uint256 = RegistryChange;
type AllowPlatform struct{ Platform [32]byte }

// SetParams replaces the parameters of the network.
//
//	set_params#04 params:^RegistryParams = RegistryChange;
type SetParams struct{ Params RegistryParams }

const (
	tagAllowImage    = 1
	tagAllowModel    = 2
	tagAllowPlatform = 3
	tagSetParams     = 4
)

func (AllowImage) change()    {}
func (AllowModel) change()    {}
func (AllowPlatform) change() {}
func (SetParams) change()     {}

// ToCell encodes the change.
func (c AllowImage) ToCell() (*cell.Cell, error) {
	if err := c.Roles.check(); err != nil {
		return nil, err
	}
	w := newWriter()
	w.uint(tagAllowImage, 8)
	w.bytes(c.Image[:])
	w.uint(uint64(c.Roles), 8)
	return w.end()
}

// ToCell encodes the change.
func (c AllowModel) ToCell() (*cell.Cell, error) {
	w := newWriter()
	w.uint(tagAllowModel, 8)
	w.ref(textCells("model name", []byte(c.Name), MaxModelName))
	return w.end()
}

// ToCell encodes the change.
func (c AllowPlatform) ToCell() (*cell.Cell, error) {
	w := newWriter()
	w.uint(tagAllowPlatform, 8)
	w.bytes(c.Platform[:])
	return w.end()
}

// ToCell encodes the change.
func (c SetParams) ToCell() (*cell.Cell, error) {
	w := newWriter()
	w.uint(tagSetParams, 8)
	w.ref(c.Params.ToCell())
	return w.end()
}

// ParseRegistryChange decodes what the ToCell of one of the changes writes, and nothing else.
func ParseRegistryChange(c *cell.Cell) (RegistryChange, error) {
	r := newReader(c)
	tag := r.uint(8)
	var change RegistryChange
	switch {
	case r.err != nil:
	case tag == tagAllowImage:
		a := AllowImage{Image: r.bits256(), Roles: Roles(r.uint(8))}
		if r.err == nil {
			r.err = a.Roles.check()
		}
		change = a
	case tag == tagAllowModel:
		name := r.ref()
		if r.err == nil {
			var b []byte
			b, r.err = text("model name", name, MaxModelName)
			change = AllowModel{Name: string(b)}
		}
	case tag == tagAllowPlatform:
		change = AllowPlatform{Platform: r.bits256()}
	case tag == tagSetParams:
		params := r.ref()
		if r.err == nil {
			var p RegistryParams
			p, r.err = ParseRegistryParams(params)
			change = SetParams{Params: p}
		}
	default:
		r.err = fmt.Errorf("%w: %02x", ErrTag, tag)
	}
	if err := r.end(); err != nil {
		return nil, fmt.Errorf("registry change: %w", err)
	}
	return change, nil
}

func (r Roles) check() error {
	if r == 0 || r&^allRoles != 0 {
		return fmt.Errorf("roles %d: %w", r, ErrField)
	}
	return nil
}
