package main

import (
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	keptWebhooks = 1000
	maxBody      = 1 << 20
)

// notification is one stored Alertmanager webhook.
// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
type notification struct {
	ReceivedAt time.Time       `json:"received_at"`
	Payload    json.RawMessage `json:"payload"`
}

// Webhooks keeps the last notifications in memory.
type Webhooks struct {
	mu    sync.Mutex
	total int
	list  []notification
}

// ServeHTTP stores (POST), returns (GET) or clears (DELETE) notifications.
func (w *Webhooks) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	switch in.Method {
	case http.MethodPost:
		w.receive(out, in)
	case http.MethodGet:
		w.mu.Lock()
		defer w.mu.Unlock()
		reply(out, http.StatusOK, map[string]any{"total": w.total, "notifications": append([]notification{}, w.list...)})
	case http.MethodDelete:
		w.mu.Lock()
		defer w.mu.Unlock()
		w.list, w.total = nil, 0
		reply(out, http.StatusOK, map[string]any{"cleared": true})
	default:
		out.Header().Set("Allow", "GET, POST, DELETE")
		refuse(out, http.StatusMethodNotAllowed, "use GET, POST or DELETE")
	}
}

func (w *Webhooks) receive(out http.ResponseWriter, in *http.Request) {
	raw, err := io.ReadAll(http.MaxBytesReader(out, in.Body, maxBody))
	if err != nil {
		refuse(out, http.StatusRequestEntityTooLarge, err.Error())
		return
	}
	var shape struct {
		Alerts []json.RawMessage `json:"alerts"`
	}
	if err := json.Unmarshal(raw, &shape); err != nil || shape.Alerts == nil {
		refuse(out, http.StatusBadRequest, "not an Alertmanager webhook: needs a JSON object with a list of alerts")
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.total++
	w.list = append(w.list, notification{ReceivedAt: time.Now().UTC(), Payload: raw})
	if len(w.list) > keptWebhooks {
		w.list = w.list[len(w.list)-keptWebhooks:]
	}
	reply(out, http.StatusOK, map[string]any{"stored": len(w.list)})
}

func reply(out http.ResponseWriter, status int, body any) {
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(status)
	_ = json.NewEncoder(out).Encode(body)
}

func refuse(out http.ResponseWriter, status int, reason string) {
	reply(out, status, map[string]any{"error": reason})
}
