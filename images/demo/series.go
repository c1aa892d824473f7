package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// combo is one set of label values of a metric.
type combo struct {
	values []string // in the order of family.labels
	weight float64
	failed bool
	state  float64 // where a gauge stands now
}

// family is a declared metric, its live series and how likely each of them is.
type family struct {
	Metric
	labels    []string
	combos    []*combo
	good, bad picker
	counter   *prometheus.CounterVec
	gauge     *prometheus.GaugeVec
	observer  prometheus.ObserverVec // a histogram or summary
	owed      float64                // parts of an event of the fault rate
}

// picker draws combos by their weight.
type picker struct {
	combos []*combo
	sums   []float64
}

func (p *picker) add(c *combo) {
	last := 0.0
	if len(p.sums) > 0 {
		last = p.sums[len(p.sums)-1]
	}
	p.combos = append(p.combos, c)
	p.sums = append(p.sums, last+c.weight)
}

func (p *picker) draw(rng *rand.Rand) *combo {
	if len(p.combos) == 0 {
		return nil
	}
	i := sort.SearchFloat64s(p.sums, rng.Float64()*p.sums[len(p.sums)-1])
	return p.combos[min(i, len(p.combos)-1)]
}

// share splits an amount over the combos by their weight.
func (p *picker) share(amount float64, add func(*combo, float64)) {
	if amount <= 0 {
		return
	}
	for _, c := range p.combos {
		add(c, amount*c.weight/p.sums[len(p.sums)-1])
	}
}

// newFamily builds the series of a metric, every plausible one present from the start.
func newFamily(svc *Service, m Metric) *family {
	f := &family{Metric: m, labels: sortedKeys(m.Labels)}
	switch m.Type {
	case "counter":
		f.counter = prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.Name, Help: m.Help}, f.labels)
	case "gauge":
		f.gauge = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: m.Name, Help: m.Help}, f.labels)
	case "summary":
		f.observer = newSummary(m, f.labels)
	default:
		f.observer = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: m.Name, Help: m.Help, Buckets: bucketsOf(m)}, f.labels)
	}
	f.expand(svc, make([]string, len(f.labels)), 0, 1, plausible)
	if len(f.combos) == 0 {
		f.expand(svc, make([]string, len(f.labels)), 0, 1, func(*Service, []string, []string) bool { return true })
	}
	for _, c := range f.combos {
		if c.failed {
			f.bad.add(c)
		} else {
			f.good.add(c)
		}
		f.touch(c.values)
	}
	return f
}

// newSummary forgets after one to two minutes, so that the end of a fault shows; two age buckets save memory.
func newSummary(m Metric, labels []string) prometheus.ObserverVec {
	return prometheus.NewSummaryVec(prometheus.SummaryOpts{
		Name: m.Name, Help: m.Help, MaxAge: 2 * time.Minute, AgeBuckets: 2, BufCap: 100,
		Objectives: map[float64]float64{0.5: 0.05, 0.9: 0.01, 0.95: 0.005, 0.99: 0.001},
	}, labels)
}

func (f *family) collector() prometheus.Collector {
	switch {
	case f.counter != nil:
		return f.counter
	case f.gauge != nil:
		return f.gauge
	default:
		return f.observer
	}
}

func (f *family) touch(values []string) {
	switch {
	case f.counter != nil:
		f.counter.WithLabelValues(values...)
	case f.gauge != nil:
		f.gauge.WithLabelValues(values...)
	default:
		f.observer.WithLabelValues(values...)
	}
}

func (f *family) expand(svc *Service, values []string, i int, weight float64, keep func(*Service, []string, []string) bool) {
	if i == len(f.labels) {
		c := &combo{values: slices.Clone(values), weight: weight, failed: f.failed(svc, values)}
		if keep(svc, f.labels, values) {
			f.combos = append(f.combos, c)
		}
		return
	}
	for rank, value := range f.Labels[f.labels[i]] {
		values[i] = value
		f.expand(svc, values, i+1, weight*likelihood(svc, f.labels[i], value, rank), keep)
	}
}

// failed tells whether a combination stands for a failure: by status, by outcome for attempts, by a word for jobs and such.
func (f *family) failed(svc *Service, values []string) bool {
	outcome := f.outcomeLabel()
	for i, label := range f.labels {
		if f.Role == "failures" {
			if i == outcome && !isSuccess(values[i]) {
				return true
			}
		} else if svc.isFailure(f.Metric, label, values[i]) {
			return true
		}
	}
	return f.Role == "failures" && outcome < 0
}

