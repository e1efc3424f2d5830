package strict

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/xssnick/tonutils-go/address"
	"github.com/xssnick/tonutils-go/ton"
)

// AccountRate is how many times a second an account is read with its whole proof,
// fetched and verified, by some callers at once over one client. It takes about
// as long as d says.
func AccountRate(ctx context.Context, client ton.LiteClient, trusted *ton.BlockIDExt, a *address.Address, callers int, d time.Duration) (float64, error) {
	api := ton.NewAPIClient(client, ton.ProofCheckPolicySecure)
	api.SetTrustedBlock(trusted)
	head, err := api.GetMasterchainInfo(ctx)
	if err != nil {
		return 0, fmt.Errorf("newest block: %w", err)
	}
	var reads atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, callers)
	began := time.Now()
	for i := range callers {
		wg.Go(func() {
			for time.Since(began) < d && errs[i] == nil {
				if _, errs[i] = api.GetAccount(ctx, head, a); errs[i] == nil {
					reads.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return float64(reads.Load()) / time.Since(began).Seconds(), errors.Join(errs...)
}
