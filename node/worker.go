package node

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/tussah-network/tussah/node/engine"
	"github.com/tussah-network/tussah/p2p/session"
	"github.com/tussah-network/tussah/tlb"
)

// worker serves requests with an engine, and is paid by proxies.
type worker struct {
	cfg     WorkerConfig
	engine  *engine.Engine
	payees  *payees
	hello   func() session.Hello // without offers
	issuer  func(session.Peer) issuer
	image   func() [32]byte
	key     ed25519.PrivateKey // signs work: the identity that our evidence binds
	metrics *metrics
	log     *slog.Logger

	models  map[string]*served
	healthy atomic.Bool
}

// served is one offered model and how busy it is.
type served struct {
	ModelConfig
	running atomic.Int32
}

func (s *served) enter() bool {
	if s.running.Add(1) > int32(s.Slots) {
		s.running.Add(-1)
		return false
	}
	return true
}

func (s *served) leave() { s.running.Add(-1) }

var _ session.Handler = (*worker)(nil)

// introduction is the worker's hello with its current offers. A worker whose
// engine is down offers nothing.
func (w *worker) introduction() session.Hello {
	h := w.hello()
	h.Offers, _ = w.Offers(context.Background(), session.Peer{})
	return h
}

// probe watches the engine, until ctx ends.
func (w *worker) probe(ctx context.Context) error {
	defer w.engine.Close()
	ticker := time.NewTicker(2 * time.Second)
	defer ticker.Stop()
	for first := true; ; first = false {
		err := w.engine.Healthy(ctx)
		if was := w.healthy.Swap(err == nil); (was || first) && err != nil && ctx.Err() == nil {
			w.log.Warn("the engine does not answer; nothing is offered until it does", slog.Any("error", err))
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (w *worker) Hello(context.Context, session.Peer, session.Hello) (session.Hello, error) {
	return w.introduction(), nil
}

func (w *worker) Announce(ctx context.Context, p session.Peer, cfg tlb.ChannelConfig) (session.ChannelStatus, error) {
	return w.payees.announced(ctx, p, cfg)
}

func (w *worker) CloseChannel(_ context.Context, p session.Peer, at string) (tlb.SignedCoopClose, error) {
	return w.payees.consent(p, at)
}

func (w *worker) Offers(context.Context, session.Peer) ([]session.Offer, error) {
	if !w.healthy.Load() {
		return nil, nil
	}
	var offers []session.Offer
	for _, m := range w.models {
		offers = append(offers, session.Offer{Model: m.Name, Price: m.Price(), MaxContext: m.MaxContext, MaxTokens: m.MaxTokens,
			Slots: m.Slots, Running: uint32(m.running.Load()), TTL: offerTTL, Image: w.image()})
	}
	return offers, nil
}

// offerTTL is how long a price holds.
const offerTTL = time.Minute

// kinds are the requests that are served, and the engine's path for each.
var kinds = map[string]string{
	session.ChatCompletions: engine.PathChat,
	session.Completions:     engine.PathCompletions,
}

// Request implements session.Handler.
func (w *worker) Request(ctx context.Context, p session.Peer, in *session.Incoming) error {
	m, ok := w.models[in.Header.Model]
	if !ok {
		return session.ErrModelUnknown
	}
	path, ok := kinds[in.Header.Kind]
	if !ok {
		return &session.Error{Code: session.CodeBadRequest, Message: fmt.Sprintf("requests of kind %q are not served", in.Header.Kind)}
	}
	if !m.enter() {
		return session.ErrOverloaded
	}
	defer m.leave()
	b, err := w.payees.begin(ctx, p, in, m.Price(), time.Duration(w.cfg.Grace))
	if err != nil {
		return err
	}
	defer b.close()
	j := &job{worker: w, from: p, bill: b, in: in, transcript: sha256.New()}
	usage, err := j.serve(path, m)
	return j.end(usage, err)
}

// job is one request at the engine.
type job struct {
	worker     *worker
	from       session.Peer
	bill       *bill
	in         *session.Incoming
	transcript hash.Hash
	delivered  bool
}

// serve relays the engine's answer as far as it is paid for. The usage it returns
// is of what was delivered.
func (j *job) serve(path string, m *served) (tlb.Usage, error) {
	body, err := io.ReadAll(j.in.Body)
	if err != nil {
		return tlb.Usage{}, err
	}
	if body, err = j.check(body, m); err != nil {
		return tlb.Usage{}, &session.Error{Code: session.CodeBadRequest, Message: err.Error()}
	}
	if err := j.in.Accept(); err != nil {
		return tlb.Usage{}, err
	}
	answer, err := j.worker.engine.Do(j.bill.ctx, engine.Request{Path: path, Body: body, Stream: j.in.Header.Stream})
	if status, ok := errors.AsType[*engine.StatusError](err); ok {
		// The engine's own refusal goes to the client as it is. It costs nothing.
		if err := j.in.Head(session.Head{Status: status.Status, ContentType: "application/json"}); err != nil {
			return tlb.Usage{}, err
		}
		return tlb.Usage{}, j.deliver(status.Body(), tlb.Usage{})
	}
	if err != nil {
		return tlb.Usage{}, engineRefusal(err)
	}
	defer answer.Close()
	if err := j.in.Head(session.Head{Status: 200, ContentType: answer.ContentType}); err != nil {
		return tlb.Usage{}, err
	}
	var usage tlb.Usage
	for {
		part, err := answer.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return usage, engineRefusal(err)
		}
		if err := j.deliver(part.Bytes, part.Usage); err != nil {
			return usage, err
		}
		usage = part.Usage
	}
	final, err := answer.Final()
	if err != nil {
		return usage, engineRefusal(err)
	}
	return final, j.bill.charge(final)
}

// check holds the body against the header that was paid for.
func (j *job) check(body []byte, m *served) ([]byte, error) {
	h := j.in.Header
	fields, err := engine.ReadFields(body)
	switch {
	case err != nil:
		return nil, err
	case fields.Model != h.Model:
		return nil, errors.New("the body names another model than the header")
	case engine.PromptBound(body) > h.PromptBound:
		return nil, errors.New("the prompt is longer than the header says")
	case h.MaxTokens > uint64(m.MaxTokens)*fields.Choices:
		return nil, fmt.Errorf("at most %d completion tokens are offered", m.MaxTokens)
	}
	// The engine stops where the payment does.
	if body, err = engine.SetMaxTokens(body, h.MaxTokens/fields.Choices); err != nil {
		return nil, err
	}
	if m.EngineModel != "" {
		return engine.SetModel(body, m.EngineModel)
	}
	return body, nil
}

// deliver charges for bytes and sends them, in pieces that fit into a part.
func (j *job) deliver(data []byte, usage tlb.Usage) error {
	if err := j.bill.charge(usage); err != nil {
		return err
	}
	for len(data) > 0 {
		piece := data[:min(len(data), session.MaxPart)]
		data = data[len(piece):]
		j.transcript.Write(piece)
		j.delivered = true
		if err := j.in.Part(session.Part{Data: piece, Usage: usage, Spent: j.bill.stated}); err != nil {
			return err
		}
	}
	return nil
}

// end signs for what was delivered and says the terminal event.
func (j *job) end(usage tlb.Usage, failed error) error {
	if failed != nil && !j.delivered {
		return errors.Join(failed, j.bill.cancel())
	}
	who := j.worker.issuer(j.from)
	work := tlb.Work{Request: j.in.Header.ID, Model: tlb.ModelHash(j.in.Header.Model), Image: who.Image, Evidence: who.Evidence,
		Usage: usage, Transcript: [32]byte(j.transcript.Sum(nil))}
	signature, err := work.Sign(j.worker.key)
	if err != nil {
		return errors.Join(err, j.bill.cancel())
	}
	receipt, err := j.bill.finish(work, [32]byte(j.worker.key.Public().(ed25519.PublicKey)), signature, who)
	if err != nil {
		return err
	}
	j.worker.metrics.served(j.in.Header.Model, usage, receipt.Receipt.Cost, failed)
	return conclude(j.in, receipt, failed)
}

// conclude says the terminal event with a receipt. It counts as said even if the
// payer is gone: what was spent is on disk, and the payer learns it when it
// comes back.
func conclude(in *session.Incoming, receipt tlb.SignedReceipt, failed error) error {
	usage, cost := receipt.Receipt.Work.Usage, receipt.Receipt.Cost
	if failed == nil {
		return in.Done(session.Done{Usage: usage, Cost: cost, Receipt: receipt})
	}
	end := session.FailedBy(failed)
	end.Usage, end.Cost, end.Receipt = usage, cost, &receipt
	return in.Fail(end)
}

// engineRefusal maps the bridge's errors to the wire's.
func engineRefusal(err error) error {
	for _, m := range []struct {
		ours error
		code session.Code
		hint string
	}{
		{engine.ErrDown, session.CodeEngineDown, "try again; the worker's engine does not answer"},
		{engine.ErrGarbage, session.CodeEngineGarbage, "the worker's engine is not OpenAI-compatible, or broke off"},
		{engine.ErrNoUsage, session.CodeEngineNoUsage, "the worker's engine must report usage"},
	} {
		if errors.Is(err, m.ours) {
			return &session.Error{Code: m.code, Message: m.ours.Error(), Hint: m.hint}
		}
	}
	if field, ok := errors.AsType[*engine.FieldError](err); ok {
		return &session.Error{Code: session.CodeBadRequest, Message: field.Error()}
	}
	return err
}
