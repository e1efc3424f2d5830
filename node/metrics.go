package node

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/tussah-network/tussah/p2p/attest/collateral"
	"github.com/tussah-network/tussah/tlb"
)

// metrics are a node's Prometheus series. No label comes from a caller: models
// are those that the registry lists or the configuration names.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	tokens   *prometheus.CounterVec
	nano     *prometheus.CounterVec

	mu struct {
		sync.Mutex
		receipts []Receipt // the newest last, up to twice as many as are shown
	}
}

// keptReceipts is how many receipts the admin listener can show.
const keptReceipts = 1000

func newMetrics(role Role) *metrics {
	labels := prometheus.Labels{"role": string(role)}
	counter := func(name, help string, by ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "tussah", Name: name, Help: help, ConstLabels: labels}, by)
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: counter("requests_total", "Requests that ended with a receipt.", "model", "end", "outcome"),
		tokens:   counter("tokens_total", "Model tokens in receipts.", "model", "end", "class"),
		nano:     counter("nano_total", "Cost in receipts, in nanoTON.", "model", "end"),
	}
	m.registry.MustRegister(m.requests, m.tokens, m.nano, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// watchCollateral shows how long collateral lasts, which is what to alert on: a
// node without any accepts nobody.
func (m *metrics) watchCollateral(s *collateral.Service) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "tussah", Name: "collateral_seconds_to_expiry",
			Help: "Until the first of the collateral in use expires."}, s.SecondsToExpiry),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: "tussah", Name: "collateral_refresh_failures_total",
			Help: "Collateral that could not be fetched or was refused."}, s.RefreshFailures))
}

func (m *metrics) served(model string, u tlb.Usage, cost tlb.Nano, failed error) {
	m.count("earning", model, u, cost, failed != nil)
}

func (m *metrics) bought(model string, u tlb.Usage, cost tlb.Nano, failed bool) {
	m.count("paying", model, u, cost, failed)
}

func (m *metrics) count(end, model string, u tlb.Usage, cost tlb.Nano, failed bool) {
	outcome := "complete"
	if failed {
		outcome = "broken_off"
	}
	m.requests.WithLabelValues(model, end, outcome).Inc()
	m.tokens.WithLabelValues(model, end, "prompt").Add(float64(u.Prompt))
	m.tokens.WithLabelValues(model, end, "completion").Add(float64(u.Completion))
	m.nano.WithLabelValues(model, end).Add(float64(cost))
}

// Receipt is a receipt as the admin listener shows it.
type Receipt struct {
	Time          time.Time `json:"time"`
	Request       string    `json:"request"`
	Model         string    `json:"model"`
	Proxy         string    `json:"proxy"`          // peer id
	ProxyImage    string    `json:"proxy_image"`    // what its evidence showed
	ProxyEvidence string    `json:"proxy_evidence"` // identity of that evidence
	ProxyAttested bool      `json:"proxy_attested"` // the receipt names that image and evidence
	WorkerKey     string    `json:"worker_key"`
	WorkerImage   string    `json:"worker_image"`
	Simulated     bool      `json:"simulated"` // evidence of a software enclave: proves nothing about hardware
	Usage         tlb.Usage `json:"usage"`
	Price         tlb.Price `json:"price"`
	Cost          tlb.Nano  `json:"cost"`
	Channel       string    `json:"channel"`
	Spent         tlb.Nano  `json:"spent"`
	Authorised    tlb.Nano  `json:"authorised"` // cumulative amount of the last voucher
	VoucherSeq    uint64    `json:"voucher_seq"`
	Complete      bool      `json:"complete"`
}

func (m *metrics) keep(r Receipt) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.mu.receipts) == 2*keptReceipts { // seldom, so that keeping one costs nothing
		m.mu.receipts = append(m.mu.receipts[:0], m.mu.receipts[keptReceipts:]...)
	}
	m.mu.receipts = append(m.mu.receipts, r)
}

func (m *metrics) receipts() []Receipt {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Receipt{}, m.mu.receipts[max(0, len(m.mu.receipts)-keptReceipts):]...)
}
