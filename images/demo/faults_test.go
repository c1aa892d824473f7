package main

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// Each fault must change what it names and give it back when it is cleared.
func TestFaultsChangeAndRecover(t *testing.T) {
	gauge := func(name string) func(b *bench) float64 {
		return func(b *bench) float64 {
			b.play(time.Minute)
			return sum(b.scrape()[name]) / float64(len(b.scrape()[name].GetMetric()))
		}
	}
	share := func(name string, pairs ...string) func(b *bench) float64 {
		return func(b *bench) float64 {
			before := b.scrape()
			b.play(2 * time.Minute)
			after := b.scrape()
			return (sum(after[name], pairs...) - sum(before[name], pairs...)) / (sum(after[name]) - sum(before[name]))
		}
	}
	slow := func(b *bench) float64 {
		before := b.scrape()["plue_http_request_duration_ms"]
		b.play(time.Minute)
		after := b.scrape()["plue_http_request_duration_ms"]
		return (mean(after)*sum(after) - mean0(mean(before), sum(before))) / (sum(after) - sum(before))
	}
	cases := []struct {
		fault, body    string
		measure        func(*bench) float64
		low, high, now float64 // limits while the fault lasts, upper limit without it
	}{
		{"errors", `{"ratio": 0.5}`, share("plue_http_requests_total", "status", "500"), 0.4, 0.6, 0.02},
		{"latency", `{"factor": 20}`, slow, 800, 5000, 150},
		{"latency", `{"seconds": 3}`, slow, 3000, 3500, 150},
		{"backlog", `{"depth": 20000}`, gauge("queue_depth"), 19000, 21000, 50},
		{"pool", `{"ratio": 0.96}`, gauge("db_connections_active"), 48, 48, 35},
		{"leak", `{"bytes_per_second": 10000000}`, gauge("process_resident_memory_bytes"), 5e8, 1e9, 2e8},
		{"leak", `{"bytes_per_second": 10000000}`, gauge("go_goroutines"), 50000, 100000, 100},
		{"auth_failures", `{"ratio": 0.9}`, share("plue_auth_attempts_total", "result", "failure"), 0.8, 1, 0.15},
	}
	for _, c := range cases {
		t.Run(c.fault+c.body, func(t *testing.T) {
			b := newBench(t)
			if usual := c.measure(b); usual > c.now {
				t.Fatalf("already %g without the fault", usual)
			}
			b.must("PUT", "/demo/faults/"+c.fault, c.body)
			if got := c.measure(b); got < c.low || got > c.high {
				t.Errorf("%g with the fault, want %g to %g", got, c.low, c.high)
			}
			b.must("DELETE", "/demo/faults/"+c.fault, "")
			if got := c.measure(b); got > c.now {
				t.Errorf("%g after the fault, want at most %g", got, c.now)
			}
		})
	}
}

// "down" must take away everything but the control interface, in both modes.
func TestDown(t *testing.T) {
	b := newBench(t)
	b.must("PUT", "/demo/faults/down", "")
	for _, path := range []string{"/metrics", "/health", "/"} {
		if status, _ := b.call("GET", path, ""); status != http.StatusServiceUnavailable {
			t.Errorf("%s answers %d", path, status)
		}
	}
	b.must("GET", "/demo/healthz", "")
	b.must("PUT", "/demo/faults/down", `{"mode": "hangup"}`)
	if answer, err := http.Get(b.web.URL + "/metrics"); err == nil {
		answer.Body.Close()
		t.Errorf("answers %s instead of hanging up", answer.Status)
	}
	b.must("DELETE", "/demo/faults", "")
	b.must("GET", "/health", "")
}

// A fault with a time must end by itself.
func TestFaultEndsByItself(t *testing.T) {
	b := newBench(t)
	listed := b.must("PUT", "/demo/faults/down", `{"for_seconds": 30}`)["faults"].(map[string]any)
	if listed["down"] == nil {
		t.Fatal("not active")
	}
	b.play(31 * time.Second)
	b.must("GET", "/health", "")
	if listed := b.must("GET", "/demo/faults", "")["faults"].(map[string]any); len(listed) != 0 {
		t.Errorf("still listed: %v", listed)
	}
}

// A fault that cannot be meant or would change nothing must be refused.
func TestFaultRefusals(t *testing.T) {
	b := newBench(t)
	cases := []struct{ path, body, want string }{
		{"eror", `{}`, `did you mean "errors"?`},
		{"errors", `{}`, "needs exactly one of [ratio]"},
		{"errors", `{"ratio": 2}`, "errors.ratio: 2 is not between 0 and 1"},
		{"errors", `{"rate": 0.5}`, `errors.rate: unknown key, did you mean "ratio"?`},
		{"latency", `{"factor": 2, "seconds": 1}`, "needs exactly one of [factor seconds]"},
		{"down", `{"mode": "off"}`, `down.mode: "off" is not known`},
		{"down", `{"for_seconds": "1m"}`, "down.for_seconds: must be a number"},
		{"leak", `[]`, "leak: must be an object"},
	}
	for _, c := range cases {
		status, body := b.call("PUT", "/demo/faults/"+c.path, c.body)
		if status/100 != 4 || !strings.Contains(body["error"].(string), c.want) {
			t.Errorf("%s %s: %d %v, want %q", c.path, c.body, status, body, c.want)
		}
	}
	svc := *b.sim.Service()
	svc.Metrics = svc.Metrics[:1]
	b.sim.Replace(&svc)
	if status, body := b.call("PUT", "/demo/faults/backlog", `{"depth": 5}`); status != 400 || !strings.Contains(body["error"].(string), "no metric of role") {
		t.Errorf("%d %v", status, body)
	}
}
