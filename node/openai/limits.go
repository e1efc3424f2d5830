package openai

import "time"

const (
	// maxBody of a request: long chats with some images. OpenAI's own bound is near it.
	maxBody = 8 << 20
	// maxHeader of a request: a key and what SDKs add are below 4 KiB.
	maxHeader = 32 << 10
	// maxAnswer of a request that does not stream, since it is collected before it is sent.
	maxAnswer = 16 << 20

	// A client that sends or takes less than one part in this time is gone, or holds us up on purpose.
	readTimeout  = 30 * time.Second
	writeTimeout = 30 * time.Second

	// healthTimeout bounds the backend's answer to a health probe.
	healthTimeout = 2 * time.Second
)
