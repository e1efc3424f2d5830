package toncenter

import "context"

// method is one method of the API. Its result is what goes into the answer as
// JSON. It reads its parameters from p; if p.err is set afterwards, that is the
// answer.
type method struct {
	run func(ctx context.Context, chain Source, p *params) (any, error)
	// postOnly methods have parameters that do not fit into a query, or change
	// something.
	postOnly bool
}

// methods are all there are, under toncenter's names.
var methods = map[string]method{
	"detectAddress": {run: detectAddress},
	"detectHash":    {run: detectHash},
	"packAddress":   {run: packAddress},
	"unpackAddress": {run: unpackAddress},

	"getAddressInformation":         {run: addressInformation},
	"getExtendedAddressInformation": {run: extendedAddressInformation},
	"getWalletInformation":          {run: walletInformation},
	"getAddressBalance":             {run: addressBalance},
	"getAddressState":               {run: addressState},
	"getShardAccountCell":           {run: shardAccountCell},
	"getTokenData":                  {run: tokenData},

	"getMasterchainInfo":            {run: masterchainInfo},
	"getMasterchainBlockSignatures": {run: masterchainBlockSignatures},
	"getShardBlockProof":            {run: shardBlockProof},
	"getConsensusBlock":             {run: consensusBlock},
	"lookupBlock":                   {run: lookupBlock},
	"shards":                        {run: listShards},
	"getShards":                     {run: listShards},
	"getBlockHeader":                {run: blockHeader},
	"getOutMsgQueueSize":            {run: queueSizes},
	"getOutMsgQueueSizes":           {run: queueSizes},

	"getBlockTransactions":    {run: blockTransactions},
	"getBlockTransactionsExt": {run: blockTransactionsExt},
	"getTransactions":         {run: transactions},
	"getTransactionsStd":      {run: transactionsStd},
	"tryLocateTx":             {run: locateResult},
	"tryLocateResultTx":       {run: locateResult},
	"tryLocateSourceTx":       {run: locateSource},

	"getConfigParam": {run: configParam},
	"getConfigAll":   {run: configAll},
	"getLibraries":   {run: libraries},

	"runGetMethod":    {run: runGetMethod, postOnly: true},
	"runGetMethodStd": {run: runGetMethodStd, postOnly: true},

	"sendBoc":           {run: sendBOC, postOnly: true},
	"sendBocReturnHash": {run: sendBOCReturnHash, postOnly: true},
	"sendQuery":         {run: sendQuery, postOnly: true},
	"estimateFee":       {run: estimateFee, postOnly: true},
}
