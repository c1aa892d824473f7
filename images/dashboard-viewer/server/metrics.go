package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

var bounds = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// metrics counts requests by hand, without a library.
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
type metrics struct {
	mu      sync.Mutex
	started time.Time
	seen    map[string]*timing
}

type timing struct {
	buckets []int
	count   int
	sum     float64
}

func newMetrics() *metrics { return &metrics{started: time.Now(), seen: map[string]*timing{}} }

// statusWriter remembers the status for the metrics.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets the reverse proxy flush.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (m *metrics) measure(pattern string, next http.HandlerFunc) http.Handler {
	_, handler, _ := strings.Cut(pattern, " ")
	return http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		started, writer := time.Now(), &statusWriter{ResponseWriter: out, status: http.StatusOK}
		defer func() { m.observe(handler, in.Method, writer.status, time.Since(started).Seconds()) }()
		next(writer, in)
	})
}

func (m *metrics) observe(handler, method string, status int, seconds float64) {
	if method != http.MethodGet && method != http.MethodPost && method != http.MethodHead {
		method = "OTHER" // a client must not make series
	}
	labels := fmt.Sprintf("handler=%q,method=%q,status_code=%q", handler, method, strconv.Itoa(status))
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.seen[labels]
	if t == nil {
		t = &timing{buckets: make([]int, len(bounds))}
		m.seen[labels] = t
	}
	t.count++
	t.sum += seconds
	for i, bound := range bounds {
		if seconds <= bound {
			t.buckets[i]++
		}
	}
}

func (s *Server) serveMetrics(out http.ResponseWriter, _ *http.Request) {
	out.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	datasources, dashboards := s.state.Snapshot()
	single(out, "grafana_build_info", "gauge", "What is running: a dashboard viewer, not Grafana.",
		fmt.Sprintf("{version=%q,edition=%q,goversion=%q}", programVersion, "viewer", runtime.Version()), 1)
	single(out, "grafana_stat_totals_dashboard", "gauge", "Dashboards served.", "", float64(len(dashboards)))
	byType := map[string]int{}
	for _, d := range datasources {
		byType[d.Type]++
	}
	head(out, "grafana_stat_total_datasources", "gauge", "Data sources served.")
	for _, kind := range sortedKeys(byType) {
		fmt.Fprintf(out, "grafana_stat_total_datasources{plugin_id=%q} %d\n", kind, byType[kind])
	}
	failed := 0.0
	if s.state.Complaint() != "" {
		failed = 1
	}
	single(out, "dashboard_viewer_provisioning_failed", "gauge", "1 while the dashboards on disk are refused.", "", failed)
	single(out, "dashboard_viewer_warnings", "gauge", "References to data sources that are not there.", "", float64(len(s.state.Warnings())))
	s.metrics.write(out)
	process(out, s.metrics.started)
}

func (m *metrics) write(out io.Writer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	const name = "grafana_http_request_duration_seconds"
	head(out, name, "histogram", "How long requests took.")
	for _, labels := range sortedKeys(m.seen) {
		t := m.seen[labels]
		for i, bound := range bounds {
			fmt.Fprintf(out, "%s_bucket{%s,le=\"%g\"} %d\n", name, labels, bound, t.buckets[i])
		}
		fmt.Fprintf(out, "%s_bucket{%s,le=\"+Inf\"} %d\n%s_sum{%s} %g\n%s_count{%s} %d\n", name, labels, t.count, name, labels, t.sum, name, labels, t.count)
	}
}

// process writes the basics that every exporter has.
func process(out io.Writer, started time.Time) {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	single(out, "go_goroutines", "gauge", "Goroutines.", "", float64(runtime.NumGoroutine()))
	single(out, "go_info", "gauge", "Go version.", fmt.Sprintf("{version=%q}", runtime.Version()), 1)
	single(out, "go_memstats_alloc_bytes", "gauge", "Bytes in use.", "", float64(memory.Alloc))
	single(out, "process_start_time_seconds", "gauge", "Start, in seconds since 1970.", "", float64(started.UnixMilli())/1000)
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) == nil {
		cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
		single(out, "process_cpu_seconds_total", "counter", "CPU time.", "", cpu.Seconds())
	}
	if raw, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := strings.Fields(string(raw)); len(fields) > 1 {
			pages, _ := strconv.ParseFloat(fields[1], 64)
			single(out, "process_resident_memory_bytes", "gauge", "Resident memory.", "", pages*float64(os.Getpagesize()))
		}
	}
	if entries, err := os.ReadDir("/proc/self/fd"); err == nil {
		single(out, "process_open_fds", "gauge", "Open files.", "", float64(len(entries)))
	}
}

func head(out io.Writer, name, kind, help string) {
	fmt.Fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func single(out io.Writer, name, kind, help, labels string, value float64) {
	head(out, name, kind, help)
	fmt.Fprintf(out, "%s%s %s\n", name, labels, strconv.FormatFloat(value, 'f', -1, 64))
}
