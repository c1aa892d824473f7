package main

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// A summary must show its quantiles and count what a histogram of its role would.
func TestSummaries(t *testing.T) {
	b := newWorker(t)
	b.play(time.Minute)
	families := b.scrape()
	requests := sum(families["http_requests_total"])
	for name, typical := range map[string]float64{"http_request_duration_seconds": 0.055, "payload_bytes": 2048} {
		if got := sum(families[name]); got != requests || got == 0 {
			t.Errorf("%s: %g observations of %g requests", name, got, requests)
		}
		var quantiles, values []float64
		for _, q := range families[name].GetMetric()[0].GetSummary().GetQuantile() {
			quantiles, values = append(quantiles, q.GetQuantile()), append(values, q.GetValue())
		}
		if !slices.Equal(quantiles, []float64{0.5, 0.9, 0.95, 0.99}) || !slices.IsSorted(values) || values[0] < typical/3 || values[0] > 3*typical {
			t.Errorf("%s: quantiles %v are %v", name, quantiles, values)
		}
	}
}

// Jobs must come at half the request rate, each timed once, hardly any failing.
func TestJobs(t *testing.T) {
	b := newWorker(t)
	b.play(5 * time.Minute)
	families := b.scrape()
	jobs := sum(families["jobs_total"])
	if rate := jobs / 300; rate < 4 || rate > 16 {
		t.Errorf("%g jobs a second, want about 10", rate)
	}
	if timed := sum(families["job_duration_seconds"]); timed != jobs {
		t.Errorf("%g jobs, %g timed", jobs, timed)
	}
	for _, queue := range []string{"mail", "index"} {
		if all, timed := sum(families["jobs_total"], "queue", queue), sum(families["job_duration_seconds"], "queue", queue); all != timed {
			t.Errorf("queue %s: %g jobs, %g timed", queue, all, timed)
		}
	}
	if seconds := mean(families["job_duration_seconds"]); seconds < 0.4 || seconds > 0.8 {
		t.Errorf("a job takes %g s, its median is 0.5 s", seconds)
	}
	if bad := sum(families["jobs_total"], "status", "failed") / jobs; bad > 0.01 {
		t.Errorf("%g of the jobs fail", bad)
	}
}

// Job durations must be observed even where no metric counts the jobs.
func TestJobsThatNobodyCounts(t *testing.T) {
	b := newWorker(t)
	svc := *b.sim.Service()
	svc.Metrics = slices.DeleteFunc(slices.Clone(svc.Metrics), func(m Metric) bool { return m.Role == "jobs" })
	b.sim.Replace(&svc)
	b.play(time.Minute)
	if got := sum(b.scrape()["job_duration_seconds"]); got < 240 || got > 960 {
		t.Errorf("%g observations in a minute, want about 600", got)
	}
}

// Series with a word for failures must be rare and stay so without a fault.
func TestBadWordsAreRare(t *testing.T) {
	b := newWorker(t)
	b.play(10 * time.Minute)
	families := b.scrape()
	for name, values := range map[string][]string{"mails_total": {"rejected", "timeout"}, "copied_bytes_total": {"error"}} {
		bad := 0.0
		for _, value := range values {
			bad += sum(families[name], "outcome", value)
		}
		if share := bad / sum(families[name]); share > 0.01 || share == 0 {
			t.Errorf("%s: %g is bad", name, share)
		}
	}
}

