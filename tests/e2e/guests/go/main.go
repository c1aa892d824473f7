// A service as people write them with client_golang and zap.
package main

import (
	"encoding/json"
	"math/rand"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"
)

// mode is what POST /-/mode says: the share of requests that fail, and seconds that each takes.
type mode struct {
	Fail  float64 `json:"fail"`
	Delay float64 `json:"delay"`
}

func main() {
	log := zap.Must(zap.NewProduction())
	var current atomic.Pointer[mode]
	current.Store(&mode{})
	requests := promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "http_requests_total", Help: "Requests.",
	}, []string{"code", "method"})
	duration := promauto.NewHistogramVec(prometheus.HistogramOpts{
		Name: "http_request_duration_seconds", Help: "How long requests take.",
	}, []string{"code", "method"})
	work := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := current.Load()
		time.Sleep(time.Duration(now.Delay * float64(time.Second)))
		trace := zap.String("trace_id", r.Header.Get("X-Trace-Id"))
		if rand.Float64() < now.Fail {
			log.Error("order failed", trace)
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		log.Info("order served", trace)
	})
	mux := http.NewServeMux()
	mux.Handle("GET /orders/{id}", promhttp.InstrumentHandlerDuration(duration,
		promhttp.InstrumentHandlerCounter(requests, work)))
	mux.Handle("GET /metrics", promhttp.Handler())
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /-/mode", func(w http.ResponseWriter, r *http.Request) {
		var next mode
		if err := json.NewDecoder(r.Body).Decode(&next); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		current.Store(&next)
	})
	port, err := strconv.Atoi(os.Getenv("PORT"))
	if err != nil {
		log.Fatal("PORT is no number", zap.Error(err))
	}
	log.Fatal("end", zap.Error(http.ListenAndServe(":"+strconv.Itoa(port), mux)))
}
