package main

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"reflect"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	step            = 200 * time.Millisecond
	maxCatchUp      = time.Minute // after a suspended process, more is skipped
	usualErrors     = 0.002
	usualFailures   = 0.03
	spread          = 0.55 // sigma of the log-normal: p95 is about 2.5 times the median
	maxLeak         = 16 << 30
	maxGoroutines   = 200_000
	bytesPerRoutine = 8 << 10
)

// Sim moves the metrics of one service through time in fixed steps, the same way for the same seed.
type Sim struct {
	mu       sync.Mutex
	svc      *Service
	faults   *Faults
	logs     *Logger
	spans    *Tracer
	families []*family
	registry *prometheus.Registry
	rng      *rand.Rand
	started  time.Time
	at       time.Time
	noise    float64
	leaked   float64 // bytes
	// connected is the share of the open connections that the fault disconnect leaves.
	connected float64
	// rates and observed are the faults of these names during one step.
	rates, observed map[string]float64
}

// NewSim builds the series of a service as they are at its start.
func NewSim(system string, svc *Service, faults *Faults, logs *Logger, now time.Time) *Sim {
	hash := fnv.New64a()
	hash.Write([]byte(system + "/" + svc.Name))
	s := &Sim{faults: faults, logs: logs, spans: NewTracer(), rng: rand.New(rand.NewPCG(hash.Sum64(), 1)), started: now, at: now, connected: 1}
	s.Replace(svc)
	return s
}

// Replace takes another declaration of the service; metrics declared as before keep their values.
func (s *Sim) Replace(svc *Service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keep := s.svc != nil && s.svc.StatusLabel == svc.StatusLabel && s.svc.PathLabel == svc.PathLabel &&
		reflect.DeepEqual(s.svc.ErrorStatuses, svc.ErrorStatuses)
	var families []*family
	for _, m := range svc.Metrics {
		fresh := newFamily(svc, m)
		for _, old := range s.families {
			if keep && reflect.DeepEqual(old.Metric, m) {
				fresh = old
			}
		}
		families = append(families, fresh)
	}
	s.svc, s.families, s.registry = svc, families, prometheus.NewRegistry()
	for _, f := range families {
		s.registry.MustRegister(f.collector())
	}
	s.spans.Declare(svc)
	s.gauges(0, s.load())
}

// Service returns the declaration in use.
func (s *Sim) Service() *Service {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.svc
}

// Registry returns the declared metrics.
func (s *Sim) Registry() *prometheus.Registry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.registry
}

// Advance runs all steps up to now.
func (s *Sim) Advance(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.at) > maxCatchUp {
		s.at = now.Add(-maxCatchUp)
	}
	for !s.at.Add(step).After(now) {
		s.at = s.at.Add(step)
		s.tick(step.Seconds())
	}
}

func (s *Sim) tick(dt float64) {
	s.noise += -s.noise*dt/20 + 0.03*math.Sqrt(dt)*s.rng.NormFloat64()
	load := s.load()
	s.connections(dt)
	s.rates, s.observed = s.faults.Params("rate"), s.faults.Params("observe")
	if perSecond, ok := s.faults.Param("leak", "bytes_per_second"); ok {
		s.leaked = math.Min(s.leaked+perSecond*dt, maxLeak)
	} else {
		s.leaked = 0
	}
	if _, down := s.faults.Get("down"); !down {
		s.logs.refill(dt)
		s.requests(dt, load)
		s.background(dt, load)
		if perSecond, ok := s.faults.Param("logs_errors", "per_second"); ok {
			s.logs.faultErrors(s.at, perSecond*dt, s.rng)
		}
	}
	s.gauges(dt, load)
}

// load is the traffic in relation to its average: a daily wave, a ten-minute one to see on a screen, and noise.
func (s *Sim) load() float64 {
	seconds := float64(s.at.UnixMilli()) / 1000
	day := 0.25 * math.Sin(2*math.Pi*(seconds/86400-0.35))
	short := 0.15 * math.Sin(2*math.Pi*seconds/600)
	return math.Max(0.05, 1+day+short+s.noise)
}

// requests draws the requests of a step and writes them to every metric that counts or times them.
func (s *Sim) requests(dt, load float64) {
	ratio := s.ratio("errors", usualErrors)
	lead := s.lead()
	for range poisson(s.rng, s.svc.RequestRate*load*dt) {
		failed := s.rng.Float64() < ratio
		request := s.request(lead, failed)
		seconds := s.latency(request[s.svc.PathLabel])
		for _, f := range s.families {
			s.record(f, request, failed, seconds)
		}
		if line := s.logs.request(s.at, request, s.svc, failed, seconds, s.rng); line != nil {
			s.spans.request(s.at, line, failed, seconds, s.rng)
		}
	}
}

