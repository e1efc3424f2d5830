package engine

import (
	"encoding/json"
	"fmt"

	"github.com/tussah-network/tussah/tlb"
)

// meter counts the tokens of one answer from what the engine says in it. It never touches the bytes.
type meter struct {
	usage  tlb.Usage
	stated bool   // the engine itself has told its usage
	prompt uint64 // stands in for the engine's count until then
}

// chunk meters one JSON object: an event of a stream, or a whole answer. usageOnly tells that the object carries nothing
// but the usage (no choices), which is the extra event of stream_options.include_usage.
func (m *meter) chunk(data []byte) (usageOnly bool, err error) {
	if tooDeep(data, maxDepth) || !json.Valid(data) {
		return false, fmt.Errorf("%w: event is not JSON", ErrGarbage)
	}
	var usage, timings []byte
	choices, isChunk := 0, false
	for key, at := range members(data) {
		value := data[at.from:at.to]
		switch string(key) {
		case "choices":
			isChunk = isArray(value)
			for c := range elements(value) {
				choices++
				m.choice(value[c.from:c.to])
			}
		case "usage":
			usage = value
		case "timings":
			timings = value
		case "error":
			// The engine gives up in the middle of a stream. Its words pass to the client like any event.
			isChunk = isChunk || isObject(value)
		}
	}
	if !isChunk {
		return false, fmt.Errorf("%w: no choices in it", ErrGarbage)
	}
	stated, ok, err := readUsage(usage, timings)
	if err != nil {
		return false, err
	}
	if ok {
		m.usage, m.stated = stated, true
	} else if !m.stated {
		m.usage.Prompt = m.prompt
	}
	return choices == 0 && ok, nil
}

// choice counts one token if the choice brings text. An engine may put several tokens in one piece, so this is a lower
// estimate.
func (m *meter) choice(choice []byte) {
	text, reasoning := false, false
	for key, at := range members(choice) {
		value := choice[at.from:at.to]
		switch string(key) {
		case "text": // plain completions
			text = text || nonEmptyString(value)
		case "delta":
			for key, at := range members(value) {
				piece := value[at.from:at.to]
				switch string(key) {
				case "content", "refusal":
					text = text || nonEmptyString(piece)
				case "reasoning_content", "reasoning": // vLLM and SGLang; Ollama and newer vLLM
					reasoning = reasoning || nonEmptyString(piece)
				case "tool_calls":
					text = text || callsText(piece)
				}
			}
		}
	}
	if text || reasoning {
		m.usage.Completion++
	}
	if reasoning && !text {
		m.usage.Reasoning++
	}
}

// callsText tells whether some tool call in the list brings a piece of its arguments.
func callsText(calls []byte) bool {
	for c := range elements(calls) {
		call := calls[c.from:c.to]
		for key, at := range members(call) {
			if string(key) != "function" {
				continue
			}
			function := call[at.from:at.to]
			for key, at := range members(function) {
				if string(key) == "arguments" && nonEmptyString(function[at.from:at.to]) {
					return true
				}
			}
		}
	}
	return false
}

// readUsage reads an engine's usage object in any of the known dialects:
//
//	OpenAI, vLLM, Ollama  usage.prompt_tokens, .completion_tokens, .prompt_tokens_details.cached_tokens,
//	                      .completion_tokens_details.reasoning_tokens; details may be absent or null
//	SGLang                the same, but usage.reasoning_tokens
//	llama.cpp             the same; older ones only tell timings.cache_n, .prompt_n (without the cached), .predicted_n
//
// ok is false if the object says nothing, as null or absent.
func readUsage(usage, timings []byte) (u tlb.Usage, ok bool, err error) {
	if isObject(usage) {
		u, err = usageObject(usage)
		return u, err == nil, err
	}
	if !isObject(timings) {
		return tlb.Usage{}, false, nil
	}
	var fresh uint64
	found, err := readCounts(timings, map[string]*uint64{"cache_n": &u.Cached, "prompt_n": &fresh, "predicted_n": &u.Completion})
	if err != nil || !found["prompt_n"] || !found["predicted_n"] {
		return tlb.Usage{}, false, err
	}
	u.Prompt = u.Cached + fresh
	return u, true, nil
}

func usageObject(usage []byte) (u tlb.Usage, err error) {
	found, err := readCounts(usage, map[string]*uint64{
		"prompt_tokens": &u.Prompt, "completion_tokens": &u.Completion, "reasoning_tokens": &u.Reasoning,
	})
	if err != nil {
		return tlb.Usage{}, err
	}
	if !found["prompt_tokens"] {
		return tlb.Usage{}, fmt.Errorf("%w: usage without prompt_tokens", ErrGarbage)
	}
	for key, at := range members(usage) {
		switch string(key) {
		case "prompt_tokens_details":
			_, err = readCounts(usage[at.from:at.to], map[string]*uint64{"cached_tokens": &u.Cached})
		case "completion_tokens_details":
			_, err = readCounts(usage[at.from:at.to], map[string]*uint64{"reasoning_tokens": &u.Reasoning})
		}
		if err != nil {
			return tlb.Usage{}, err
		}
	}
	if u.Cached > u.Prompt || u.Reasoning > u.Completion {
		return tlb.Usage{}, fmt.Errorf("%w: usage with a part larger than its whole", ErrGarbage)
	}
	return u, nil
}

// readCounts fills the named counts from the members of an object and tells which it found. Null counts as absent.
func readCounts(object []byte, into map[string]*uint64) (map[string]bool, error) {
	found := make(map[string]bool, len(into))
	for key, at := range members(object) {
		target, value := into[string(key)], object[at.from:at.to]
		if target == nil || isNull(value) {
			continue
		}
		n, ok := count(value, maxUsage)
		if !ok {
			return nil, fmt.Errorf("%w: %s is no believable count", ErrGarbage, key)
		}
		*target, found[string(key)] = n, true
	}
	return found, nil
}
