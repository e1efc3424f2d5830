package toncenter

import (
	"context"
)

func shardBlockProof(_ context.Context, chain Source, p *params) (any, error) {
	return nil, ErrUnknownMethod
}
