package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	spanInterval = time.Second // between two traces of a service: enough to look at, little to keep
	spanTimeout  = 2 * time.Second
	spanBacklog  = 4 // traces that wait while the receiver is slow; more are dropped
	kindInternal = 1
	kindServer   = 2
	statusError  = 2
)

// Tracer sends the traces of some logged requests, by the trace_id of their log lines. It never waits and never fails:
// what the receiver does not take in time is dropped, as an agent of a real service would do it.
//
// Format: OTLP/HTTP with JSON, https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.
type Tracer struct {
	mu      sync.Mutex
	service string
	url     string // empty: nothing is sent
	next    time.Time
	queue   chan delivery
	once    sync.Once
}

type delivery struct {
	url  string
	body []byte
}

// NewTracer sends nothing until a service is declared that wants it.
func NewTracer() *Tracer { return &Tracer{queue: make(chan delivery, spanBacklog)} }

// Declare takes the declaration of a service; only one whose log lines have a trace_id is traced.
func (t *Tracer) Declare(svc *Service) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.service, t.url = svc.Name, ""
	if slices.Contains(svc.Logs.Fields, "trace_id") {
		t.url = svc.Traces
	}
}

// request sends the trace of a logged request that ended at `at`, at most one in each interval.
func (t *Tracer) request(at time.Time, line map[string]any, failed bool, seconds float64, rng *rand.Rand) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.url == "" || at.Before(t.next) {
		return
	}
	t.next = at.Add(spanInterval)
	body, err := json.Marshal(trace(t.service, at, line, failed, seconds, fmt.Sprintf("%016x", rng.Uint64())))
	if err != nil {
		return
	}
	t.once.Do(func() { go t.deliver() })
	select {
	case t.queue <- delivery{t.url, body}:
	default:
	}
}

func (t *Tracer) deliver() {
	client := &http.Client{Timeout: spanTimeout}
	for d := range t.queue {
		answer, err := client.Post(d.url, "application/json", bytes.NewReader(d.body))
		if err != nil {
			continue
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxBody)) // so that the connection is used again
		_ = answer.Body.Close()
	}
}

// trace is a request as a document of OTLP: the request itself, and the handler that took most of its time.
func trace(service string, at time.Time, line map[string]any, failed bool, seconds float64, child string) map[string]any {
	took := time.Duration(seconds * float64(time.Second))
	began := at.Add(-took)
	name := fmt.Sprintf("%v %v", line["method"], line["path"])
	root := span(line["trace_id"], line["span_id"], name, kindServer, began, at)
	root["attributes"] = []any{
		attribute("http.request.method", fmt.Sprint(line["method"])),
		attribute("url.path", fmt.Sprint(line["path"])),
		attribute("http.response.status_code", line["status"]),
	}
	if failed {
		root["status"] = map[string]any{"code": statusError, "message": line["msg"]}
	}
	handler := span(line["trace_id"], child, "handle "+name, kindInternal, began.Add(took/10), at.Add(-took/10))
	handler["parentSpanId"] = line["span_id"]
	return map[string]any{"resourceSpans": []any{map[string]any{
		"resource":   map[string]any{"attributes": []any{attribute("service.name", service)}},
		"scopeSpans": []any{map[string]any{"scope": map[string]any{"name": "demo"}, "spans": []any{root, handler}}},
	}}}
}

func span(trace, id any, name string, kind int, began, ended time.Time) map[string]any {
	return map[string]any{
		"traceId": trace, "spanId": id, "name": name, "kind": kind,
		"startTimeUnixNano": strconv.FormatInt(began.UnixNano(), 10), // 64-bit numbers are text in this encoding
		"endTimeUnixNano":   strconv.FormatInt(ended.UnixNano(), 10),
	}
}

func attribute(key string, value any) map[string]any {
	kind := map[string]any{"stringValue": fmt.Sprint(value)}
	if number, ok := value.(int); ok {
		kind = map[string]any{"intValue": strconv.Itoa(number)}
	}
	return map[string]any{"key": key, "value": kind}
}
