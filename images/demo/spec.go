package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Spec describes a system whose services this program imitates.
type Spec struct {
	System   string
	Services map[string]*Service
}

// Service is one imitated service.
type Service struct {
	Name          string
	Port          int
	MetricsPath   string
	Metrics       []Metric
	StatusLabel   string
	PathLabel     string
	ErrorStatuses []string
	Health        []string
	Logs          LogSpec
	RequestRate   float64 // requests per second, averaged over a day
	Traces        string  // address that takes spans (OTLP/HTTP), such as http://jaeger:4318/v1/traces; empty: none
}

// Metric is one declared metric family.
type Metric struct {
	Name     string
	Type     string
	Help     string
	Unit     string
	Labels   map[string][]string
	Role     string
	Buckets  []float64 // in the metric's own unit
	Baseline float64   // level of a gauge, rate of a counter, median of a histogram; 0: by role and unit
}

// LogSpec says how log lines are written: to stdout, and to a file where one is set.
type LogSpec struct {
	Format  string
	Fields  []string
	File    string
	Samples []map[string]any // lines that come now and then in place of a request's: strings and numbers by field
}

const (
	maxSeries    = 5000 // of one metric: more would only measure Prometheus
	maxSummaries = 500  // of one summary: each of its series takes 30 KiB
)

var (
	metricTypes = []string{"counter", "gauge", "histogram", "summary"}
	timers      = []string{"histogram", "summary"}
	// roleTypes lists what a role can be declared as.
	roleTypes = map[string][]string{
		"requests": {"counter"}, "errors": {"counter"}, "failures": {"counter"}, "duration": timers,
		"uptime": {"gauge", "counter"}, "active": {"gauge"}, "connections": {"gauge"}, "queue": {"gauge"},
		"jobs": {"counter"}, "job_duration": timers, "pool_active": {"gauge"}, "pool_max": {"gauge"}, "constant": {"gauge"}, "memory": {"gauge"},
		"heap": {"gauge"}, "cpu": {"counter"}, "goroutines": {"gauge"}, "lag": {"gauge"}, "generic": metricTypes,
	}
	ownLabels  = map[string]string{"histogram": "le", "summary": "quantile"}
	metricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
	labelName  = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	logFields  = []string{"level", "ts", "msg", "method", "path", "status", "duration_ms", "request_id", "trace_id", "user_id"}
)

// LoadSpec reads and checks a spec file; the error lists every problem, one a line.
func LoadSpec(file string) (*Spec, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return ParseSpec(raw)
}

// ParseSpec checks a spec document; paths in messages start at "spec".
func ParseSpec(raw []byte) (*Spec, error) {
	probs := &problems{}
	root, err := parseJSON(raw, "spec", probs)
	if err != nil {
		return nil, err
	}
	spec := &Spec{Services: map[string]*Service{}}
	if root.object("system", "services") {
		spec.System = root.key("system").text(true)
		if services := root.key("services"); services.set {
			names, nodes := services.children()
			for i, name := range names {
				spec.Services[name] = parseService(name, nodes[i])
			}
		} else {
			probs.add(services.path, "required")
		}
	}
	return spec, probs.err()
}

func parseService(name string, n node) *Service {
	s := &Service{Name: name}
	if !n.object("port", "metricsPath", "metrics", "statusLabel", "pathLabel", "errorStatuses", "health", "logs", "requestRate", "traces") {
		return s
	}
	if !n.key("port").set {
		n.probs.add(n.path+".port", "required")
	}
	s.Port = int(n.key("port").number(0, 1, 65535))
	s.MetricsPath = urlPath(n.key("metricsPath"), "/metrics")
	s.StatusLabel = n.key("statusLabel").text(false)
	s.PathLabel = n.key("pathLabel").text(false)
	s.ErrorStatuses = n.key("errorStatuses").texts()
	for _, item := range n.key("health").items() {
		s.Health = append(s.Health, urlPath(item, ""))
	}
	s.Logs = parseLogs(n.key("logs"))
	s.RequestRate = n.key("requestRate").number(20, 0, 2000)
	s.Traces = n.key("traces").text(false)
	if s.Traces != "" && !strings.HasPrefix(s.Traces, "http://") && !strings.HasPrefix(s.Traces, "https://") {
		n.probs.add(n.path+".traces", "%q must start with http:// or https://", s.Traces)
	}
	for _, item := range n.key("metrics").items() {
		s.Metrics = append(s.Metrics, parseMetric(item))
	}
	checkNames(s, n)
	checkStatuses(s, n)
	return s
}

func urlPath(n node, fallback string) string {
	if !n.set && fallback != "" {
		return fallback
	}
	path := n.text(true)
	if path != "" && !strings.HasPrefix(path, "/") {
		n.probs.add(n.path, "%q must start with /", path)
	}
	if strings.HasPrefix(path+"/", "/demo/") {
		n.probs.add(n.path, "%q: /demo/ is the control interface of this program", path)
	}
	return path
}

func parseLogs(n node) LogSpec {
	logs := LogSpec{Format: "json", Fields: logFields}
	if !n.set || !n.object("format", "fields", "file", "samples") {
		return logs
	}
	logs.Format = n.key("format").oneOf("json", "json", "logfmt")
	if fields := n.key("fields"); fields.set {
		logs.Fields = fields.texts()
	}
	logs.File = n.key("file").text(false)
	if logs.File != "" && !strings.HasPrefix(logs.File, "/") {
		n.probs.add(n.path+".file", "%q must be an absolute path", logs.File)
	}
	for _, item := range n.key("samples").items() {
		logs.Samples = append(logs.Samples, parseSample(item, logs.Fields))
	}
	return logs
}

