package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Fault is one active fault with its parameters.
type Fault struct {
	Params map[string]float64
	Mode   string // of "down": "503" or "hangup"
	Since  time.Time
	Until  time.Time // zero: until it is deleted
}

// faultKind describes the parameters that a fault takes.
type faultKind struct {
	params map[string][2]float64 // name to its limits
	roles  []string              // at least one metric of these roles must be declared; empty: always possible
	needs  bool                  // exactly one of params must be given
	types  []string              // its parameters are names of declared metrics of these types, at least one
	limits [2]float64            // of the values that such names are given
}

var faultKinds = map[string]faultKind{
	"errors":        {params: map[string][2]float64{"ratio": {0, 1}}, needs: true},
	"latency":       {params: map[string][2]float64{"factor": {0, 1e4}, "seconds": {0, 3600}}, needs: true},
	"down":          {},
	"backlog":       {params: map[string][2]float64{"depth": {0, 1e9}}, roles: []string{"queue"}, needs: true},
	"pool":          {params: map[string][2]float64{"ratio": {0, 1}}, roles: []string{"pool_active"}, needs: true},
	"leak":          {params: map[string][2]float64{"bytes_per_second": {1, 1e9}}, roles: []string{"memory", "heap", "goroutines"}, needs: true},
	"logs_errors":   {params: map[string][2]float64{"per_second": {0, 200}}, needs: true},
	"auth_failures": {params: map[string][2]float64{"ratio": {0, 1}}, roles: []string{"failures"}, needs: true},
	"disconnect":    {params: map[string][2]float64{"ratio": {0, 1}}, roles: []string{"connections"}, needs: true},
	"cpu":           {params: map[string][2]float64{"cores": {0, 64}}, roles: []string{"cpu"}, needs: true},
	"jobs_failed":   {params: map[string][2]float64{"ratio": {0, 1}}, roles: []string{"jobs", "generic"}, needs: true},
	"lag":           {params: map[string][2]float64{"seconds": {0, 60}}, roles: []string{"lag"}, needs: true},
	"value":         {types: []string{"gauge"}, limits: [2]float64{-1e15, 1e15}},
	"rate":          {types: []string{"counter"}, limits: [2]float64{0, 1e9}},
	"observe":       {types: timers, limits: [2]float64{0, 1e15}},
}

// lasting limits for_seconds, which every fault takes.
var lasting = [2]float64{0.1, 86400}

// Faults holds the active faults; its methods may be called from any goroutine.
type Faults struct {
	mu     sync.Mutex
	active map[string]Fault
	now    func() time.Time
}

// NewFaults starts without faults; now is the clock that ends timed ones.
func NewFaults(now func() time.Time) *Faults {
	return &Faults{active: map[string]Fault{}, now: now}
}

// ParseFault checks the JSON parameters of a fault against what the service declares.
func ParseFault(name string, raw []byte, svc *Service) (Fault, error) {
	kind, probs := faultKinds[name], &problems{}
	if len(raw) == 0 {
		raw = []byte("{}")
	}
	n, err := parseJSON(raw, name, probs)
	if err != nil {
		return Fault{}, err
	}
	if kind.types != nil {
		return parseNamed(n, kind, svc), probs.err()
	}
	allowed := append(sortedKeys(kind.params), "for_seconds")
	if name == "down" {
		allowed = append(allowed, "mode")
	}
	fault := Fault{Params: map[string]float64{}, Mode: "503"}
	if !n.object(allowed...) {
		return fault, probs.err()
	}
	for _, param := range append(sortedKeys(kind.params), "for_seconds") {
		limits, ok := kind.params[param]
		if !ok {
			limits = lasting
		}
		if n.key(param).set {
			fault.Params[param] = n.key(param).number(0, limits[0], limits[1])
		}
	}
	checkParams(name, kind, fault, svc, probs)
	if name == "down" {
		fault.Mode = n.key("mode").oneOf("503", "503", "hangup")
	}
	return fault, probs.err()
}

// parseNamed reads a fault whose parameters are names of metrics.
func parseNamed(n node, kind faultKind, svc *Service) Fault {
	fault, known := Fault{Params: map[string]float64{}}, namesOf(svc, kind.types)
	if _, ok := n.fields(); !ok {
		return fault
	}
	names, nodes := n.children()
	for i, name := range names {
		limits := kind.limits
		if name == "for_seconds" {
			limits = lasting
		} else if !slices.Contains(known, name) {
			n.probs.add(nodes[i].path, "%s", mistaken(name, kind, svc, known))
			continue
		}
		fault.Params[name] = nodes[i].number(0, limits[0], limits[1])
	}
	if given := slices.DeleteFunc(names, func(name string) bool { return name == "for_seconds" }); len(given) == 0 {
		n.probs.add(n.path, "needs the name of at least one %s (known: %s)", strings.Join(kind.types, " or "), strings.Join(known, ", "))
	}
	return fault
}

