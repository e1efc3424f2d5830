package toncenter

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/xssnick/tonutils-go/address"
	tontlb "github.com/xssnick/tonutils-go/tlb"
	"github.com/xssnick/tonutils-go/tvm/cell"
	"github.com/xssnick/tonutils-go/tvm/vm"

	"github.com/tussah-network/tussah/sandbox"
)

type resultOK struct {
	Type string `json:"@type"`
}

type extMessageInfo struct {
	Type string `json:"@type"`
	Hash hash   `json:"hash"`
	Norm hash   `json:"hash_norm"`
}

func sendBOC(ctx context.Context, chain Source, p *params) (any, error) {
	msg := p.cell("boc", maxMessage)
	if p.err != nil {
		return nil, p.err
	}
	if err := offer(ctx, chain, msg); err != nil {
		return nil, err
	}
	return resultOK{Type: "ok"}, nil
}

func sendBOCReturnHash(ctx context.Context, chain Source, p *params) (any, error) {
	msg := p.cell("boc", maxMessage)
	if p.err != nil {
		return nil, p.err
	}
	norm, err := normalHash(msg)
	if err != nil {
		return nil, err
	}
	if err := offer(ctx, chain, msg); err != nil {
		return nil, err
	}
	return extMessageInfo{Type: "raw.extMessageInfo", Hash: msg.Hash(), Norm: norm}, nil
}

func sendQuery(ctx context.Context, chain Source, p *params) (any, error) {
	_, msg, err := readQuery(p)
	if err != nil {
		return nil, err
	}
	if err := offer(ctx, chain, msg); err != nil {
		return nil, err
	}
	return resultOK{Type: "ok"}, nil
}

// readQuery makes the external message that a call gives in parts.
func readQuery(p *params) (*address.Address, *cell.Cell, error) {
	to, body := p.address("address"), p.cell("body", maxMessage)
	code, data := p.optionalCell("init_code", maxMessage), p.optionalCell("init_data", maxMessage)
	if p.err != nil {
		return nil, nil, p.err
	}
	msg := &tontlb.ExternalMessageIn{SrcAddr: address.NewAddressNone(), DstAddr: to, Body: body}
	if code != nil || data != nil {
		msg.StateInit = &tontlb.StateInit{Code: code, Data: data}
	}
	c, err := tontlb.ToCell(msg)
	if err != nil {
		return nil, nil, badRequest("message: %v", err)
	}
	return to, c, nil
}

// offer hands a message to the chain.
func offer(ctx context.Context, chain Source, msg *cell.Cell) error {
	err := chain.Send(ctx, msg)
	switch refused, ok := errors.AsType[*sandbox.NotAcceptedError](err); {
	case err == nil:
		return nil
	case errors.Is(err, sandbox.ErrEndless):
		return nil // it was taken; what it set off is still under way
	case ok:
		return fmt.Errorf("%w: External message was not accepted: cannot run message on account: %s", ErrRefused, explain(refused))
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, sandbox.ErrClosed):
		return err
	default:
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
}

// vmLogTail is how many of the last instructions a refusal shows.
const vmLogTail = 8

// explain says why a contract refused a message, in the words of TON's nodes.
func explain(refused *sandbox.NotAcceptedError) string {
	account := strings.ToUpper(fmt.Sprintf("%x", refused.Account.Data()))
	if refused.Reason != "" {
		return fmt.Sprintf("inbound external message rejected by account %s before smart-contract execution: %s", account, refused.Reason)
	}
	var steps int
	var gas uint64
	var log []string
	if refused.Execution != nil {
		// Once more, to see what it did. The outcome is known.
		outcome, err := refused.Execution.Run(func(step vm.TraceStep) {
			if step.Opcode == "" {
				return
			}
			steps++
			if log = append(log, "execute "+step.Opcode); len(log) > vmLogTail {
				log = log[1:]
			}
		})
		if err == nil {
			gas = outcome.Gas
		}
	}
	text := fmt.Sprintf("inbound external message rejected by transaction %s:\nexitcode=%d, steps=%d, gas_used=%d",
		account, int(refused.Exit), steps, gas)
	if len(log) > 0 {
		text += "\nVM Log (truncated):\n..." + strings.Join(log, "\n") + "\n"
	}
	return text
}

// normalHash is the hash of a message that does not depend on how its sender
// chose to write it (TEP-467): no source, no import fee, no state init, the
// body in a cell of its own.
func normalHash(msg *cell.Cell) (hash, error) {
	var parsed tontlb.Message
	if err := tontlb.Parse(&parsed, msg); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrBOC, err) // clients branch on the first words
	}
	if parsed.MsgType != tontlb.MsgTypeExternalIn {
		return nil, fmt.Errorf("%w: not an external message", ErrBOC)
	}
	in := parsed.AsExternalIn()
	body := in.Body
	if body == nil {
		body = cell.BeginCell().EndCell()
	}
	b := cell.BeginCell().MustStoreUInt(0b10, 2).MustStoreUInt(0, 2)
	if err := b.StoreAddr(in.DstAddr); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrBOC, err) // as above
	}
	return b.MustStoreUInt(0, 4).MustStoreBoolBit(false).MustStoreBoolBit(true).MustStoreRef(body).EndCell().Hash(), nil
}
