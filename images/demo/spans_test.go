package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// document is what of an OTLP document the tests look at.
type document struct {
	ResourceSpans []struct {
		Resource struct {
			Attributes []struct {
				Key   string
				Value struct{ StringValue string }
			}
		}
		ScopeSpans []struct{ Spans []sentSpan }
	}
}

type sentSpan struct {
	TraceID, SpanID, ParentSpanID      string
	Name                               string
	StartTimeUnixNano, EndTimeUnixNano string
	Status                             struct{ Code int }
}

// receiver takes spans and keeps them.
type receiver struct {
	mu    sync.Mutex
	found []document
}

func (r *receiver) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	raw, _ := io.ReadAll(in.Body)
	var d document
	if in.URL.Path != "/v1/traces" || in.Header.Get("Content-Type") != "application/json" || json.Unmarshal(raw, &d) != nil {
		out.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found = append(r.found, d)
}

func (r *receiver) documents() []document {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]document{}, r.found...)
}

// traced lets a bench send its spans to an address.
func (b *bench) traced(url string) {
	svc := *b.sim.Service()
	svc.Traces = url
	b.sim.Replace(&svc)
}

// until waits for a condition.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

// Every trace must have the trace_id of a log line, the name of its service, and a child within its parent.
func TestSpansCarryTheIdsOfLogLines(t *testing.T) {
	b, r := newBench(t), &receiver{}
	b.traced(newWeb(t, r).URL + "/v1/traces")
	b.play(2 * time.Second)
	until(t, "no span came", func() bool { return len(r.documents()) > 0 })
	all := strings.Join(b.logs.lines(), "\n")
	for _, d := range r.documents() {
		resource := d.ResourceSpans[0].Resource.Attributes[0]
		if resource.Key != "service.name" || resource.Value.StringValue != "api" {
			t.Errorf("%+v", resource)
		}
		spans := d.ResourceSpans[0].ScopeSpans[0].Spans
		root, child := spans[0], spans[1]
		if len(root.TraceID) != 32 || len(root.SpanID) != 16 || !strings.Contains(all, `"trace_id":"`+root.TraceID+`"`) {
			t.Errorf("no line has the trace %s", root.TraceID)
		}
		if child.TraceID != root.TraceID || child.ParentSpanID != root.SpanID || child.SpanID == root.SpanID {
			t.Errorf("%+v is no child of %+v", child, root)
		}
		if child.StartTimeUnixNano < root.StartTimeUnixNano || child.EndTimeUnixNano > root.EndTimeUnixNano || root.StartTimeUnixNano >= root.EndTimeUnixNano {
			t.Errorf("%+v is not within %+v", child, root)
		}
	}
}

// A failed request must be one in its trace too.
func TestSpansOfErrors(t *testing.T) {
	b, r := newBench(t), &receiver{}
	b.must("PUT", "/demo/faults/errors", `{"ratio": 1}`)
	b.traced(newWeb(t, r).URL + "/v1/traces")
	b.play(time.Second)
	until(t, "no span came", func() bool { return len(r.documents()) > 0 })
	if root := r.documents()[0].ResourceSpans[0].ScopeSpans[0].Spans[0]; root.Status.Code != statusError {
		t.Errorf("%+v", root)
	}
}

// No more than one trace a second must be queued, and none beyond the backlog while the receiver does not answer.
func TestSpansAreFew(t *testing.T) {
	b := newBench(t)
	tracer := b.sim.spans
	tracer.once.Do(func() {}) // nobody delivers
	b.traced("http://127.0.0.1:1/v1/traces")
	b.play(2 * time.Second)
	if n := len(tracer.queue); n < 1 || n > 3 {
		t.Errorf("%d traces in two seconds", n)
	}
	b.play(time.Minute)
	if n := len(tracer.queue); n != spanBacklog {
		t.Errorf("%d traces wait", n)
	}
}

// A receiver that is away, slow or unwilling must hold up nothing: lines are written as ever.
func TestSpansNeverBlock(t *testing.T) {
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(slow.Close)
	t.Cleanup(func() { close(release) })
	unwilling := newWeb(t, http.NotFoundHandler())
	for name, url := range map[string]string{"away": "http://127.0.0.1:1", "slow": slow.URL, "unwilling": unwilling.URL} {
		b := newBench(t)
		b.traced(url)
		began := time.Now()
		b.play(time.Minute)
		if took := time.Since(began); took > spanTimeout {
			t.Errorf("%s: a minute took %s", name, took)
		}
		if lines := len(b.logs.lines()); lines < 60 {
			t.Errorf("%s: %d lines", name, lines)
		}
	}
}

// A service without a trace_id in its lines, or without an address, must send nothing.
func TestNoSpans(t *testing.T) {
	b := newBench(t)
	tracer := b.sim.spans
	tracer.once.Do(func() {})
	b.play(5 * time.Second)
	svc := *b.sim.Service()
	svc.Traces, svc.Logs.Fields = "http://127.0.0.1:1", []string{"msg"}
	b.sim.Replace(&svc)
	b.play(5 * time.Second)
	if n := len(tracer.queue); n != 0 {
		t.Errorf("%d traces", n)
	}
}
