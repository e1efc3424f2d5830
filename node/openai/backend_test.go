package openai

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/tussah-network/tussah/node/engine"
	"github.com/tussah-network/tussah/tlb"
)

// fakeBackend is a backend of funcs.
type fakeBackend struct {
	models   func(context.Context) ([]Model, error)
	complete func(context.Context, Request) (Answer, error)
}

func (b fakeBackend) Models(ctx context.Context) ([]Model, error) {
	if b.models == nil {
		return []Model{{ID: "m", Context: 512, Workers: 2, Price: tlb.Price{Prompt: 20_000_000, Completion: 160_000_000}}}, nil
	}
	return b.models(ctx)
}

func (b fakeBackend) Complete(ctx context.Context, q Request) (Answer, error) {
	return b.complete(ctx, q)
}

// answering returns a backend that always gives the same answer.
func answering(a fakeAnswer) fakeBackend {
	return fakeBackend{complete: func(ctx context.Context, q Request) (Answer, error) {
		answer := a
		answer.ctx = ctx
		if answer.head == (Head{}) {
			answer.head = Head{Status: http.StatusOK, Stream: q.Stream}
		}
		return &answer, nil
	}}
}

// fakeAnswer hands out its parts and then its end.
type fakeAnswer struct {
	ctx   context.Context
	head  Head
	parts []string
	end   error           // io.EOF if nil
	wait  <-chan struct{} // if set, the second part waits for it
	final Final
	noRcp bool // there is no receipt

	next int
}

func (a *fakeAnswer) Head() Head { return a.head }

func (a *fakeAnswer) Next() ([]byte, error) {
	if a.next == 1 && a.wait != nil {
		select {
		case <-a.wait:
		case <-a.ctx.Done():
			return nil, errors.New("the session broke") // not even the context's error
		}
	}
	if a.next == len(a.parts) {
		if a.end != nil {
			return nil, a.end
		}
		return nil, io.EOF
	}
	a.next++
	return []byte(a.parts[a.next-1]), nil
}

func (a *fakeAnswer) Final() (Final, error) {
	if a.noRcp {
		return Final{}, errors.New("no receipt came")
	}
	return a.final, nil
}

func (a *fakeAnswer) Close() error { return nil }

// engineBackend serves straight from an engine, without network or payment between.
type engineBackend struct{ *engine.Engine }

func (b engineBackend) Models(ctx context.Context) ([]Model, error) {
	models, err := b.Engine.Models(ctx)
	var all []Model
	for _, m := range models {
		all = append(all, Model{ID: m.ID, Context: m.Context, Workers: 1})
	}
	return all, err
}

func (b engineBackend) Complete(ctx context.Context, q Request) (Answer, error) {
	body, err := engine.SetMaxTokens(q.Body, q.MaxTokens)
	if err != nil {
		return nil, err
	}
	r, err := b.Do(ctx, engine.Request{Path: q.Path, Body: body, Stream: q.Stream})
	if err != nil {
		return nil, err
	}
	return engineAnswer{r, q.Stream}, nil
}

type engineAnswer struct {
	*engine.Response
	stream bool
}

func (a engineAnswer) Head() Head { return Head{Status: http.StatusOK, Stream: a.stream} }

func (a engineAnswer) Next() ([]byte, error) {
	part, err := a.Response.Next()
	return part.Bytes, err
}

func (a engineAnswer) Final() (Final, error) {
	usage, err := a.Response.Final()
	return Final{Usage: usage, Cost: tlb.Nano(usage.Prompt + usage.Completion)}, err
}

// demoBackend is an engineBackend over the demo engine.
func demoBackend(t *testing.T) Backend {
	server := httptest.NewServer(&engine.Demo{})
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return engineBackend{engine.New(base, engine.Options{})}
}

// serve runs the handler in the server it is made for.
func serve(t *testing.T, b Backend, o Options) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.Config = NewServer(NewHandler(b, o))
	server.Start()
	t.Cleanup(server.Close)
	return server
}
