package main

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// Gauges must show the number told in all their series, others not, and go back when the time is over.
func TestValueFault(t *testing.T) {
	b := newWorker(t)
	b.play(time.Minute)
	usual, heap := b.shown("temperature"), b.shown("heap_used_bytes")
	b.must("PUT", "/demo/faults/value", `{"temperature": -12.5, "ws_connections": 31, "for_seconds": 20}`)
	for range 3 {
		b.play(5 * time.Second)
		for _, m := range b.scrape()["temperature"].GetMetric() {
			if m.GetGauge().GetValue() != -12.5 {
				t.Errorf("shows %v", m)
			}
		}
		if got := b.shown("ws_connections"); got != 31 {
			t.Errorf("%g connections", got)
		}
	}
	if got := b.shown("heap_used_bytes"); math.Abs(got/heap-1) > 0.1 {
		t.Errorf("a gauge that is not named goes from %g to %g", heap, got)
	}
	b.play(6 * time.Second)
	if got := b.shown("temperature"); math.Abs(got/usual-1) > 0.4 {
		t.Errorf("%g after the fault, %g before", got, usual)
	}
}

// Counters of every role must grow by exactly the number told, over their usual series, jobs still timed.
func TestRateFault(t *testing.T) {
	for _, name := range []string{
		"http_requests_total", "jobs_total", "process_cpu_seconds_total", "mails_total", "copied_bytes_total", "errors_total", "logins_total",
	} {
		t.Run(name, func(t *testing.T) {
			b := newWorker(t)
			usual, _ := b.grown(2*time.Minute, name)
			for _, c := range []struct{ rate, want float64 }{{0, 0}, {0.05, 6}, {7, 840}, {1e5, 1.2e7}} {
				b.must("PUT", "/demo/faults/rate", fmt.Sprintf(`{%q: %g}`, name, c.rate))
				b.play(step)
				got, _ := b.grown(2*time.Minute, name)
				if math.Abs(got-c.want) > 1+c.want*1e-9 {
					t.Errorf("grows by %g at %g a second, want %g", got, c.rate, c.want)
				}
			}
			b.must("DELETE", "/demo/faults/rate", "")
			b.play(step)
			if got, _ := b.grown(2*time.Minute, name); got > 3*usual+20 || usual > 10 && got < usual/3 {
				t.Errorf("grows by %g after the fault, %g before", got, usual)
			}
		})
	}
}

// A told rate must keep the usual shares, those of other faults included, and whole events; each job told is timed.
func TestRateFaultSpreads(t *testing.T) {
	b := newWorker(t)
	b.must("PUT", "/demo/faults/rate", `{"http_requests_total": 500, "jobs_total": 20}`)
	b.must("PUT", "/demo/faults/errors", `{"ratio": 0.25}`)
	b.play(time.Minute)
	families := b.scrape()
	if bad := sum(families["http_requests_total"], "code", "500") / sum(families["http_requests_total"]); bad < 0.2 || bad > 0.3 {
		t.Errorf("%g of the requests fail, want 0.25", bad)
	}
	for _, m := range families["http_requests_total"].GetMetric() {
		if value := m.GetCounter().GetValue(); value == 0 || value != math.Round(value) {
			t.Errorf("%v", m)
		}
	}
	if jobs, timed := sum(families["jobs_total"]), sum(families["job_duration_seconds"]); jobs != 1200 || timed != jobs {
		t.Errorf("%g jobs, %g timed", jobs, timed)
	}
}

// Every observation must have the value told while the fault lasts, as many as usual.
func TestObserveFault(t *testing.T) {
	for _, name := range []string{"http_request_duration_seconds", "payload_bytes", "job_duration_seconds"} {
		t.Run(name, func(t *testing.T) {
			b := newWorker(t)
			count, usual := b.grown(time.Minute, name)
			b.must("PUT", "/demo/faults/observe", `{"`+name+`": 4.25, "for_seconds": 60.1}`)
			told, got := b.grown(time.Minute, name)
			if math.Abs(got-4.25) > 1e-6 || told < count/3 || told > 3*count {
				t.Errorf("%g observations of %g, %g of %g without the fault", told, got, count, usual)
			}
			b.play(step)
			if _, got := b.grown(time.Minute, name); math.Abs(got/usual-1) > 0.4 {
				t.Errorf("%g after the fault, %g before", got, usual)
			}
		})
	}
}

