package main

import (
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
)

// Server answers for the imitated service and for the control interface under /demo/.
type Server struct {
	sim      *Sim
	faults   *Faults
	logs     *Logger
	webhooks *Webhooks
	own      *prometheus.Registry
	reload   func() error
	control  *http.ServeMux
}

// NewServer wires everything; without a simulation only the webhook receiver is served.
func NewServer(sim *Sim, faults *Faults, logs *Logger, reload func() error) *Server {
	s := &Server{sim: sim, faults: faults, logs: logs, webhooks: &Webhooks{}, own: prometheus.NewRegistry(), reload: reload}
	s.own.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	s.control = http.NewServeMux()
	s.control.Handle("/demo/webhook", s.webhooks)
	s.control.HandleFunc("GET /demo/healthz", func(out http.ResponseWriter, _ *http.Request) {
		reply(out, http.StatusOK, map[string]any{"status": "ok"})
	})
	if sim == nil {
		return s
	}
	s.control.HandleFunc("GET /demo/faults", s.listFaults)
	s.control.HandleFunc("DELETE /demo/faults", s.clearFaults)
	s.control.HandleFunc("PUT /demo/faults/{name}", s.setFault)
	s.control.HandleFunc("DELETE /demo/faults/{name}", s.clearFaults)
	s.control.HandleFunc("POST /demo/logs", s.writeLog)
	s.control.HandleFunc("POST /demo/reload", s.reloadSpec)
	return s
}

// ServeHTTP keeps /demo/ reachable whatever faults are active.
func (s *Server) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	if strings.HasPrefix(in.URL.Path, "/demo/") || s.sim == nil {
		s.control.ServeHTTP(out, in)
		return
	}
	if fault, down := s.faults.Get("down"); down {
		if fault.Mode == "hangup" {
			panic(http.ErrAbortHandler)
		}
		refuse(out, http.StatusServiceUnavailable, "down by fault")
		return
	}
	s.service(out, in)
}

func (s *Server) service(out http.ResponseWriter, in *http.Request) {
	svc := s.sim.Service()
	path := in.URL.Path
	switch {
	case path == svc.MetricsPath:
		s.sim.Advance(time.Now())
		// Not OpenMetrics: it would rename declared counters that do not end in _total.
		promhttp.HandlerFor(s, promhttp.HandlerOpts{}).ServeHTTP(out, in)
	case path == "/favicon.ico": // whoever opens the address in a browser has that ask for it
		out.WriteHeader(http.StatusNoContent)
	case path == "/version":
		reply(out, http.StatusOK, map[string]any{"version": "demo", "service": svc.Name})
	case slices.Contains(svc.Health, path):
		s.dawdle(in)
		reply(out, http.StatusOK, map[string]any{"status": "ok", "service": svc.Name})
	case path == "/" || s.declared(svc, path):
		reply(out, http.StatusOK, map[string]any{"service": svc.Name, "path": path, "note": "a demo, see /demo/faults", "metrics": svc.MetricsPath})
	default:
		refuse(out, http.StatusNotFound, "not found")
	}
}

// dawdle lets who asks for the service's health wait as long as the fault latency makes its users wait.
func (s *Server) dawdle(in *http.Request) {
	fault, slow := s.faults.Get("latency")
	if !slow || fault.Params["seconds"] == 0 {
		return
	}
	select {
	case <-time.After(time.Duration(fault.Params["seconds"] * float64(time.Second))):
	case <-in.Context().Done():
	}
}

func (s *Server) declared(svc *Service, path string) bool {
	return slices.ContainsFunc(svc.Metrics, func(m Metric) bool { return slices.Contains(m.Labels[svc.PathLabel], path) })
}

// Gather joins the declared metrics with those of this process, which give way where both have a name.
func (s *Server) Gather() ([]*dto.MetricFamily, error) {
	declared, err := s.sim.Registry().Gather()
	if err != nil {
		return nil, err
	}
	own, err := s.own.Gather()
	if err != nil {
		return nil, err
	}
	svc := s.sim.Service()
	for _, family := range own {
		if !slices.ContainsFunc(svc.Metrics, func(m Metric) bool { return m.Name == family.GetName() }) {
			declared = append(declared, family)
		}
	}
	return declared, nil
}

func (s *Server) listFaults(out http.ResponseWriter, _ *http.Request) {
	reply(out, http.StatusOK, map[string]any{"service": s.sim.Service().Name, "faults": s.faults.Describe(), "available": sortedKeys(faultKinds)})
}

func (s *Server) setFault(out http.ResponseWriter, in *http.Request) {
	name := in.PathValue("name")
	if err := checkFaultName(name); err != nil {
		refuse(out, http.StatusNotFound, err.Error())
		return
	}
	raw, err := io.ReadAll(http.MaxBytesReader(out, in.Body, maxBody))
	if err != nil {
		refuse(out, http.StatusBadRequest, err.Error())
		return
	}
	fault, err := ParseFault(name, raw, s.sim.Service())
	if err != nil {
		refuse(out, http.StatusBadRequest, err.Error())
		return
	}
	s.faults.Set(name, fault)
	s.listFaults(out, in)
}

func (s *Server) clearFaults(out http.ResponseWriter, in *http.Request) {
	if name := in.PathValue("name"); name != "" {
		if err := checkFaultName(name); err != nil {
			refuse(out, http.StatusNotFound, err.Error())
			return
		}
	}
	s.faults.Clear(in.PathValue("name"))
	s.listFaults(out, in)
}

// writeLog writes exactly one line; "fields" may set any other field of it.
func (s *Server) writeLog(out http.ResponseWriter, in *http.Request) {
	raw, err := io.ReadAll(http.MaxBytesReader(out, in.Body, maxBody))
	if err != nil {
		refuse(out, http.StatusBadRequest, err.Error())
		return
	}
	probs := &problems{}
	n, err := parseJSON(raw, "log", probs)
	if err != nil {
		refuse(out, http.StatusBadRequest, err.Error())
		return
	}
	n.object("msg", "level", "fields")
	line, extra := describe(nil, s.sim.Service(), n.key("level").value == "error"), []string{}
	line["duration_ms"] = 0
	identify(line, rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1)))
	if fields := n.key("fields"); fields.set {
		names, nodes := fields.children()
		for i, name := range names {
			line[name] = nodes[i].value
		}
		extra = names
	}
	line["msg"], line["level"] = n.key("msg").text(true), n.key("level").oneOf("info", "debug", "info", "warn", "error")
	if err := probs.err(); err != nil {
		refuse(out, http.StatusBadRequest, err.Error())
		return
	}
	s.logs.Write(time.Now(), line, extra...)
	reply(out, http.StatusOK, map[string]any{"written": 1})
}

func (s *Server) reloadSpec(out http.ResponseWriter, _ *http.Request) {
	if err := s.reload(); err != nil {
		refuse(out, http.StatusBadRequest, err.Error())
		return
	}
	reply(out, http.StatusOK, map[string]any{"reloaded": true})
}
