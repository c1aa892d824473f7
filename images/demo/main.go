// Command demo imitates one service of a system: its metrics, its logs and, on request, its faults.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/common/expfmt"
)

// options are the command line.
type options struct {
	spec, service, listen, check, probe string
	printMetrics                        bool
}

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "demo:", err)
		}
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	var o options
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.spec, "spec", "/etc/demo/spec.json", "file that describes the system")
	flags.StringVar(&o.service, "service", "", "service to imitate, or \"webhook\" for an alert receiver only")
	flags.StringVar(&o.listen, "listen", "", "address to listen on (default: the service's port)")
	flags.StringVar(&o.check, "check", "", "check this spec file and end")
	flags.StringVar(&o.probe, "probe", "", "ask this URL and end: 0 if it answers 2xx (a container's health check)")
	flags.BoolVar(&o.printMetrics, "print-metrics", false, "print one exposition and end")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	switch {
	case o.check != "":
		_, err := LoadSpec(o.check)
		return err
	case o.probe != "":
		return probe(o.probe)
	case o.service == "webhook":
		return serveWebhook(o, stderr)
	}
	return imitate(o, stdout, stderr)
}

// loadService reads the spec and finds the service in it.
func loadService(o options) (*Spec, *Service, error) {
	if o.service == "" {
		return nil, nil, errors.New("-service is required")
	}
	spec, err := LoadSpec(o.spec)
	if err != nil {
		return nil, nil, err
	}
	svc, ok := spec.Services[o.service]
	if !ok {
		names := sortedKeys(spec.Services)
		return nil, nil, fmt.Errorf("%s: no service %q, did you mean %q? (known: %s)", o.spec, o.service, nearest(o.service, names), strings.Join(names, ", "))
	}
	return spec, svc, nil
}

func imitate(o options, stdout, stderr io.Writer) error {
	spec, svc, err := loadService(o)
	if err != nil {
		return err
	}
	lines := stdout
	if o.printMetrics {
		svc.Logs.File, svc.Traces, lines = "", "", io.Discard
	}
	logs, err := NewLogger(svc.Name, svc.Logs, lines)
	if err != nil {
		return err
	}
	faults := NewFaults(time.Now)
	sim := NewSim(spec.System, svc, faults, logs, time.Now())
	server := NewServer(sim, faults, logs, func() error { return reload(o, sim, logs) })
	if o.printMetrics {
		sim.Advance(time.Now().Add(10 * time.Second))
		return printMetrics(server, stdout)
	}
	listen := o.listen
	if listen == "" {
		listen = fmt.Sprintf(":%d", svc.Port)
	}
	own := slog.New(slog.NewJSONHandler(stderr, nil)).With("component", "demo", "service", svc.Name)
	return serve(listen, server, own, func() { sim.Advance(time.Now()) })
}

func reload(o options, sim *Sim, logs *Logger) error {
	_, svc, err := loadService(o)
	if err != nil {
		return err
	}
	if err := logs.Reopen(svc.Logs); err != nil {
		return err
	}
	sim.Replace(svc)
	return nil
}

func printMetrics(server *Server, out io.Writer) error {
	families, err := server.Gather()
	if err != nil {
		return err
	}
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(out, family); err != nil {
			return err
		}
	}
	return nil
}

func serveWebhook(o options, stderr io.Writer) error {
	if o.listen == "" {
		o.listen = ":8080"
	}
	own := slog.New(slog.NewJSONHandler(stderr, nil)).With("component", "demo", "service", "webhook")
	return serve(o.listen, NewServer(nil, nil, nil, nil), own, func() {})
}

// serve runs until SIGTERM or SIGINT; SIGHUP reloads.
func serve(listen string, server *Server, own *slog.Logger, tick func()) error {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(signals)
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	web := &http.Server{Handler: server, ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(own.Handler(), slog.LevelDebug)}
	failed := make(chan error, 1)
	go func() { failed <- web.Serve(listener) }()
	own.Info("demo listens", "address", listener.Addr().String())
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			tick()
		case err := <-failed:
			return err
		case got := <-signals:
			if got == syscall.SIGHUP {
				hangup(server, own)
				continue
			}
			return stop(web, own)
		}
	}
}

func hangup(server *Server, own *slog.Logger) {
	if server.reload == nil {
		return
	}
	if err := server.reload(); err != nil {
		own.Error("reload refused, the old spec keeps running", "reason", err.Error())
		return
	}
	own.Info("spec reloaded")
}

// stop ends within a second, the rest of open requests is cut off.
func stop(web *http.Server, own *slog.Logger) error {
	own.Info("demo stops")
	ctx, cancel := context.WithTimeout(context.Background(), 700*time.Millisecond)
	defer cancel()
	if err := web.Shutdown(ctx); err != nil {
		return web.Close()
	}
	return nil
}

func probe(url string) error {
	client := &http.Client{Timeout: 3 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return nil
}