// parseSample reads a log line by field: anything else than the declared fields, msg and level would never be seen.
func parseSample(n node, fields []string) map[string]any {
	sample, allowed := map[string]any{}, slices.Clone(fields)
	for _, name := range []string{"msg", "level"} {
		if !slices.Contains(allowed, name) {
			allowed = append(allowed, name)
		}
	}
	if !n.object(allowed...) {
		return sample
	}
	names, nodes := n.children()
	for i, name := range names {
		sample[name] = nodes[i].scalar()
	}
	sample["msg"] = n.key("msg").text(true)
	return sample
}

func parseMetric(n node) Metric {
	m := Metric{Labels: map[string][]string{}}
	if !n.object("name", "type", "help", "unit", "labels", "role", "buckets", "baseline") {
		return m
	}
	m.Name = n.key("name").text(true)
	if m.Name != "" && !metricName.MatchString(m.Name) {
		n.probs.add(n.path+".name", "%q is not a metric name", m.Name)
	}
	m.Type = n.key("type").oneOf("", metricTypes...)
	m.Help = n.key("help").text(false)
	m.Unit = n.key("unit").text(false)
	m.Role = n.key("role").oneOf("generic", sortedKeys(roleTypes)...)
	if types, ok := roleTypes[m.Role]; ok && m.Type != "" && !slices.Contains(types, m.Type) {
		n.probs.add(n.path+".role", "a metric of role %s must be a %s, is a %s", m.Role, strings.Join(types, " or "), m.Type)
	}
	m.Baseline = n.key("baseline").number(0, 0, 1e15)
	if (m.Role == "duration" || m.Role == "job_duration") && secondsPerUnit(m.Unit) == 0 {
		n.probs.add(n.path+".unit", "%q is not a unit of time (seconds, milliseconds, microseconds)", m.Unit)
	}
	parseBuckets(n.key("buckets"), &m)
	parseLabels(n.key("labels"), &m)
	return m
}

func parseBuckets(n node, m *Metric) {
	if n.set && m.Type != "histogram" {
		n.probs.add(n.path, "only a histogram has buckets")
	}
	for _, item := range n.items() {
		bound := item.number(0, 0, 1e15)
		if len(m.Buckets) > 0 && bound <= m.Buckets[len(m.Buckets)-1] {
			item.probs.add(item.path, "%g does not grow", bound)
		}
		m.Buckets = append(m.Buckets, bound)
	}
}

func parseLabels(n node, m *Metric) {
	if !n.set {
		return
	}
	names, nodes := n.children()
	series, limit := 1, maxSeries
	if m.Type == "summary" {
		limit = maxSummaries
	}
	for i, name := range names {
		if !labelName.MatchString(name) || strings.HasPrefix(name, "__") || name == ownLabels[m.Type] {
			n.probs.add(nodes[i].path, "%q cannot be a label here", name)
		}
		m.Labels[name] = nodes[i].texts()
		if len(m.Labels[name]) == 0 {
			n.probs.add(nodes[i].path, "needs at least one value")
		}
		series = min(series*len(m.Labels[name]), maxSeries+1)
	}
	if series > limit {
		n.probs.add(n.path, "more than %d series", limit)
	}
}

// checkNames refuses two families that would write the same series.
func checkNames(s *Service, n node) {
	owner := map[string]int{}
	for i, m := range s.Metrics {
		names := []string{m.Name}
		if slices.Contains(timers, m.Type) {
			names = append(names, m.Name+"_count", m.Name+"_sum")
		}
		if m.Type == "histogram" {
			names = append(names, m.Name+"_bucket")
		}
		for _, name := range names {
			if first, taken := owner[name]; taken && name != "" {
				n.probs.add(fmt.Sprintf("%s.metrics[%d].name", n.path, i), "%q is taken by metrics[%d]", name, first)
			}
			owner[name] = i
		}
	}
}

// checkStatuses refuses error statuses that no request counter can ever have.
func checkStatuses(s *Service, n node) {
	var known []string
	for _, m := range s.Metrics {
		if m.Role == "requests" {
			known = append(known, m.Labels[s.StatusLabel]...)
		}
	}
	for i, status := range s.ErrorStatuses {
		if len(known) > 0 && !slices.Contains(known, status) {
			n.probs.add(fmt.Sprintf("%s.errorStatuses[%d]", n.path, i), "%q is not a value of label %q of a request counter (%s)",
				status, s.StatusLabel, strings.Join(known, ", "))
		}
	}
}

// isError tells whether a status counts as an error; without a declared list, HTTP's 5xx and words for failures do.
func (s *Service) isError(status string) bool {
	if len(s.ErrorStatuses) > 0 {
		return slices.Contains(s.ErrorStatuses, status)
	}
	return len(status) == 3 && status[0] == '5' || isBad(status)
}

// secondsPerUnit gives the length of a unit of time, 0 for any other unit.
func secondsPerUnit(unit string) float64 {
	switch unit {
	case "seconds", "s":
		return 1
	case "milliseconds", "ms":
		return 1e-3
	case "microseconds", "us":
		return 1e-6
	}
	return 0
}
