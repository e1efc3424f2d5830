package liteserver

import (
	"context"
	"fmt"

	"github.com/xssnick/tonutils-go/tl"
	"github.com/xssnick/tonutils-go/ton"
	"github.com/xssnick/tonutils-go/tvm/cell"

	"github.com/tussah-network/tussah/tlb"
)

// send offers an external message to the chain. As on the real network, status
// 1 means it was accepted for inclusion, not that it is in a block.
func (a *answerer) send(ctx context.Context, q ton.SendMessage) (tl.Serializable, error) {
	msg, err := parseCell(q.Body, maxMessage, maxMessageCells)
	if err != nil {
		return nil, fmt.Errorf("external message: %w", err)
	}
	if err = a.src.Send(ctx, msg); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return ton.SendMessageStatus{Status: 1}, nil
}

// parseCell reads a tree of ordinary cells from a client.
func parseCell(data []byte, maxBytes, maxCells int) (*cell.Cell, error) {
	if len(data) > maxBytes {
		return nil, badQuery("more than %d bytes", maxBytes)
	}
	root, err := cell.FromBOCWithOptions(data, cell.BOCParseOptions{MaxCells: maxCells})
	if err != nil {
		return nil, badQuery("not a bag of cells: %v", err)
	}
	if err = tlb.CheckCell(root); err != nil {
		return nil, badQuery("cells: %v", err)
	}
	return root, nil
}
