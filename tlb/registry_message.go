package tlb

import (
	"fmt"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/tvm/cell"
)

// The messages of the registry are small and many, and read best side by side. All but those about
// proxies come from the owner. A message with an empty body is a gift to the registry's storage.

// RegistryAnnounce announces a change; it gets the ID RegistryState.NextChange and may be executed
// when the timelock is over.
//
//	announce#74757261 query_id:uint64 change:^RegistryChange = RegistryMsg;
type RegistryAnnounce struct {
	Query  uint64
	Change RegistryChange
}

// RegistryExecute puts an announced change into effect.
//
//	execute#74757265 query_id:uint64 id:uint32 = RegistryMsg;
type RegistryExecute struct {
	Query uint64
	ID    uint32
}

// RegistryCancel forgets an announced change.
//
//	cancel#74757263 query_id:uint64 id:uint32 = RegistryMsg;
type RegistryCancel struct {
	Query uint64
	ID    uint32
}

// RegistryRevoke takes an image or a model off its list, or denies a platform, at once.
//
//	revoke#74757276 query_id:uint64 kind:uint8 key:uint256 = RegistryMsg;
type RegistryRevoke struct {
	Query uint64
	Kind  RevokeKind
	Key   [32]byte
}

// RevokeKind says what a RegistryRevoke names.
type RevokeKind uint8

const (
	RevokeImage    RevokeKind = 1
	RevokeModel    RevokeKind = 2
	RevokePlatform RevokeKind = 3
)

// RegistryTransferOwner names the next owner, who may accept when the timelock is over. It replaces
// an earlier transfer; To is nil to call that off.
//
//	transfer_owner#74757274 query_id:uint64 to:MsgAddressInt = RegistryMsg;
type RegistryTransferOwner struct {
	Query uint64
	To    *address.Address
}

// RegistryAcceptOwner comes from the next owner and makes it the owner.
//
//	accept_owner#7475726f query_id:uint64 = RegistryMsg;
type RegistryAcceptOwner struct{ Query uint64 }

// RegistryRegisterProxy registers the sender's proxy, or updates its entry. Stake is added to what is
// locked already and must come with the message; together they must reach the minimum.
//
//	register_proxy#74757270 query_id:uint64 stake:Coins payout:MsgAddressInt
//	    contact:^ProxyContact = RegistryMsg;
type RegistryRegisterProxy struct {
	Query  uint64
	Stake  Nano
	Payout *address.Address
	PeerID []byte
	Addrs  []string
}

// RegistryUnregisterProxy takes the sender's proxy out of service and starts its unbonding.
//
//	unregister_proxy#74757275 query_id:uint64 = RegistryMsg;
type RegistryUnregisterProxy struct{ Query uint64 }

// RegistryWithdrawStake deletes the sender's entry when unbonding is over, and returns the stake less
// the storage fee of the entry.
//
//	withdraw_stake#74757277 query_id:uint64 = RegistryMsg;
type RegistryWithdrawStake struct{ Query uint64 }

// ToCell encodes the message.
func (m RegistryAnnounce) ToCell() (*cell.Cell, error) {
	if m.Change == nil {
		return nil, fmt.Errorf("encode registry announce: no change: %w", ErrField)
	}
	w := newBody(OpRegistryAnnounce, m.Query)
	w.ref(m.Change.ToCell())
	c, err := w.end()
	if err != nil {
		return nil, fmt.Errorf("encode registry announce: %w", err)
	}
	return c, nil
}

// ParseRegistryAnnounce decodes what [RegistryAnnounce.ToCell] writes, and nothing else.
func ParseRegistryAnnounce(c *cell.Cell) (RegistryAnnounce, error) {
	r, query := openBody(c, OpRegistryAnnounce)
	change := r.ref()
	if err := r.end(); err != nil {
		return RegistryAnnounce{}, fmt.Errorf("registry announce: %w", err)
	}
	parsed, err := ParseRegistryChange(change)
	if err != nil {
		return RegistryAnnounce{}, fmt.Errorf("registry announce: %w", err)
	}
	return RegistryAnnounce{Query: query, Change: parsed}, nil
}

// ToCell encodes the message.
func (m RegistryExecute) ToCell() (*cell.Cell, error) {
	return changeIDBody(OpRegistryExecute, m.Query, m.ID)
}

// ParseRegistryExecute decodes what [RegistryExecute.ToCell] writes, and nothing else.
func ParseRegistryExecute(c *cell.Cell) (m RegistryExecute, err error) {
	m.Query, m.ID, err = parseChangeID("registry execute", c, OpRegistryExecute)
	return m, err
}

// ToCell encodes the message.
func (m RegistryCancel) ToCell() (*cell.Cell, error) {
	return changeIDBody(OpRegistryCancel, m.Query, m.ID)
}

// ParseRegistryCancel decodes what [RegistryCancel.ToCell] writes, and nothing else.
func ParseRegistryCancel(c *cell.Cell) (m RegistryCancel, err error) {
	m.Query, m.ID, err = parseChangeID("registry cancel", c, OpRegistryCancel)
	return m, err
}

// ToCell encodes the message.
func (m RegistryRevoke) ToCell() (*cell.Cell, error) {
	w := newBody(OpRegistryRevoke, m.Query)
	w.do(m.Kind.check)
	w.uint(uint64(m.Kind), 8)
	w.bytes(m.Key[:])
	c, err := w.end()
	if err != nil {
		return nil, fmt.Errorf("encode registry revoke: %w", err)
	}
	return c, nil
}

