package main

import (
	"strings"
	"testing"
	"time"
)

// Every declared family must be there at the first scrape, errors with 0, beside those of the process.
func TestFirstScrapeIsComplete(t *testing.T) {
	b := newBench(t)
	families := b.scrape()
	for _, m := range b.sim.Service().Metrics {
		if families[m.Name] == nil {
			t.Errorf("%s is missing", m.Name)
		}
	}
	if families["process_open_fds"] == nil || families["go_info"] == nil {
		t.Error("standard metrics are missing")
	}
	errors := 0
	for _, m := range families["plue_http_requests_total"].GetMetric() {
		if matches(m, []string{"status", "500"}) {
			errors++
		}
	}
	if errors != 6 || sum(families["plue_http_requests_total"]) != 0 {
		t.Errorf("want 6 error series at 0, got %d", errors)
	}
}

// Counters must only grow and requests must come at about the declared rate, each one timed.
func TestTrafficIsBelievable(t *testing.T) {
	b := newBench(t)
	before := b.scrape()
	for range 10 {
		b.play(time.Minute)
		after := b.scrape()
		for name, family := range after {
			if strings.HasPrefix(name, "plue_") && strings.HasSuffix(name, "_total") && sum(family) < sum(before[name]) {
				t.Errorf("%s went from %g to %g", name, sum(before[name]), sum(family))
			}
		}
		before = after
	}
	requests := sum(before["plue_http_requests_total"])
	if rate := requests / 600; rate < 8 || rate > 32 {
		t.Errorf("%g requests a second, 20 declared", rate)
	}
	if timed := sum(before["plue_http_request_duration_ms"]); timed != requests {
		t.Errorf("%g requests, %g timed", requests, timed)
	}
	if ms := mean(before["plue_http_request_duration_ms"]); ms < 20 || ms > 150 {
		t.Errorf("mean duration %g ms", ms)
	}
	if ratio := sum(before["plue_http_requests_total"], "status", "500") / requests; ratio > 0.006 {
		t.Errorf("error ratio %g", ratio)
	}
	if up := sum(before["plue_uptime_seconds"]); up < 599 || up > 601 {
		t.Errorf("uptime %g after ten minutes", up)
	}
}

// The same seed and time must give the same numbers.
func TestSameSeedSameNumbers(t *testing.T) {
	a, b := newBench(t), newBench(t)
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, x := range []*bench{a, b} {
		x.sim.at, x.sim.started, x.now = now, now, now
		x.play(time.Minute)
	}
	first, second := a.scrape(), b.scrape()
	if one, two := sum(first["plue_http_requests_total"]), sum(second["plue_http_requests_total"]); one != two || one == 0 {
		t.Errorf("%g and %g requests", one, two)
	}
}

// A reload must keep the counters of metrics that did not change.
func TestReplaceKeepsCounters(t *testing.T) {
	b := newBench(t)
	b.play(time.Minute)
	before := sum(b.scrape()["plue_http_requests_total"])
	svc := *b.sim.Service()
	svc.Metrics = append([]Metric{}, svc.Metrics[1:]...)
	b.sim.Replace(&svc)
	after := b.scrape()
	if sum(after["plue_http_requests_total"]) != before || before == 0 {
		t.Errorf("%g became %g", before, sum(after["plue_http_requests_total"]))
	}
	if after["plue_uptime_seconds"] != nil {
		t.Error("a metric that is no longer declared is still served")
	}
}
