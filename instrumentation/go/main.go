// Orders, as an example of a service that is watched: it asks another service, where STOCK_URL names one.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	finish  = 4 * time.Second // with the rest less than a stop's usual 10 seconds
	flush   = 2 * time.Second
	timeout = 5 * time.Second
)

// service is what its handlers share.
type service struct {
	stock    string
	client   http.Client
	stopping atomic.Bool
}

func main() {
	configureLogs()
	if err := run(); err != nil {
		slog.Error("cannot go on", "error", err)
		os.Exit(1)
	}
}

// run serves until a signal: then it is first not ready, then takes no new requests, then answers those that are
// there, then sends their spans.
func run() error {
	drain, err := time.ParseDuration(cmp.Or(os.Getenv("DRAIN_SECONDS"), "3") + "s")
	if err != nil {
		return fmt.Errorf("DRAIN_SECONDS: %w", err)
	}
	ctx, restore := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer restore()
	flushSpans, err := configureSpans(ctx)
	if err != nil {
		return err
	}
	s := &service{
		stock:  os.Getenv("STOCK_URL"),
		client: http.Client{Timeout: timeout, Transport: tracedTransport{http.DefaultTransport}},
	}
	server := &http.Server{
		Addr: ":" + cmp.Or(os.Getenv("PORT"), "8081"), Handler: s.routes(), ReadHeaderTimeout: timeout,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	slog.Info("listening", "address", server.Addr)
	select {
	case err := <-failed: // such as a port that is taken
		return err
	case <-ctx.Done():
	}
	restore() // a second signal ends it at once
	s.stopping.Store(true)
	slog.Info("stopping")
	time.Sleep(drain) // in which whoever sends requests learns that it is not ready
	err = within(finish, server.Shutdown)
	if lost := within(flush, flushSpans); lost != nil {
		slog.Warn("spans are lost", "error", lost)
	}
	slog.Info("stopped")
	return err
}

func within(limit time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return do(ctx)
}

func (s *service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.Handler())
	mux.HandleFunc("GET /livez", s.checkAlive)
	mux.HandleFunc("GET /readyz", s.checkReady)
	mux.HandleFunc("GET /health", s.checkHealth)
	mux.Handle("GET /orders/{number}", watch(s.showOrder))
	mux.Handle("/", watch(func(w http.ResponseWriter, _ *http.Request) error {
		return reply(w, http.StatusNotFound, map[string]any{"error": "not found"})
	}))
	return mux
}

// -- health ----------------------------------------------------------------------------------------------------------

// checkAlive says whether to restart it: it calls no dependency, as a restart helps none.
func (s *service) checkAlive(w http.ResponseWriter, _ *http.Request) {
	_ = reply(w, http.StatusOK, map[string]any{"status": "ok"})
}

// checkReady says whether to send requests to it.
func (s *service) checkReady(w http.ResponseWriter, _ *http.Request) {
	ready, status := !s.stopping.Load(), http.StatusOK
	if !ready {
		status = http.StatusServiceUnavailable
	}
	_ = reply(w, status, map[string]any{"ready": ready})
}

// checkHealth says what is wrong, for people and their alerts.
func (s *service) checkHealth(w http.ResponseWriter, r *http.Request) {
	checks := map[string]string{"stock": s.checkStock(r.Context())}
	said, status := "ok", http.StatusOK
	for _, check := range checks {
		if check != "ok" {
			said, status = "failing", http.StatusServiceUnavailable
		}
	}
	_ = reply(w, status, map[string]any{"status": said, "checks": checks})
}

// checkStock says whether the other service answers at all; what it answers to orders is seen in their metrics.
func (s *service) checkStock(ctx context.Context) string {
	if s.stock == "" {
		return "ok"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.stock+"/livez", nil)
	if err != nil {
		return err.Error()
	}
	answer, err := (&http.Client{Timeout: 2 * time.Second}).Do(r) // not s.client: this is no part of a trace
	if err != nil {
		return err.Error()
	}
	_ = answer.Body.Close()
	if answer.StatusCode >= http.StatusInternalServerError {
		return answer.Status
	}
	return "ok"
}

// -- what it is for --------------------------------------------------------------------------------------------------

// showOrder answers an order, and what is in stock for it.
func (s *service) showOrder(w http.ResponseWriter, r *http.Request) error {
	number, err := strconv.Atoi(r.PathValue("number"))
	if err != nil {
		return reply(w, http.StatusNotFound, map[string]any{"error": "no such order"})
	}
	stock, err := s.readStock(r.Context(), number)
	if err != nil {
		return fmt.Errorf("stock of order %d: %w", number, err)
	}
	return reply(w, http.StatusOK, map[string]any{"number": number, "stock": stock})
}

// readStock is what is in stock for an order, or nil where no other service knows.
func (s *service) readStock(ctx context.Context, number int) (any, error) {
	if s.stock == "" {
		return nil, nil
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/orders/%d", s.stock, number), nil)
	if err != nil {
		return nil, err
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", r.URL, answer.Status)
	}
	var stock any
	err = json.NewDecoder(answer.Body).Decode(&stock)
	return stock, err
}

func reply(w http.ResponseWriter, status int, body any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(body)
}
