package tlb

// Every 32-bit tag of the system, in one place so that a test can prove that they all differ. The
// numbers are ASCII: "tu", then who reads it, then what it is. The contracts' sources repeat them.

// Tags of signed cells. A signature under one tag is worthless under any other. The last letter is
// the version; a changed layout gets a new tag.
const (
	TagVoucher   = 0x74757631 // "tuv1"
	TagCoopClose = 0x74756331 // "tuc1"
	TagReceipt   = 0x74757231 // "tur1"
	TagWork      = 0x74757731 // "tuw1"
)

// Operations of the channel contract: what it accepts, and what it sends.
const (
	OpChannelOpen         = 0x7475636f // "tuco"
	OpChannelTopUp        = 0x74756374 // "tuct"
	OpChannelClaim        = 0x74756363 // "tucc"
	OpChannelRotate       = 0x74756372 // "tucr"
	OpChannelRequestClose = 0x74756371 // "tucq"
	OpChannelFinish       = 0x74756366 // "tucf"
	OpChannelCoopClose    = 0x74756361 // "tuca", the payee agreed
	OpChannelCloseNotice  = 0x7475636e // "tucn", to the payee
	OpChannelPayout       = 0x74756370 // "tucp", to payer and payee
)

// Operations of the registry contract.
const (
	OpRegistryAnnounce        = 0x74757261 // "tura"
	OpRegistryExecute         = 0x74757265 // "ture"
	OpRegistryCancel          = 0x74757263 // "turc"
	OpRegistryRevoke          = 0x74757276 // "turv"
	OpRegistryRegisterProxy   = 0x74757270 // "turp"
	OpRegistryUnregisterProxy = 0x74757275 // "turu"
	OpRegistryWithdrawStake   = 0x74757277 // "turw"
	OpRegistryTransferOwner   = 0x74757274 // "turt"
	OpRegistryAcceptOwner     = 0x7475726f // "turo"
)

// OpExcesses is TON's customary operation for returning unused gas money to a caller (TEP-74).
const OpExcesses = 0xd53276db
