package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// healthPaths are asked in turn; the first that answers 2xx shows that the data source is there.
var healthPaths = map[string][]string{
	"prometheus":   {"/api/v1/status/buildinfo", "/-/healthy"},
	"loki":         {"/ready"},
	"alertmanager": {"/-/healthy"},
	"tempo":        {"/ready"},
	"jaeger":       {"/api/services"},
}

// idleTime is how long a connection to a data source stays open for the next question; a page asks many at a time.
const idleTime = 30 * time.Second

// newTransport applies a data source's TLS options.
func (d *Datasource) newTransport() *http.Transport {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	config.InsecureSkipVerify, _ = d.JSONData["tlsSkipVerify"].(bool)
	if own, _ := d.JSONData["tlsAuthWithCACert"].(bool); own {
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM([]byte(d.secure["tlsCACert"]))
	}
	return &http.Transport{
		TLSClientConfig: config, MaxIdleConnsPerHost: 16, IdleConnTimeout: idleTime, ResponseHeaderTimeout: 30 * time.Second,
	}
}

// authorize replaces the caller's credentials by those of the data source.
func (d *Datasource) authorize(header http.Header) {
	header.Del("Cookie")
	header.Del("Authorization")
	if d.BasicAuth {
		r := http.Request{Header: header}
		r.SetBasicAuth(d.BasicUser, d.secure["basicAuthPassword"])
	}
	for i := 1; ; i++ {
		name, ok := d.JSONData[fmt.Sprintf("httpHeaderName%d", i)].(string)
		if !ok {
			return
		}
		header.Set(name, d.secure[fmt.Sprintf("httpHeaderValue%d", i)])
	}
}

func (d *Datasource) get(in *http.Request, path string, query url.Values) (*http.Response, error) {
	address := strings.TrimRight(d.URL, "/") + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(in.Context(), http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	d.authorize(request.Header)
	return (&http.Client{Transport: d.transport, Timeout: 30 * time.Second}).Do(request)
}

func (s *Server) datasourceHealth(out http.ResponseWriter, in *http.Request) {
	d := s.state.datasource(in.PathValue("uid"))
	if d == nil {
		say(out, http.StatusNotFound, "Data source not found")
		return
	}
	paths, ok := healthPaths[d.Type]
	if !ok {
		reply(out, http.StatusNotImplemented, map[string]any{"status": "UNKNOWN", "message": "the viewer cannot check a data source of type " + d.Type})
		return
	}
	reason := ""
	for _, path := range paths {
		answer, err := d.get(in, path, nil)
		if err != nil {
			reason = err.Error()
			continue
		}
		_ = answer.Body.Close()
		if answer.StatusCode/100 == 2 {
			reply(out, http.StatusOK, map[string]any{"status": "OK", "message": path + " answers " + answer.Status})
			return
		}
		reason = path + " answers " + answer.Status
	}
	reply(out, http.StatusBadRequest, map[string]any{"status": "ERROR", "message": reason})
}

func (s *Server) proxy(out http.ResponseWriter, in *http.Request) {
	d := s.state.datasource(in.PathValue("uid"))
	if d == nil {
		say(out, http.StatusNotFound, "Data source not found")
		return
	}
	target, err := url.Parse(d.URL)
	if err != nil || target.Host == "" {
		say(out, http.StatusBadRequest, "the data source has no URL to ask")
		return
	}
	(&httputil.ReverseProxy{
		Transport: d.transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Path, r.Out.URL.RawPath = "/"+r.In.PathValue("path"), ""
			r.SetURL(target)
			d.authorize(r.Out.Header)
		},
		ModifyResponse: func(answer *http.Response) error {
			answer.Header.Set("Server", programName)
			// what a data source serves is no page of ours: it may set no cookie here, run nothing, and end no session
			answer.Header.Set("Content-Security-Policy", "sandbox")
			answer.Header.Del("Set-Cookie")
			answer.Header.Del("WWW-Authenticate")
			answer.Header.Del(loginHeader)
			return nil
		},
		ErrorHandler: func(out http.ResponseWriter, _ *http.Request, err error) {
			say(out, http.StatusBadGateway, err.Error())
		},
	}).ServeHTTP(out, in)
}

// dsQuery is the part of a query that this program understands.
type dsQuery struct {
	RefID      string                     `json:"refId"`
	Datasource struct{ UID, Type string } `json:"datasource"`
	Expr       string                     `json:"expr"`
	Instant    bool                       `json:"instant"`
	QueryType  string                     `json:"queryType"`
	IntervalMs float64                    `json:"intervalMs"`
}

// query answers instant and range queries of Prometheus and Loki, with the data source's own result beside
// the status instead of Grafana's data frames.
func (s *Server) query(out http.ResponseWriter, in *http.Request) {
	var body struct {
		Queries  []dsQuery `json:"queries"`
		From, To string
	}
	if err := json.NewDecoder(http.MaxBytesReader(out, in.Body, 1<<20)).Decode(&body); err != nil || len(body.Queries) == 0 {
		say(out, http.StatusBadRequest, "needs a JSON object with queries")
		return
	}
	results, status := map[string]any{}, http.StatusOK
	for _, q := range body.Queries {
		raw, err := s.ask(in, q, instant(body.From, time.Hour), instant(body.To, 0))
		if err != nil {
			results[q.RefID], status = map[string]any{"status": 400, "error": err.Error(), "frames": []any{}}, http.StatusBadRequest
			continue
		}
		results[q.RefID] = map[string]any{"status": 200, "frames": []any{}, "result": json.RawMessage(raw)}
	}
	reply(out, status, map[string]any{"results": results})
}

func (s *Server) ask(in *http.Request, q dsQuery, from, to time.Time) ([]byte, error) {
	d := s.state.datasource(q.Datasource.UID)
	if d == nil {
		return nil, fmt.Errorf("data source %q not found", q.Datasource.UID)
	}
	base, known := map[string]string{"prometheus": "/api/v1/", "loki": "/loki/api/v1/"}[d.Type]
	if !known {
		return nil, fmt.Errorf("the viewer cannot query a data source of type %s", d.Type)
	}
	query, path := url.Values{"query": {q.Expr}}, base+"query"
	if q.Instant || q.QueryType == "instant" {
		query.Set("time", seconds(to))
	} else {
		path += "_range"
		query.Set("start", seconds(from))
		query.Set("end", seconds(to))
		query.Set("step", strconv.FormatFloat(max(q.IntervalMs/1000, to.Sub(from).Seconds()/1000, 1), 'f', -1, 64))
	}
	answer, err := d.get(in, path, query)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(answer.Body, 16<<20))
	if err == nil && (answer.StatusCode != http.StatusOK || !json.Valid(raw)) {
		err = fmt.Errorf("%s: %.300s", answer.Status, raw)
	}
	return raw, err
}

// instant reads milliseconds since 1970 or now-1h; anything else is that long ago.
func instant(text string, ago time.Duration) time.Time {
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.UnixMilli(ms)
	}
	if d, err := time.ParseDuration(strings.TrimPrefix(text, "now-")); err == nil {
		ago = d
	}
	return time.Now().Add(-ago)
}

func seconds(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64) }
