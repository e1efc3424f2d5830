package node

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/xssnick/tonutils-go/address"

	"github.com/tussah-network/tussah/contracts"
	"github.com/tussah-network/tussah/tlb"
)

// end tells which side of a channel this node is on.
type end byte

const (
	paying  end = 'p'
	earning end = 'e'
)

// record is what the node remembers of a channel beside its journal: what it was
// opened with, and with whom. It is written before anything is sent to the chain.
type record struct {
	Channel *address.Address
	Config  tlb.ChannelConfig
	Peer    peer.ID
	Deposit tlb.Nano // what a payer opens it with
	Opened  bool     // a payer has seen it on chain: if it is not there any more, it was closed
	Sends   uint32   // messages of a payer that had no effect, so that the next one is another
}

// storedRecord is a record as JSON, so that an operator can read a database dump.
type storedRecord struct {
	Config  []byte   `json:"config"` // BoC of the channel's initial storage
	Peer    string   `json:"peer"`
	Deposit tlb.Nano `json:"deposit"`
	Opened  bool     `json:"opened"`
	Sends   uint32   `json:"sends,omitempty"`
}

// records are the node's channels by end and address.
type records struct{ table *Table }

func recordKey(e end, channel *address.Address) []byte {
	return append([]byte{byte(e)}, channel.StringRaw()...)
}

func (r records) put(e end, rec record) error {
	data, err := rec.Config.Data()
	if err != nil {
		return err
	}
	value, err := json.Marshal(storedRecord{Config: data.ToBOC(), Peer: rec.Peer.String(), Deposit: rec.Deposit, Opened: rec.Opened, Sends: rec.Sends})
	if err != nil {
		return err
	}
	return r.table.Commit(func(set func(key, value []byte), _ func([]byte)) { set(recordKey(e, rec.Channel), value) })
}

func (r records) drop(e end, channel *address.Address) error {
	return r.table.Commit(func(_ func(key, value []byte), del func([]byte)) { del(recordKey(e, channel)) })
}

// scan returns the records that can be read, and what is wrong with each other one.
func (r records) scan(e end) (all []record, bad []error, err error) {
	err = r.table.Scan([]byte{byte(e)}, func(key, value []byte) error {
		if rec, err := decodeRecord(value); err != nil {
			bad = append(bad, fmt.Errorf("channel record %s: %w", key[1:], err))
		} else {
			all = append(all, rec)
		}
		return nil
	})
	return all, bad, err
}

// all is scan for whom every record counts.
func (r records) all(e end) ([]record, error) {
	all, bad, err := r.scan(e)
	return all, errors.Join(append(bad, err)...)
}

func decodeRecord(value []byte) (record, error) {
	var stored storedRecord
	if err := json.Unmarshal(value, &stored); err != nil {
		return record{}, err
	}
	data, err := tlb.ParseBoC(stored.Config, maxRecord)
	if err != nil {
		return record{}, err
	}
	state, err := tlb.ParseChannelState(data)
	if err != nil {
		return record{}, err
	}
	rec := record{Config: state.Config, Deposit: stored.Deposit, Opened: stored.Opened, Sends: stored.Sends}
	if rec.Peer, err = peer.Decode(stored.Peer); err != nil {
		return record{}, err
	}
	rec.Channel, err = contracts.ChannelAddress(rec.Config)
	return rec, err
}

const maxRecord = 4 << 10
