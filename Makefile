# demo  sets up a whole network in one process and runs one paid prompt through it
# test  runs every test (with the race detector where a C compiler is there)
# check is what a change must pass before it is committed
# bench and assurance write bench.json and assurance.json

GO   ?= go
RACE := $(if $(shell command -v $${CC:-cc} 2>/dev/null),-race)
KEEP ?=

.PHONY: demo test check bench assurance contracts cross

demo:
	$(GO) run ./cmd/tussah demo $(if $(KEEP),--keep)

test:
	$(GO) test $(RACE) -timeout 20m ./...

check: cross
	test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) mod tidy -diff
	$(MAKE) test
	test -z "$$(git status --porcelain)" || { git status --short; exit 1; }

bench:
	$(GO) run ./cmd/tussah bench

assurance:
	$(GO) run ./cmd/tussah assurance --suites

contracts:
	$(GO) run ./cmd/tussah contracts build

cross:
	for os in linux darwin windows; do for arch in amd64 arm64; do \
		CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch $(GO) build -o /dev/null ./cmd/tussah || exit 1; done; done