// Every mistaken name must be refused at once with the nearest that can be meant.
func TestNamedFaultRefusals(t *testing.T) {
	b := newWorker(t)
	cases := []struct {
		path, body string
		want       []string
	}{
		{"value", `{"temprature": 1, "jobs_total": 2, "ws_connections": "x", "for_seconds": 0}`, []string{
			`value.temprature: service worker declares no such metric, did you mean "temperature"?`,
			`value.jobs_total: is a counter, not a gauge, did you mean "`, "value.ws_connections: must be a number, is a string",
			"value.for_seconds: 0 is not between 0.1 and 86400",
		}},
		{"value", `{"for_second": 3}`, []string{`value.for_second: service worker declares no such metric, did you mean "for_seconds"?`}},
		{"value", `{"for_seconds": 3}`, []string{"value: needs the name of at least one gauge (known: ws_connections"}},
		{"value", ``, []string{"value: needs the name"}},
		{"value", `[]`, []string{"value: must be an object, is a list"}},
		{"value", `{"temperature": null}`, []string{"value.temperature: must be a number, is absent"}},
		{"rate", `{"temperature": 1}`, []string{`rate.temperature: is a gauge, not a counter, did you mean "`}},
		{"rate", `{"jobs_total": -1}`, []string{"rate.jobs_total: -1 is not between 0 and"}},
		{"rate", `{"job_duration_seconds_count": 1}`, []string{"rate.job_duration_seconds_count: service worker declares no such metric"}},
		{"observe", `{"jobs_total": 1}`, []string{`observe.jobs_total: is a counter, not a histogram or summary, did you mean "`}},
		{"observe", `{"payload_byte": 1}`, []string{`observe.payload_byte: service worker declares no such metric, did you mean "payload_bytes"?`}},
	}
	for _, c := range cases {
		status, body := b.call("PUT", "/demo/faults/"+c.path, c.body)
		for _, want := range c.want {
			if status != 400 || !strings.Contains(body["error"].(string), want) {
				t.Errorf("%s %s: %d %v, want %q", c.path, c.body, status, body, want)
			}
		}
	}
	if listed := b.must("GET", "/demo/faults", "")["faults"].(map[string]any); len(listed) != 0 {
		t.Errorf("active after refusals: %v", listed)
	}
	svc := *b.sim.Service()
	svc.Metrics = svc.Metrics[:1]
	b.sim.Replace(&svc)
	if _, body := b.call("PUT", "/demo/faults/value", `{"x": 1}`); !strings.Contains(body["error"].(string), "service worker has no gauge at all") {
		t.Errorf("%v", body)
	}
}

// The active faults must be listed as they were put, the named ones as well, until they are deleted.
func TestNamedFaultsAreListed(t *testing.T) {
	b := newWorker(t)
	put := map[string]map[string]float64{
		"value": {"temperature": 7, "for_seconds": 60}, "rate": {"jobs_total": 0}, "observe": {"payload_bytes": 1},
		"disconnect": {"ratio": 0.5}, "cpu": {"cores": 2}, "jobs_failed": {"ratio": 0.1}, "lag": {"seconds": 1},
	}
	for name, params := range put {
		body, _ := json.Marshal(params)
		b.must("PUT", "/demo/faults/"+name, string(body))
	}
	listed := b.must("GET", "/demo/faults", "")["faults"].(map[string]any)
	if len(listed) != len(put) {
		t.Errorf("%v", listed)
	}
	for name, params := range put {
		entry, _ := listed[name].(map[string]any)
		for param, value := range params {
			if entry[param] != value {
				t.Errorf("%s.%s is %v, want %g", name, param, entry[param], value)
			}
		}
	}
	b.play(61 * time.Second)
	b.must("DELETE", "/demo/faults/rate", "")
	listed = b.must("GET", "/demo/faults", "")["faults"].(map[string]any)
	if listed["value"] != nil || listed["rate"] != nil || len(listed) != len(put)-2 {
		t.Errorf("%v", listed)
	}
	if left := b.must("DELETE", "/demo/faults", "")["faults"].(map[string]any); len(left) != 0 {
		t.Errorf("%v", left)
	}
}
