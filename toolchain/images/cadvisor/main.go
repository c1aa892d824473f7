// Command cadvisor serves container metrics with cAdvisor's own libraries. Upstream's command is a nested module that
// the Go module proxy does not serve; its flags that matter here have the same names and meaning.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "github.com/google/cadvisor/container/docker/install"
	"github.com/google/cadvisor/lib/cache/memory"
	"github.com/google/cadvisor/lib/container"
	_ "github.com/google/cadvisor/lib/container/containerd/install"
	_ "github.com/google/cadvisor/lib/container/systemd/install"
	_ "github.com/google/cadvisor/lib/fs/btrfs/install"
	_ "github.com/google/cadvisor/lib/fs/nfs/install"
	_ "github.com/google/cadvisor/lib/fs/overlay/install"
	_ "github.com/google/cadvisor/lib/fs/tmpfs/install"
	_ "github.com/google/cadvisor/lib/fs/vfs/install"
	"github.com/google/cadvisor/lib/manager"
	"github.com/google/cadvisor/lib/metrics"
	"github.com/google/cadvisor/lib/model"
	"github.com/google/cadvisor/lib/utils/sysfs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

const version = "v0.60.6"

var (
	listenIP     = flag.String("listen_ip", "", "address to listen on; empty means all")
	port         = flag.Int("port", 8080, "port to listen on")
	endpoint     = flag.String("prometheus_endpoint", "/metrics", "path of the metrics")
	storeFor     = flag.Duration("storage_duration", 2*time.Minute, "how long samples stay in memory")
	storeLabels  = flag.Bool("store_container_labels", true, "turn container labels into metric labels")
	allowLabels  = flag.String("whitelisted_container_labels", "", "labels kept when store_container_labels is false")
	printVersion = flag.Bool("version", false, "print the version and exit")
	disabled     = disabledByDefault()
)

// disabledByDefault lists the costly metrics that upstream leaves off too.
func disabledByDefault() container.MetricSet {
	return container.MetricSet{
		container.MemoryNumaMetrics: {}, container.NetworkTcpUsageMetrics: {},
		container.NetworkAdvancedTcpUsageMetrics: {}, container.NetworkUdpUsageMetrics: {},
		container.ProcessMetrics: {}, container.HugetlbUsageMetrics: {}, container.PerfMetrics: {},
		container.ReferencedMemoryMetrics: {}, container.CPUTopologyMetrics: {}, container.ResctrlMetrics: {},
		container.CPUSetMetrics: {}, container.AppMetrics: {},
	}
}

func main() {
	klog.InitFlags(nil)
	flag.Var(&disabled, "disable_metrics", "comma-separated metrics to leave out")
	flag.Parse()
	if *printVersion {
		fmt.Println("cAdvisor libraries", version)
		return
	}
	if err := run(); err != nil {
		klog.Fatalf("cadvisor: %v", err)
	}
}

// run collects and serves until the process is told to end.
func run() error {
	included := container.AllMetrics.Difference(disabled)
	m, err := manager.New(memory.New(*storeFor, nil), sysfs.NewRealSysFs(), manager.HousekeepingConfigFlags,
		included, []string{"/"}, nil, "", 0)
	if err != nil {
		return fmt.Errorf("manager: %w", err)
	}
	if err := m.Start(); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	defer func() { _ = m.Stop() }()
	address := net.JoinHostPort(*listenIP, strconv.Itoa(*port))
	server := &http.Server{Addr: address, Handler: handler(m, included), ReadHeaderTimeout: 10 * time.Second}
	ended, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	go func() {
		<-ended.Done()
		_ = server.Close()
	}()
	klog.Infof("cAdvisor libraries %s on %s", version, address)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// handler serves the metrics and, at /healthz, that the process answers.
func handler(m manager.Manager, included container.MetricSet) http.Handler {
	labels := metrics.DefaultContainerLabels
	if !*storeLabels {
		labels = metrics.BaseContainerLabels(strings.Split(*allowLabels, ","))
	}
	everything := model.RequestOptions{IdType: model.TypeName, Count: 1, Recursive: true}
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		metrics.NewPrometheusCollector(m, labels, included, clock.RealClock{}, everything),
		metrics.NewPrometheusMachineCollector(m, included),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	mux := http.NewServeMux()
	mux.Handle(*endpoint, promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "ok") })
	return mux
}