// The words must mean a failure where nothing else says so, and only there.
func TestBadWords(t *testing.T) {
	svc := &Service{StatusLabel: "code"}
	cases := []struct {
		role, kind, label, value string
		want                     bool
	}{
		{"jobs", "counter", "status", "Failed", true},
		{"job_duration", "histogram", "status", "timeout", true},
		{"generic", "counter", "result", "rejected", true},
		{"generic", "counter", "code", "503", true},
		{"generic", "histogram", "result", "rejected", false},
		{"errors", "counter", "reason", "timeout", false},
		{"requests", "counter", "code", "error", true},
		{"requests", "counter", "path", "error", false},
		{"jobs", "counter", "status", "completed", false},
	}
	for _, c := range cases {
		if got := svc.isFailure(Metric{Role: c.role, Type: c.kind}, c.label, c.value); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	svc.ErrorStatuses = []string{"500"}
	if svc.isError("error") {
		t.Error("a declared list of error statuses is not all")
	}
}

// The new gauges and the CPU counter must stand where such a service stands on a normal day.
func TestWorkerIsBelievable(t *testing.T) {
	b := newWorker(t)
	cpu, _ := b.grown(5*time.Minute, "process_cpu_seconds_total")
	if cores := cpu / 300; cores < 0.04 || cores > 0.24 {
		t.Errorf("%g cores, want about 0.12", cores)
	}
	for name, limits := range map[string][2]float64{
		"ws_connections": {60, 400}, "eventloop_lag_ms": {1, 12}, "heap_used_bytes": {36 << 20, 48 << 20},
	} {
		if got := b.shown(name); got < limits[0] || got > limits[1] {
			t.Errorf("%s is %g", name, got)
		}
	}
}

// Connections must be gone within two seconds, stay away, and be back within two.
func TestDisconnect(t *testing.T) {
	b := newWorker(t)
	b.play(time.Minute)
	usual := b.shown("ws_connections")
	b.must("PUT", "/demo/faults/disconnect", `{"ratio": 0.9, "for_seconds": 60}`)
	for _, wait := range []time.Duration{2 * time.Second, 50 * time.Second} {
		b.play(wait)
		if got := b.shown("ws_connections") / usual; got < 0.03 || got > 0.2 {
			t.Errorf("%g of the connections are left, want about 0.1", got)
		}
	}
	b.play(10 * time.Second)
	if got := b.shown("ws_connections") / usual; got < 0.4 {
		t.Errorf("%g of the connections after the fault", got)
	}
	b.must("PUT", "/demo/faults/disconnect", `{"ratio": 1}`)
	b.play(3 * time.Second)
	if got := b.shown("ws_connections"); got != 0 {
		t.Errorf("%g connections are left of none", got)
	}
	b.must("DELETE", "/demo/faults/disconnect", "")
	b.play(2 * time.Second)
	if got := b.shown("ws_connections") / usual; got < 0.4 {
		t.Errorf("%g of the connections after the fault was deleted", got)
	}
}

// The CPU counter must grow by exactly the cores asked for, and as usual afterwards.
func TestCPUFault(t *testing.T) {
	b := newWorker(t)
	b.must("PUT", "/demo/faults/cpu", `{"cores": 3.5}`)
	if got, _ := b.grown(time.Minute, "process_cpu_seconds_total"); math.Abs(got-210) > 0.001 {
		t.Errorf("%g CPU seconds in a minute, want 210", got)
	}
	b.must("DELETE", "/demo/faults/cpu", "")
	if got, _ := b.grown(time.Minute, "process_cpu_seconds_total"); got > 15 {
		t.Errorf("%g CPU seconds in the minute after the fault", got)
	}
}

// The asked for share of jobs and of generic counters must fail, of nothing else.
func TestJobsFailed(t *testing.T) {
	b := newWorker(t)
	share := func(name string, pairs ...string) float64 {
		before := b.scrape()[name]
		b.play(2 * time.Minute)
		after := b.scrape()[name]
		return (sum(after, pairs...) - sum(before, pairs...)) / (sum(after) - sum(before))
	}
	check := func(low, high float64) {
		t.Helper()
		for name, got := range map[string]float64{
			"jobs": share("jobs_total", "status", "failed"), "mails": 1 - share("mails_total", "outcome", "sent"),
			"bytes": share("copied_bytes_total", "outcome", "error"),
		} {
			if got < low || got > high {
				t.Errorf("%s: %g fails, want %g to %g", name, got, low, high)
			}
		}
		if got := share("http_requests_total", "code", "500"); got > 0.02 {
			t.Errorf("%g of the requests fail", got)
		}
	}
	b.must("PUT", "/demo/faults/jobs_failed", `{"ratio": 0.6}`)
	check(0.5, 0.7)
	b.must("DELETE", "/demo/faults/jobs_failed", "")
	check(0, 0.02)
}

// The lag must be shown in the gauge's own unit, from the next step to the end of the fault.
func TestLagFault(t *testing.T) {
	b := newWorker(t)
	b.must("PUT", "/demo/faults/lag", `{"seconds": 1.5, "for_seconds": 10}`)
	b.play(step)
	if got := b.shown("eventloop_lag_ms"); got != 1500 {
		t.Errorf("%g ms, want 1500", got)
	}
	b.play(10 * time.Second)
	if got := b.shown("eventloop_lag_ms"); got > 20 {
		t.Errorf("%g ms after the fault", got)
	}
}

// The fault leak must fill the heap, too.
func TestHeapLeaks(t *testing.T) {
	b := newWorker(t)
	b.must("PUT", "/demo/faults/leak", `{"bytes_per_second": 10000000}`)
	b.play(time.Minute)
	if got := b.shown("heap_used_bytes"); got < 6e8 || got > 7e8 {
		t.Errorf("%g bytes after a minute", got)
	}
	b.must("DELETE", "/demo/faults", "")
	b.play(step)
	if got := b.shown("heap_used_bytes"); got > 6e7 {
		t.Errorf("%g bytes after the fault", got)
	}
}

// Each new fault must be refused where no metric would show it.
func TestWorkerFaultsNeedMetrics(t *testing.T) {
	b := newWorker(t)
	svc := *b.sim.Service()
	svc.Metrics = []Metric{
		{Name: "up_seconds", Type: "gauge", Role: "uptime"},
		{Name: "jobs_total", Type: "counter", Role: "jobs", Labels: map[string][]string{"status": {"completed"}}},
		{Name: "jobs_failed_total", Type: "counter", Role: "generic", Labels: map[string][]string{"status": {"failed"}}},
	}
	b.sim.Replace(&svc)
	for name, body := range map[string]string{
		"disconnect": `{"ratio": 1}`, "cpu": `{"cores": 1}`, "lag": `{"seconds": 1}`, "jobs_failed": `{"ratio": 1}`,
		"leak": `{"bytes_per_second": 1}`,
	} {
		status, answer := b.call("PUT", "/demo/faults/"+name, body)
		if status != 400 || !strings.Contains(answer["error"].(string), "would change nothing") {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
	for path, want := range map[string]string{
		`cpu{"cores": 65}`: "cpu.cores: 65 is not between 0 and 64", `lag{}`: "lag: needs exactly one of [seconds]",
		`disconnect{"rato": 1}`: `disconnect.rato: unknown key, did you mean "ratio"?`,
	} {
		name, body, _ := strings.Cut(path, "{")
		if status, answer := b.call("PUT", "/demo/faults/"+name, "{"+body); status != 400 || !strings.Contains(answer["error"].(string), want) {
			t.Errorf("%s: %d %v", path, status, answer)
		}
	}
}

// A reload must keep what has not changed, the connections that are away among it, and take what is new.
func TestReloadOfWorker(t *testing.T) {
	b := newWorker(t)
	b.must("PUT", "/demo/faults/disconnect", `{"ratio": 1}`)
	b.must("PUT", "/demo/faults/value", `{"temperature": 7}`)
	b.play(time.Minute)
	before := b.scrape()
	b.reload = func() error {
		raw, err := os.ReadFile("testdata/worker.json")
		if err != nil {
			return err
		}
		changed := strings.Replace(string(raw), `"name": "heap_used_bytes"`, `"name": "heap_bytes"`, 1)
		spec, err := ParseSpec([]byte(strings.Replace(changed, "mail sent", "mail passed on", 1)))
		if err != nil {
			return err
		}
		b.sim.Replace(spec.Services["worker"])
		return b.logger.Reopen(spec.Services["worker"].Logs)
	}
	b.must("POST", "/demo/reload", "")
	after := b.scrape()
	for _, name := range []string{"jobs_total", "job_duration_seconds", "http_request_duration_seconds", "process_cpu_seconds_total"} {
		if sum(after[name]) != sum(before[name]) || sum(after[name]) == 0 {
			t.Errorf("%s went from %g to %g", name, sum(before[name]), sum(after[name]))
		}
	}
	if after["heap_used_bytes"] != nil || after["heap_bytes"] == nil || b.shown("ws_connections") != 0 || b.shown("temperature") != 7 {
		t.Errorf("heap %v, %g connections, %g degrees", after["heap_bytes"], b.shown("ws_connections"), b.shown("temperature"))
	}
	b.play(time.Minute)
	if !strings.Contains(strings.Join(b.logs.lines(), "\n"), "mail passed on") {
		t.Error("the new sample is not written")
	}
}