// ParseRegistryRevoke decodes what [RegistryRevoke.ToCell] writes, and nothing else.
func ParseRegistryRevoke(c *cell.Cell) (RegistryRevoke, error) {
	r, query := openBody(c, OpRegistryRevoke)
	m := RegistryRevoke{Query: query, Kind: RevokeKind(r.uint(8)), Key: r.bits256()}
	if r.err == nil {
		r.err = m.Kind.check()
	}
	if err := r.end(); err != nil {
		return RegistryRevoke{}, fmt.Errorf("registry revoke: %w", err)
	}
	return m, nil
}

func (k RevokeKind) check() error {
	if k < RevokeImage || k > RevokePlatform {
		return fmt.Errorf("revoke kind %d: %w", k, ErrField)
	}
	return nil
}

// ToCell encodes the message.
func (m RegistryTransferOwner) ToCell() (*cell.Cell, error) {
	w := newBody(OpRegistryTransferOwner, m.Query)
	w.maybeAccount(m.To)
	c, err := w.end()
	if err != nil {
		return nil, fmt.Errorf("encode registry transfer owner: %w", err)
	}
	return c, nil
}

// ParseRegistryTransferOwner decodes what [RegistryTransferOwner.ToCell] writes, and nothing else.
func ParseRegistryTransferOwner(c *cell.Cell) (RegistryTransferOwner, error) {
	r, query := openBody(c, OpRegistryTransferOwner)
	m := RegistryTransferOwner{Query: query, To: r.maybeAccount()}
	if err := r.end(); err != nil {
		return RegistryTransferOwner{}, fmt.Errorf("registry transfer owner: %w", err)
	}
	return m, nil
}

// ToCell encodes the message.
func (m RegistryAcceptOwner) ToCell() (*cell.Cell, error) {
	return bareBody(OpRegistryAcceptOwner, m.Query)
}

// ParseRegistryAcceptOwner decodes what [RegistryAcceptOwner.ToCell] writes, and nothing else.
func ParseRegistryAcceptOwner(c *cell.Cell) (m RegistryAcceptOwner, err error) {
	m.Query, err = parseBare("registry accept owner", c, OpRegistryAcceptOwner)
	return m, err
}

// ToCell encodes the message.
func (m RegistryRegisterProxy) ToCell() (*cell.Cell, error) {
	w := newBody(OpRegistryRegisterProxy, m.Query)
	w.nano(m.Stake)
	w.account(m.Payout)
	w.ref(ProxyEntry{PeerID: m.PeerID, Addrs: m.Addrs}.contact())
	c, err := w.end()
	if err != nil {
		return nil, fmt.Errorf("encode registry register proxy: %w", err)
	}
	return c, nil
}

// ParseRegistryRegisterProxy decodes what [RegistryRegisterProxy.ToCell] writes, and nothing else.
func ParseRegistryRegisterProxy(c *cell.Cell) (RegistryRegisterProxy, error) {
	r, query := openBody(c, OpRegistryRegisterProxy)
	m := RegistryRegisterProxy{Query: query, Stake: r.nano(), Payout: r.account()}
	contact := r.ref()
	if err := r.end(); err != nil {
		return RegistryRegisterProxy{}, fmt.Errorf("registry register proxy: %w", err)
	}
	var entry ProxyEntry
	if err := entry.parseContact(contact); err != nil {
		return RegistryRegisterProxy{}, fmt.Errorf("registry register proxy: %w", err)
	}
	m.PeerID, m.Addrs = entry.PeerID, entry.Addrs
	return m, nil
}

// ToCell encodes the message.
func (m RegistryUnregisterProxy) ToCell() (*cell.Cell, error) {
	return bareBody(OpRegistryUnregisterProxy, m.Query)
}

// ParseRegistryUnregisterProxy decodes what [RegistryUnregisterProxy.ToCell] writes, and nothing else.
func ParseRegistryUnregisterProxy(c *cell.Cell) (m RegistryUnregisterProxy, err error) {
	m.Query, err = parseBare("registry unregister proxy", c, OpRegistryUnregisterProxy)
	return m, err
}

// ToCell encodes the message.
func (m RegistryWithdrawStake) ToCell() (*cell.Cell, error) {
	return bareBody(OpRegistryWithdrawStake, m.Query)
}

// ParseRegistryWithdrawStake decodes what [RegistryWithdrawStake.ToCell] writes, and nothing else.
func ParseRegistryWithdrawStake(c *cell.Cell) (m RegistryWithdrawStake, err error) {
	m.Query, err = parseBare("registry withdraw stake", c, OpRegistryWithdrawStake)
	return m, err
}

func changeIDBody(op uint32, query uint64, id uint32) (*cell.Cell, error) {
	w := newBody(op, query)
	w.uint32(id)
	return w.end()
}

func parseChangeID(name string, c *cell.Cell, op uint32) (query uint64, id uint32, err error) {
	r, query := openBody(c, op)
	id = r.uint32()
	if err := r.end(); err != nil {
		return 0, 0, fmt.Errorf("%s: %w", name, err)
	}
	return query, id, nil
}