// outcomeLabel finds the label that says how an attempt ended, -1 if there is none.
func (f *family) outcomeLabel() int {
	return slices.IndexFunc(f.labels, func(label string) bool { return slices.ContainsFunc(f.Labels[label], isSuccess) })
}

func isSuccess(value string) bool {
	return slices.Contains([]string{"success", "succeeded", "ok", "passed", "allowed", "true"}, strings.ToLower(value))
}

// isFailure tells whether a label value stands for a failure of what the metric counts.
func (s *Service) isFailure(m Metric, label, value string) bool {
	byWord := m.Role == "jobs" || m.Role == "job_duration" || m.Role == "generic" && m.Type == "counter"
	return label == s.StatusLabel && s.isError(value) || byWord && isBad(value)
}

// canFail tells whether a metric has both kinds of combinations, good and bad ones.
func (s *Service) canFail(m Metric) bool {
	bad, good := false, true
	for label, values := range m.Labels {
		failure := func(value string) bool { return s.isFailure(m, label, value) }
		bad = bad || slices.ContainsFunc(values, failure)
		good = good && slices.ContainsFunc(values, func(value string) bool { return !failure(value) })
	}
	return bad && good
}

func isBad(value string) bool {
	return slices.Contains([]string{"error", "failed", "failure", "timeout", "rejected", "fail"}, strings.ToLower(value))
}

// plausible drops combinations that a real service would hardly ever write.
func plausible(svc *Service, labels, values []string) bool {
	method, path, status := "", "", ""
	for i, label := range labels {
		switch label {
		case "method":
			method = values[i]
		case svc.PathLabel:
			path = values[i]
		case svc.StatusLabel:
			status = values[i]
		}
	}
	if method == "GET" && slices.Contains([]string{"201", "202", "204"}, status) {
		return false
	}
	probe := path != "" && (slices.Contains(svc.Health, path) || path == svc.MetricsPath)
	return !probe || method == "" || method == "GET" || method == "HEAD"
}

// likelihood weighs one label value; rank is its place in the declaration.
func likelihood(svc *Service, label, value string, rank int) float64 {
	switch {
	case label == svc.StatusLabel && len(value) == 3 && value[0] != '2':
		return map[byte]float64{'1': 0.01, '3': 0.03, '4': 0.02, '5': 1 / float64(rank+1)}[value[0]] + 1e-6
	case label == "method" && value != "GET" && strings.ToUpper(value) == value:
		return map[string]float64{"POST": 0.25, "PUT": 0.08, "PATCH": 0.06, "DELETE": 0.04}[value] + 0.01
	default:
		return 1 / float64(rank+1)
	}
}

// resolve picks label values for a request that is described by label name; what it does not say is drawn.
func (f *family) resolve(request map[string]string, drawn *combo) []string {
	values := slices.Clone(drawn.values)
	for i, label := range f.labels {
		if value, ok := request[label]; ok && slices.Contains(f.Labels[label], value) {
			values[i] = value
		}
	}
	return values
}

// bucketsOf gives the declared buckets or sensible ones in the metric's own unit.
func bucketsOf(m Metric) []float64 {
	if len(m.Buckets) > 0 {
		return m.Buckets
	}
	if unit := secondsPerUnit(m.Unit); unit > 0 {
		bounds := []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
		for i := range bounds {
			bounds[i] = math.Round(bounds[i]/unit*1e6) / 1e6
		}
		return bounds
	}
	median := m.median()
	return prometheus.ExponentialBuckets(median/32, 2, 11)
}

// median is the typical value of a histogram in its own unit.
func (m Metric) median() float64 {
	if m.Baseline > 0 {
		return m.Baseline
	}
	if unit := secondsPerUnit(m.Unit); unit > 0 {
		return 0.055 / unit
	}
	if m.Unit == "bytes" {
		return 2048
	}
	return 100
}

// level is where a gauge stands on a normal day.
func (m Metric) level() float64 {
	if m.Baseline > 0 {
		return m.Baseline
	}
	byRole := map[string]float64{
		"active": 12, "connections": 12, "queue": 3, "pool_max": 100, "memory": 120 << 20, "heap": 40 << 20, "goroutines": 40,
		"lag": 0.004 / unitOr(m.Unit, 1),
	}
	if level, ok := byRole[m.Role]; ok {
		return level
	}
	byUnit := map[string]float64{"seconds": 0.01, "milliseconds": 10, "bytes": 64 << 20, "ratio": 0.3, "percent": 30}
	if level, ok := byUnit[m.Unit]; ok {
		return level
	}
	return 10
}
