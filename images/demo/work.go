package main

import "math"

// maxSingle is how many events of a step are drawn one by one; what exceeds it is spread over all series.
const maxSingle = 400

// jobs draws the jobs that a step works off.
func (s *Sim) jobs(f *family, dt, load float64) {
	rate := f.Baseline
	if rate == 0 {
		rate = s.svc.RequestRate * 0.5
	}
	s.count(f, float64(poisson(s.rng, rate*load*dt)))
}

// cpu adds the seconds that the cores worked.
func (s *Sim) cpu(f *family, dt, load float64) {
	cores := f.Baseline
	if cores == 0 {
		cores = 0.12
	}
	cores *= load
	if told, ok := s.faults.Param("cpu", "cores"); ok {
		cores = told
	}
	f.spread(cores*dt/unitOr(f.Unit, 1), 0)
}

// forced grows a counter by exactly this amount, over its usual series; events stay whole.
func (s *Sim) forced(f *family, amount float64) {
	if f.continuous() {
		f.spread(amount, s.badShare(f))
		return
	}
	f.owed += amount
	whole := math.Floor(f.owed + 1e-9)
	f.owed -= whole
	s.count(f, whole)
}

// count adds a whole number of events; a job among them is timed as well.
func (s *Sim) count(f *family, events float64) {
	single, bad := math.Min(events, maxSingle), s.badShare(f)
	for range int(single) {
		c := pick(f, s.rng.Float64() < bad, s.rng)
		f.add(c, 1)
		if f.Role == "jobs" {
			s.timeJob(f, c)
		}
	}
	f.spread(events-single, bad)
}

func (s *Sim) timeJob(jobs *family, c *combo) {
	job := map[string]string{}
	for i, label := range jobs.labels {
		job[label] = c.values[i]
	}
	for _, f := range s.byRole("job_duration") {
		s.timed(f, job, c.failed)
	}
}

// uncounted times jobs at the usual pace where no metric counts them.
func (s *Sim) uncounted(dt, load float64) {
	if len(s.byRole("jobs")) > 0 {
		return
	}
	for _, f := range s.byRole("job_duration") {
		for range poisson(s.rng, s.svc.RequestRate*0.5*load*dt) {
			s.timed(f, nil, s.rng.Float64() < usualErrors)
		}
	}
}

func (s *Sim) timed(f *family, event map[string]string, failed bool) {
	s.observe(f, event, failed, f.median()*math.Exp(spread*s.rng.NormFloat64()))
}

func (s *Sim) byRole(role string) []*family {
	var found []*family
	for _, f := range s.families {
		if f.Role == role {
			found = append(found, f)
		}
	}
	return found
}

// badShare is how much of a counter's growth goes to its bad series now.
func (s *Sim) badShare(f *family) float64 {
	switch f.Role {
	case "requests":
		return s.ratio("errors", usualErrors)
	case "errors":
		return 1
	case "failures":
		return s.ratio("auth_failures", usualFailures)
	case "jobs", "generic":
		return s.ratio("jobs_failed", usualErrors)
	}
	return 0
}

// ratio is that of an active fault, else the usual one.
func (s *Sim) ratio(fault string, usual float64) float64 {
	if ratio, ok := s.faults.Param(fault, "ratio"); ok {
		return ratio
	}
	return usual
}

// continuous tells whether a counter grows by parts of its unit.
func (f *family) continuous() bool {
	switch f.Unit {
	case "seconds", "milliseconds", "bytes":
		return true
	}
	return f.Role == "cpu" || f.Role == "uptime"
}

// spread adds an amount to all series by their weight; the bad ones get their share of it.
func (f *family) spread(amount, bad float64) {
	switch {
	case len(f.bad.combos) == 0:
		bad = 0
	case len(f.good.combos) == 0:
		bad = 1
	}
	f.good.share(amount*(1-bad), f.add)
	f.bad.share(amount*bad, f.add)
}

func (f *family) add(c *combo, amount float64) {
	f.counter.WithLabelValues(c.values...).Add(amount)
}
