package openai

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/tussah-network/tussah/tlb"
)

// modelAnswer is a model in OpenAI's schema, and what this network adds under one key of its own.
type modelAnswer struct {
	ID      string      `json:"id"`
	Object  string      `json:"object"`
	Created int64       `json:"created"`
	OwnedBy string      `json:"owned_by"`
	Tussah  modelTussah `json:"tussah"`
}

type modelTussah struct {
	Context uint64     `json:"context,omitempty"`
	Workers int        `json:"workers"`
	Price   modelPrice `json:"price_per_million_tokens"`
}

type modelPrice struct {
	Prompt     tlb.Nano `json:"prompt"`
	Cached     tlb.Nano `json:"cached"`
	Completion tlb.Nano `json:"completion"`
	Reasoning  tlb.Nano `json:"reasoning"`
}

func newModelAnswer(m Model) modelAnswer {
	return modelAnswer{
		ID: m.ID, Object: "model", OwnedBy: "tussah",
		Tussah: modelTussah{Context: m.Context, Workers: m.Workers, Price: modelPrice(m.Price)},
	}
}

func (h *Handler) listModels(e *exchange) error {
	models, err := h.backend.Models(e.r.Context())
	if err != nil {
		return err
	}
	data := make([]modelAnswer, 0, len(models)) // [], not null, if there are none
	for _, m := range models {
		data = append(data, newModelAnswer(m))
	}
	return e.json(http.StatusOK, map[string]any{"object": "list", "data": data})
}

func (h *Handler) oneModel(e *exchange, id string) error {
	models, err := h.backend.Models(e.r.Context())
	if err != nil {
		return err
	}
	for _, m := range models {
		if m.ID == id {
			return e.json(http.StatusOK, newModelAnswer(m))
		}
	}
	return fmt.Errorf("%w: nobody serves it now; %s lists what is served", ErrModelNotFound, pathModels)
}

// health is for load balancers and supervisors, so it needs no key, and tells no more than they need.
func (h *Handler) health(e *exchange) error {
	ctx, cancel := context.WithTimeout(e.r.Context(), healthTimeout)
	defer cancel()
	models, err := h.backend.Models(ctx)
	switch {
	case err != nil:
		return e.json(http.StatusServiceUnavailable, map[string]any{"status": "unavailable"})
	case len(models) == 0:
		return e.json(http.StatusServiceUnavailable, map[string]any{"status": "no models"})
	}
	return e.json(http.StatusOK, map[string]any{"status": "ok", "models": len(models)})
}

func (e *exchange) json(status int, answer any) error {
	text, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	return e.send(status, append(text, '\n'))
}