// mistaken says why a name cannot be meant, and which could.
func mistaken(name string, kind faultKind, svc *Service, known []string) string {
	wanted := strings.Join(kind.types, " or ")
	reason := fmt.Sprintf("service %s declares no such metric", svc.Name)
	if i := slices.IndexFunc(svc.Metrics, func(m Metric) bool { return m.Name == name }); i >= 0 {
		reason = fmt.Sprintf("is a %s, not a %s", svc.Metrics[i].Type, wanted)
	}
	switch {
	case distance(name, "for_seconds") <= 3:
		return fmt.Sprintf("%s, did you mean \"for_seconds\"?", reason)
	case len(known) == 0:
		return fmt.Sprintf("%s, and service %s has no %s at all", reason, svc.Name, wanted)
	}
	return fmt.Sprintf("%s, did you mean %q?", reason, nearest(name, known))
}

func namesOf(svc *Service, types []string) []string {
	var names []string
	for _, m := range svc.Metrics {
		if slices.Contains(types, m.Type) {
			names = append(names, m.Name)
		}
	}
	return names
}

func checkParams(name string, kind faultKind, fault Fault, svc *Service, probs *problems) {
	given := len(fault.Params)
	if _, timed := fault.Params["for_seconds"]; timed {
		given--
	}
	if kind.needs && given != 1 {
		probs.add(name, "needs exactly one of %v", sortedKeys(kind.params))
	}
	feels := func(m Metric) bool {
		return slices.Contains(kind.roles, m.Role) && (name != "jobs_failed" || m.Type == "counter" && svc.canFail(m))
	}
	switch {
	case len(kind.roles) == 0 || slices.ContainsFunc(svc.Metrics, feels):
	case name == "jobs_failed":
		probs.add(name, "service %s declares no counter of role %v with both good label values and such as \"failed\", so this fault would change nothing", svc.Name, kind.roles)
	default:
		probs.add(name, "service %s declares no metric of role %v, so this fault would change nothing", svc.Name, kind.roles)
	}
}

// Set starts or replaces a fault.
func (f *Faults) Set(name string, fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fault.Since = f.now()
	if seconds, ok := fault.Params["for_seconds"]; ok {
		fault.Until = fault.Since.Add(time.Duration(seconds * float64(time.Second)))
	}
	f.active[name] = fault
}

// Clear ends one fault, or all of them for an empty name.
func (f *Faults) Clear(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if name == "" {
		f.active = map[string]Fault{}
		return
	}
	delete(f.active, name)
}

// Get returns an active fault; a timed one that is over is gone.
func (f *Faults) Get(name string) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fault, ok := f.active[name]
	if ok && !fault.Until.IsZero() && !f.now().Before(fault.Until) {
		delete(f.active, name)
		return Fault{}, false
	}
	return fault, ok
}

// Param returns one parameter of an active fault.
func (f *Faults) Param(name, param string) (float64, bool) {
	fault, active := f.Get(name)
	value, ok := fault.Params[param]
	return value, active && ok
}

// Params returns all parameters of an active fault, nil without it; they must not be changed.
func (f *Faults) Params(name string) map[string]float64 {
	fault, _ := f.Get(name)
	return fault.Params
}

// Describe lists the active faults for GET /demo/faults.
func (f *Faults) Describe() map[string]any {
	out := map[string]any{}
	for _, name := range sortedKeys(faultKinds) {
		fault, ok := f.Get(name)
		if !ok {
			continue
		}
		entry := map[string]any{"since": fault.Since.UTC().Format(time.RFC3339Nano)}
		for param, value := range fault.Params {
			entry[param] = value
		}
		if name == "down" {
			entry["mode"] = fault.Mode
		}
		if !fault.Until.IsZero() {
			entry["until"] = fault.Until.UTC().Format(time.RFC3339Nano)
		}
		out[name] = entry
	}
	return out
}

func checkFaultName(name string) error {
	if _, ok := faultKinds[name]; !ok {
		return fmt.Errorf("%q is not a fault, did you mean %q? (known: %v)", name, nearest(name, sortedKeys(faultKinds)), sortedKeys(faultKinds))
	}
	return nil
}
