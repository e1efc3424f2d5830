package node

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Status is what the admin listener says of a node at /status.
type Status struct {
	Role       Role     `json:"role"`
	Peer       string   `json:"peer"`
	Addresses  []string `json:"addresses"`
	Network    int32    `json:"network"`
	Registry   string   `json:"registry"`
	Wallet     string   `json:"wallet"`
	Endpoint   string   `json:"endpoint,omitempty"` // of a client
	Image      string   `json:"image,omitempty"`
	Simulated  bool     `json:"simulated"`  // believes or shows evidence of a software enclave
	Compatible bool     `json:"compatible"` // peers may pass gate A alone: their evidence may be relayed
	// When the first of the collateral runs out; absent on a simulated network.
	CollateralUntil *time.Time `json:"collateral_until,omitempty"`
	Block           uint32     `json:"block"`
	BlockTime       time.Time  `json:"block_time"`
	Version         uint64     `json:"registry_version"`
	ChainProblem    string     `json:"chain_problem,omitempty"`
	Peers           []Linked   `json:"peers"`
	PendingSends    int        `json:"pending_sends"`
	OpenChannels    int        `json:"open_channels"`
	EngineHealthy   *bool      `json:"engine_healthy,omitempty"` // of a worker
}

// Linked is a peer as a status shows it.
type Linked struct {
	Peer    string    `json:"peer"`
	Role    string    `json:"role"`
	Heard   time.Time `json:"heard"`
	Models  []string  `json:"models"`
	Problem string    `json:"problem,omitempty"`

	Attested *Attested `json:"attested,omitempty"` // absent: it showed no evidence
}

// Attested is what was concluded from a peer's evidence.
type Attested struct {
	Gates      string    `json:"gates"` // A+B, or A for a peer let in by attestation.compatible
	TEE        string    `json:"tee"`
	Simulated  bool      `json:"simulated"` // by a software enclave: proves nothing about hardware
	Image      string    `json:"image"`
	Evidence   string    `json:"evidence"`
	Platform   string    `json:"platform"`
	TCB        string    `json:"tcb"`
	Advisories []string  `json:"advisories"`
	Epoch      uint64    `json:"policy_epoch"`
	At         time.Time `json:"at"`
	Until      time.Time `json:"until"`
}

// adminHandler serves metrics, status and control. It listens on loopback only,
// which browsers reach too: a foreign Host or any Origin is refused, and
// everything that changes something is a POST.
func (n *Node) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(n.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, n.Status()) })
	mux.HandleFunc("GET /channels", func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, n.Channels()) })
	mux.HandleFunc("GET /receipts", func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, n.Receipts()) })
	mux.HandleFunc("POST /channels/{channel}/close", n.closeChannel)
	return guardAdmin(mux)
}

func guardAdmin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			answerProblem(w, http.StatusForbidden, errors.New("the admin listener answers to loopback names only"))
			return
		}
		if r.Header.Get("Origin") != "" {
			answerProblem(w, http.StatusForbidden, errors.New("the admin listener is not for web pages"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (n *Node) closeChannel(w http.ResponseWriter, r *http.Request) {
	at, err := ParseAddress(r.PathValue("channel"))
	if err != nil {
		answerProblem(w, http.StatusBadRequest, err)
		return
	}
	err = n.Settle(r.Context(), at, r.URL.Query().Get("force") == "true")
	switch {
	case errors.Is(err, ErrNoChannel):
		answerProblem(w, http.StatusNotFound, err)
	case err != nil:
		answerProblem(w, http.StatusConflict, err)
	default:
		answerJSON(w, n.Channels())
	}
}

func answerJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the caller went away: nothing to tell it
}

func answerProblem(w http.ResponseWriter, code int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()})
}
