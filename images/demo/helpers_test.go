package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// safeBuffer takes log lines from any goroutine.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Split(strings.TrimSpace(b.buf.String()), "\n")
}

// bench is a demo whose clock the test moves.
type bench struct {
	t      *testing.T
	now    time.Time
	sim    *Sim
	faults *Faults
	logs   *safeBuffer
	logger *Logger
	server *Server
	web    *httptest.Server
	reload func() error
}

func newBench(t *testing.T) *bench {
	t.Helper()
	return openBench(t, "testdata/spec.json", "api")
}

// newWorker imitates a service that has what the other one lacks: jobs, connections, summaries.
func newWorker(t *testing.T) *bench {
	t.Helper()
	return openBench(t, "testdata/worker.json", "worker")
}

func openBench(t *testing.T, file, service string) *bench {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := ParseSpec(raw)
	if err != nil {
		t.Fatal(err)
	}
	// The simulation runs ahead of the real clock, so scrapes add nothing to what a test plays.
	b := &bench{t: t, now: time.Now().Add(time.Hour), logs: &safeBuffer{}}
	svc := spec.Services[service]
	logs, err := NewLogger(service, svc.Logs, b.logs)
	if err != nil {
		t.Fatal(err)
	}
	b.faults = NewFaults(func() time.Time { return b.now })
	b.sim = NewSim(spec.System, svc, b.faults, logs, b.now)
	b.logger = logs
	b.server = NewServer(b.sim, b.faults, logs, func() error { return b.reload() })
	b.web = newWeb(t, b.server)
	return b
}

// play moves the simulation; faults with a time end on the way.
func (b *bench) play(d time.Duration) {
	for end := b.now.Add(d); b.now.Before(end); {
		b.now = b.now.Add(step)
		b.sim.Advance(b.now)
	}
}

func (b *bench) call(method, path, body string) (int, map[string]any) {
	b.t.Helper()
	in, _ := http.NewRequest(method, b.web.URL+path, strings.NewReader(body))
	answer, err := http.DefaultClient.Do(in)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	raw, _ := io.ReadAll(answer.Body)
	out := map[string]any{}
	_ = json.Unmarshal(raw, &out)
	return answer.StatusCode, out
}

func (b *bench) must(method, path, body string) map[string]any {
	b.t.Helper()
	status, out := b.call(method, path, body)
	if status != http.StatusOK {
		b.t.Fatalf("%s %s: %d %v", method, path, status, out)
	}
	return out
}

func (b *bench) scrape() map[string]*dto.MetricFamily {
	b.t.Helper()
	answer, err := http.Get(b.web.URL + "/metrics")
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	families, err := new(expfmt.TextParser).TextToMetricFamilies(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return families
}

// sum adds the values of a family; with pairs, only of the series with these labels.
func sum(family *dto.MetricFamily, pairs ...string) float64 {
	total := 0.0
	for _, m := range family.GetMetric() {
		if matches(m, pairs) {
			total += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount()+m.GetSummary().GetSampleCount())
		}
	}
	return total
}

func matches(m *dto.Metric, pairs []string) bool {
	for i := 0; i < len(pairs); i += 2 {
		found := false
		for _, label := range m.GetLabel() {
			found = found || label.GetName() == pairs[i] && label.GetValue() == pairs[i+1]
		}
		if !found {
			return false
		}
	}
	return true
}

func mean(family *dto.MetricFamily) float64 {
	total, count := 0.0, 0.0
	for _, m := range family.GetMetric() {
		total += m.GetHistogram().GetSampleSum() + m.GetSummary().GetSampleSum()
		count += float64(m.GetHistogram().GetSampleCount() + m.GetSummary().GetSampleCount())
	}
	return total / count
}

// mean0 gives 0 for nothing.
func mean0(mean, count float64) float64 {
	if count == 0 {
		return 0
	}
	return mean * count
}

// grown plays and tells by how much each family grew, and the mean of what was observed meanwhile.
func (b *bench) grown(d time.Duration, name string, pairs ...string) (growth, observed float64) {
	b.t.Helper()
	before := b.scrape()[name]
	b.play(d)
	after := b.scrape()[name]
	growth = sum(after, pairs...) - sum(before, pairs...)
	return growth, (mean0(mean(after), sum(after)) - mean0(mean(before), sum(before))) / growth
}

// shown is the mean of a gauge's series.
func (b *bench) shown(name string) float64 {
	b.t.Helper()
	family := b.scrape()[name]
	return sum(family) / float64(len(family.GetMetric()))
}

func newWeb(t *testing.T, handler http.Handler) *httptest.Server {
	t.Helper()
	web := httptest.NewServer(handler)
	t.Cleanup(web.Close)
	return web
}
