// Command dashboard-viewer is NOT Grafana. It loads the same provisioning folder, refuses what the documented formats
// refuse, and draws the dashboards where Grafana's image cannot be had. It edits nothing.
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
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args, os.Getenv, os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, programName+":", err)
		}
		os.Exit(1)
	}
}

func run(args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	// Grafana's image has curl and wget for health checks; links of these names to this binary take their place.
	if name := filepath.Base(args[0]); name == "curl" || name == "wget" {
		return probe(args[len(args)-1])
	}
	if len(args) > 1 && args[1] == "cli" {
		return resetByCommand(args[2:], getenv, os.Stdin, stdout)
	}
	if len(args) > 1 && args[1] == "server" {
		args = args[1:]
	}
	flags := flag.NewFlagSet(programName, flag.ContinueOnError)
	flags.SetOutput(stderr)
	for _, name := range []string{"homepath", "config", "packaging", "pidfile"} {
		flags.String(name, "", "accepted as Grafana does, and not used")
	}
	address := flags.String("probe", "", "ask this URL and end: 0 if it answers 2xx (a container's health check)")
	check := flags.Bool("check", false, "check the provisioning folder and end")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	log := slog.New(slog.NewTextHandler(stdout, nil)).With("logger", programName)
	switch {
	case *address != "":
		return probe(*address)
	case *check:
		return checkOnly(getenv, stdout)
	}
	return serve(getenv, log)
}

// checkOnly is strict: whatever would only be logged at a start fails here.
func checkOnly(getenv func(string) string, out io.Writer) error {
	folder := getenv("GF_PATHS_PROVISIONING")
	if folder == "" {
		folder = "/etc/grafana/provisioning"
	}
	state, err := NewState(folder, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	for _, warning := range state.Warnings() {
		fmt.Fprintln(out, "warning:", warning)
	}
	if reason := state.Complaint(); reason != "" {
		return errors.New(reason)
	}
	return nil
}

// serve runs until SIGTERM or SIGINT.
func serve(getenv func(string) string, log *slog.Logger) error {
	settings, err := LoadSettings(getenv)
	if err != nil {
		return err
	}
	log.Warn("this is dashboard-viewer, not Grafana: it draws what is provisioned and edits nothing")
	if err := ensureAdmin(settings); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	state, err := NewState(settings.Provisioning, log)
	if err != nil {
		return fmt.Errorf("provisioning: %w", err)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	listener, err := net.Listen("tcp", settings.Address)
	if err != nil {
		return err
	}
	web := &http.Server{Handler: NewServer(settings, state, log), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- web.Serve(listener) }()
	datasources, dashboards := state.Snapshot()
	log.Info("HTTP Server Listen", "address", listener.Addr().String(), "subUrl", settings.SubPath,
		"datasources", len(datasources), "dashboards", len(dashboards))
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			state.Watch(now)
		case err := <-failed:
			return err
		case got := <-signals:
			log.Info("Shutdown started", "reason", got.String())
			ctx, cancel := context.WithTimeout(context.Background(), 700*time.Millisecond)
			defer cancel()
			if web.Shutdown(ctx) != nil {
				return web.Close()
			}
			return nil
		}
	}
}

func probe(address string) error {
	answer, err := (&http.Client{Timeout: 3 * time.Second}).Get(address)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("%s answers %s", address, answer.Status)
	}
	return nil
}
