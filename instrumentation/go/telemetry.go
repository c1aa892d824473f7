// Metrics, log lines and spans of a service with net/http: copy this file, main.go shows how it is used.
//
// A request is one line, one span and one sample of each metric, with the same path: the pattern of the mux, never the
// path itself, as each path is a time series of its own.

package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

var tracer = otel.Tracer("orders")

// Metrics; those of the process and of Go are there without a line here.
var (
	requests = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "http_requests_total", Help: "Requests by method, path and status.",
	}, []string{"method", "path", "status"})
	duration = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Name: "http_request_duration_seconds", Help: "How long requests take.",
		// An alert or an objective needs a bound at its threshold.
		Buckets: []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 2.5, 5, 10},
	}, []string{"method", "path"})
	inFlight = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "http_requests_in_flight", Help: "Requests that are being answered.",
	})
)

// -- log lines -----------------------------------------------------------------------------------------------------

// idHandler adds the ids of the span that a line is written in, which lead to its trace.
type idHandler struct{ slog.Handler }

func (h idHandler) Handle(ctx context.Context, record slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		record.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	return h.Handler.Handle(ctx, record)
}

// Without these two, With and WithGroup would give a logger that adds no ids.
func (h idHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return idHandler{h.Handler.WithAttrs(attrs)}
}
func (h idHandler) WithGroup(name string) slog.Handler { return idHandler{h.Handler.WithGroup(name)} }

// configureLogs makes of each line, also of package log's, one JSON object. Levels are in lower case, as elsewhere.
func configureLogs() {
	options := slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if level, ok := a.Value.Any().(slog.Level); ok && len(groups) == 0 && a.Key == slog.LevelKey {
			a.Value = slog.StringValue(strings.ToLower(level.String()))
		}
		return a
	}}
	slog.SetDefault(slog.New(idHandler{slog.NewJSONHandler(os.Stdout, &options)}))
}

// -- spans -----------------------------------------------------------------------------------------------------------

// configureSpans sends spans to OTEL_EXPORTER_OTLP_ENDPOINT. Without one nothing is sent, and log lines have ids all
// the same. OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES name the service otherwise. The function that it returns
// sends the spans that wait.
func configureSpans(ctx context.Context) (func(context.Context) error, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("name of the host: %w", err)
	}
	named, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "orders"), attribute.String("service.instance.id", host)),
		resource.WithFromEnv()) // the last one wins
	if err != nil {
		return nil, fmt.Errorf("resource: %w", err)
	}
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(named)}
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" {
		exporter, err := otlptracehttp.New(ctx)
		if err != nil {
			return nil, fmt.Errorf("exporter of spans: %w", err)
		}
		options = append(options, sdktrace.WithBatcher(exporter))
	}
	provider := sdktrace.NewTracerProvider(options...)
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { slog.Warn("spans are lost", "error", err) }))
	return provider.Shutdown, nil
}

// tracedTransport makes a span of each call of another service, where the trace goes on.
type tracedTransport struct{ http.RoundTripper }

func (t tracedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, span := tracer.Start(r.Context(), r.Method, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("http.request.method", r.Method), attribute.String("url.full", r.URL.String())))
	defer span.End()
	r = r.Clone(ctx) // a transport must not change the request that it gets
	otel.GetTextMapPropagator().Inject(ctx, propagation.HeaderCarrier(r.Header))
	answer, err := t.RoundTripper.RoundTrip(r)
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, err.Error())
		return nil, err
	}
	span.SetAttributes(attribute.Int("http.response.status_code", answer.StatusCode))
	if answer.StatusCode >= http.StatusBadRequest {
		span.SetStatus(codes.Error, answer.Status)
	}
	return answer, nil
}

// -- requests --------------------------------------------------------------------------------------------------------

// abandoned is what nginx calls a request whose caller went away.
const abandoned = 499

// handler answers a request, or says why it cannot; that is logged once and answered with 500.
type handler func(http.ResponseWriter, *http.Request) error

// recorder remembers the status of an answer; http.ResponseController finds the rest of the writer behind it.
type recorder struct {
	http.ResponseWriter
	status int
}

func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) WriteHeader(status int) {
	if status >= http.StatusOK { // those below are hints, and the answer follows
		w.status = cmp.Or(w.status, status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(data []byte) (int, error) {
	w.status = cmp.Or(w.status, http.StatusOK)
	return w.ResponseWriter.Write(data)
}

// panicError is what a handler panicked with, and where.
type panicError struct {
	value any
	stack string
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// watch is for the patterns that are work of the service; metrics and health are neither that nor failures of it.
func watch(next handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, method, path := time.Now(), boundMethod(r.Method), boundPath(r.Pattern)
		ctx := otel.GetTextMapPropagator().Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := tracer.Start(ctx, method+" "+path, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
			attribute.String("http.request.method", method), attribute.String("http.route", path),
			attribute.String("url.path", r.URL.Path)))
		defer span.End()
		inFlight.Inc()
		defer inFlight.Dec()

		answer := &recorder{ResponseWriter: w}
		err := call(next, answer, r.WithContext(ctx))
		status := cmp.Or(answer.status, http.StatusOK) // what net/http sends where nothing was written
		if r.Context().Err() != nil {
			status, err = abandoned, nil
		}
		cut := err != nil && answer.status != 0
		if err != nil {
			status = http.StatusInternalServerError
			span.RecordError(err)
		}
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, http.StatusText(status))
		}
		if err != nil && !cut {
			http.Error(answer, "internal error", status)
		}
		seconds := time.Since(began).Seconds()
		requests.WithLabelValues(method, path, strconv.Itoa(status)).Inc()
		duration.WithLabelValues(method, path).Observe(seconds)
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		logRequest(ctx, status, err, "method", method, "path", path, "url", r.URL.Path, "status", status,
			"duration_ms", int(seconds*1000))
		if cut {
			panic(http.ErrAbortHandler) // half an answer must not look like a whole one
		}
	})
}

// call turns a panic into an error: net/http would write it as many lines.
func call(next handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{value, string(debug.Stack())}
		}
	}()
	return next(w, r)
}

func logRequest(ctx context.Context, status int, err error, fields ...any) {
	if status < http.StatusInternalServerError {
		slog.InfoContext(ctx, "request served", fields...)
		return
	}
	if err != nil {
		fields = append(fields, "error", err.Error())
	}
	if panicked, ok := err.(*panicError); ok {
		fields = append(fields, "stack", panicked.stack)
	}
	slog.ErrorContext(ctx, "request failed", fields...)
}

// boundMethod: anybody can send a method of their own; those beyond these are one value.
func boundMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions:
		return method
	}
	return "OTHER"
}

// boundPath is the path of a mux's pattern, and "unknown" for "/", which takes what no other pattern does.
func boundPath(pattern string) string {
	path := pattern[strings.Index(pattern, "/"):]
	if path == "/" {
		return "unknown"
	}
	return strings.TrimSuffix(path, "{$}")
}