// lead is the family whose label combinations stand for requests.
func (s *Sim) lead() *family {
	for _, role := range []string{"requests", "duration"} {
		for _, f := range s.families {
			if f.Role == role {
				return f
			}
		}
	}
	return nil
}

func (s *Sim) request(lead *family, failed bool) map[string]string {
	request := map[string]string{}
	if lead == nil {
		return request
	}
	c := pick(lead, failed, s.rng)
	for i, label := range lead.labels {
		request[label] = c.values[i]
	}
	return request
}

// pick draws a combination, a failed one where the family has such.
func pick(f *family, failed bool, rng *rand.Rand) *combo {
	first, second := &f.good, &f.bad
	if failed {
		first, second = second, first
	}
	if c := first.draw(rng); c != nil {
		return c
	}
	return second.draw(rng)
}

// latency draws how long a request takes, in seconds; each path has a pace of its own.
func (s *Sim) latency(path string) float64 {
	hash := fnv.New32a()
	hash.Write([]byte(path))
	pace := 0.7 + 0.9*float64(hash.Sum32()%100)/100
	seconds := 0.055 * pace * math.Exp(spread*s.rng.NormFloat64())
	if factor, ok := s.faults.Param("latency", "factor"); ok {
		seconds *= factor
	}
	if added, ok := s.faults.Param("latency", "seconds"); ok {
		seconds += added
	}
	return seconds
}

func (s *Sim) record(f *family, request map[string]string, failed bool, seconds float64) {
	_, told := s.rates[f.Name]
	switch {
	case f.counter != nil && told, f.Role == "job_duration":
	case f.Role == "requests", f.Role == "errors" && failed:
		f.counter.WithLabelValues(f.resolve(request, pick(f, failed, s.rng))...).Inc()
	case f.Role == "duration":
		value := seconds / secondsPerUnit(f.Unit)
		if f.Baseline > 0 {
			value *= f.Baseline * secondsPerUnit(f.Unit) / 0.055
		}
		s.observe(f, request, failed, value)
	case f.observer != nil:
		s.timed(f, request, failed)
	}
}

// observe adds one observation, with the value of the fault observe where there is one.
func (s *Sim) observe(f *family, event map[string]string, failed bool, value float64) {
	if told, ok := s.observed[f.Name]; ok {
		value = told
	}
	f.observer.WithLabelValues(f.resolve(event, pick(f, failed, s.rng))...).Observe(value)
}

// background moves the counters that do not follow single requests.
func (s *Sim) background(dt, load float64) {
	for _, f := range s.families {
		told, forced := s.rates[f.Name]
		switch {
		case f.counter == nil:
		case forced:
			s.forced(f, told*dt)
		case f.Role == "failures":
			s.attempts(f, dt, load)
		case f.Role == "jobs":
			s.jobs(f, dt, load)
		case f.Role == "cpu":
			s.cpu(f, dt, load)
		case f.Role == "generic":
			s.generic(f, dt, load)
		case f.Role == "uptime":
			f.counter.WithLabelValues(pick(f, false, s.rng).values...).Add(dt / unitOr(f.Unit, 1))
		}
	}
	s.uncounted(dt, load)
}

func (s *Sim) attempts(f *family, dt, load float64) {
	ratio := s.badShare(f)
	rate := f.Baseline
	if rate == 0 {
		rate = s.svc.RequestRate * 0.1
	}
	for range poisson(s.rng, rate*load*dt) {
		c := f.good.draw(s.rng)
		if s.rng.Float64() < ratio {
			c = f.bad.draw(s.rng)
		}
		if c != nil {
			f.counter.WithLabelValues(c.values...).Inc()
		}
	}
}

func (s *Sim) generic(f *family, dt, load float64) {
	amount := f.Baseline * load * dt
	if f.Baseline == 0 {
		perSecond := map[string]float64{"seconds": 0.12, "milliseconds": 120, "bytes": 1 << 18}
		if rate, ok := perSecond[f.Unit]; ok {
			amount = rate * load * dt
		} else {
			amount = s.svc.RequestRate * 0.5 * load * dt
		}
	}
	if f.continuous() || amount > 100 {
		bad := amount * s.badShare(f)
		if len(f.bad.combos) == 0 {
			bad = 0
		}
		f.counter.WithLabelValues(pick(f, false, s.rng).values...).Add(amount - bad)
		f.bad.share(bad, f.add)
		return
	}
	for range poisson(s.rng, amount) {
		failed := s.rng.Float64() < s.badShare(f)
		f.counter.WithLabelValues(pick(f, failed, s.rng).values...).Inc()
	}
}

// poisson draws a number of events; above 30 the normal distribution is near enough.
func poisson(rng *rand.Rand, mean float64) int {
	if mean > 30 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*rng.NormFloat64())))
	}
	limit, product, n := math.Exp(-mean), rng.Float64(), 0
	for product > limit {
		n++
		product *= rng.Float64()
	}
	return n
}
