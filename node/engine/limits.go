package engine

const (
	// maxDepth of nested JSON in a request. Deeper input has no use and costs recursive parsers their stack.
	maxDepth = 64
	// maxAnswer bounds a whole JSON answer: 16 MiB holds 128 choices of 30,000 tokens.
	maxAnswer = 16 << 20
	// maxEvent bounds one server-sent event. Events are a few hundred bytes; with 20 top_logprobs for a batch of
	// tokens they reach some hundred KiB.
	maxEvent = 1 << 20
	// maxModels bounds the engine's list of models.
	maxModels = 4 << 20
	// maxStatusBody bounds what is read of an engine's error answer, maxStatusText what is passed on of its message.
	maxStatusBody = 64 << 10
	maxStatusText = 4 << 10

	// maxModelName is generous for "organisation/name@commit:hash".
	maxModelName = 256
	// maxTokensLimit is above any context window, and small enough that products with prices and choices stay far
	// from overflow.
	maxTokensLimit = 1 << 24
	// maxChoices is OpenAI's own bound of n.
	maxChoices = 128
	// maxPrompts is OpenAI's own bound of prompts in one completion request.
	maxPrompts = 2048
	// maxUsage is the largest token count believed. 2^40 tokens take the fastest engine years.
	maxUsage = 1 << 40
)

const (
	// templateAllowance covers what a chat template adds on its own: default system prompt, date, tool preamble.
	templateAllowance = 512
	// attachmentAllowance covers an image, sound or file, which costs tokens no matter how short its URL is.
	// attachmentEstimate is what one takes in common models.
	attachmentAllowance = 4096
	attachmentEstimate  = 256
)
