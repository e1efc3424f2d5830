package engine

// PromptBound returns an upper bound of the prompt tokens of a request, from its bytes alone: no tokenizer makes more
// than one token from a byte, and the JSON around a message is longer than the tokens a chat template puts around it.
// Attachments and what templates add on their own get a fixed allowance.
//
// It is what a payer authorises before the engine has counted, and what a client holds the stated usage against.
func PromptBound(body []byte) uint64 {
	_, attachments := promptText(body)
	return uint64(len(body)) + templateAllowance + attachments*attachmentAllowance
}

// PromptEstimate guesses the prompt tokens of a request, four bytes to a token. It stands in for the engine's own count
// in running usage, and in the final one when a request was broken off before the engine told. Both ends of a channel
// can compute it.
func PromptEstimate(body []byte) uint64 {
	text, attachments := promptText(body)
	return (text+3)/4 + attachments*attachmentEstimate
}

// promptText returns how many bytes of the body are prompt, without attachments, and how many attachments there are.
func promptText(body []byte) (text, attachments uint64) {
	for key, at := range members(body) {
		value := body[at.from:at.to]
		switch string(key) {
		case "prompt", "tools":
			text += uint64(len(value))
		case "messages":
			for m := range elements(value) {
				t, a := messageText(value[m.from:m.to])
				text += t
				attachments += a
			}
		}
	}
	return text, attachments
}

func messageText(message []byte) (text, attachments uint64) {
	text = uint64(len(message))
	for key, at := range members(message) {
		if string(key) != "content" {
			continue
		}
		content := message[at.from:at.to]
		for p := range elements(content) {
			part := content[p.from:p.to]
			for key, at := range members(part) {
				if string(key) == "type" && unquote(part[at.from:at.to]) != "text" {
					attachments++
					text -= uint64(len(part))
					break
				}
			}
		}
	}
	return text, attachments
}
