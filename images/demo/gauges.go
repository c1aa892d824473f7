package main

import "math"

// gauges moves every gauge towards where it belongs now; dt 0 puts it there at once.
func (s *Sim) gauges(dt, load float64) {
	fixed := s.faults.Params("value")
	for _, f := range s.families {
		if f.gauge == nil {
			continue
		}
		for i, c := range f.combos {
			value := s.gauge(f, c, i, dt, load)
			if told, ok := fixed[f.Name]; ok {
				value = told
			}
			f.gauge.WithLabelValues(c.values...).Set(value)
		}
	}
}

func (s *Sim) gauge(f *family, c *combo, rank int, dt, load float64) float64 {
	share := 1 / float64(rank+1)
	switch f.Role {
	case "uptime":
		return s.at.Sub(s.started).Seconds() / unitOr(f.Unit, 1)
	case "pool_max", "constant":
		return f.level()
	case "memory", "heap":
		return math.Round(s.wander(c, f.level()*(0.9+0.1*load), 0.01, 30, dt) + s.leaked)
	case "goroutines":
		routines := s.wander(c, f.level()*(0.8+0.2*load), 0.05, 10, dt) + s.leaked/bytesPerRoutine
		return math.Round(math.Min(routines, maxGoroutines))
	case "queue":
		if depth, ok := s.faults.Param("backlog", "depth"); ok {
			return math.Round(s.wander(c, depth, 0.001, 1.5, dt))
		}
		return math.Round(s.wander(c, f.level()*share*load, 0.3, 1.5, dt))
	case "pool_active":
		if ratio, ok := s.faults.Param("pool", "ratio"); ok {
			c.state = ratio * s.poolMax()
			return math.Round(c.state)
		}
		level := f.Baseline
		if level == 0 {
			level = 0.3 * s.poolMax()
		}
		return math.Round(math.Min(s.wander(c, level*load, 0.1, 5, dt), s.poolMax()))
	case "active":
		return math.Round(s.wander(c, f.level()*share*load, 0.15, 15, dt))
	case "connections":
		return math.Round(s.wander(c, f.level()*share*load, 0.15, 15, dt) * s.connected)
	case "lag":
		usual := s.wander(c, f.level()*(0.7+0.3*load), 0.2, 5, dt)
		if seconds, ok := s.faults.Param("lag", "seconds"); ok {
			return seconds / unitOr(f.Unit, 1)
		}
		return usual
	default:
		return s.wander(c, f.level()*(0.7+0.3*load), 0.05, 20, dt)
	}
}

// connections moves the share of the connections that is left, within two seconds.
func (s *Sim) connections(dt float64) {
	left := 1.0
	if ratio, ok := s.faults.Param("disconnect", "ratio"); ok {
		left = 1 - ratio
	}
	s.connected += (left - s.connected) * (1 - math.Exp(-dt/0.3))
}

// wander is a mean-reverting walk: noise is relative to the target, pace in seconds.
func (s *Sim) wander(c *combo, target, noise, pace, dt float64) float64 {
	if dt == 0 {
		if c.state == 0 {
			c.state = target
		}
		return c.state
	}
	c.state += (target-c.state)*(1-math.Exp(-dt/pace)) + noise*target*math.Sqrt(2*dt/pace)*s.rng.NormFloat64()
	c.state = math.Max(0, c.state)
	return c.state
}

func (s *Sim) poolMax() float64 {
	for _, f := range s.families {
		if f.Role == "pool_max" {
			return f.level()
		}
	}
	return 100
}

func unitOr(unit string, fallback float64) float64 {
	if seconds := secondsPerUnit(unit); seconds > 0 {
		return seconds
	}
	return fallback
}
