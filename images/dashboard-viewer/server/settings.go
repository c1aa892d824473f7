package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

const (
	programName    = "dashboard-viewer"
	programVersion = "0.2.0"
)

// Settings are what this program understands of Grafana's environment; other GF_* variables are accepted and ignored.
// https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/
type Settings struct {
	Provisioning string
	Data         string
	User         string
	Password     string
	Address      string // host:port
	RootURL      string // ends with /
	SubPath      string // of RootURL, without a trailing slash; may be empty
	ServeSubPath bool
	Home         string // the file of the first dashboard; may be empty
}

// LoadSettings reads the environment; the error lists every problem.
func LoadSettings(getenv func(string) string) (Settings, error) {
	e := &environment{getenv: getenv}
	s := Settings{
		Provisioning: e.value("GF_PATHS_PROVISIONING", "/etc/grafana/provisioning"),
		Data:         e.value("GF_PATHS_DATA", "/var/lib/grafana"),
		User:         e.value("GF_SECURITY_ADMIN_USER", "admin"),
		Password:     e.password(),
		ServeSubPath: e.boolean("GF_SERVER_SERVE_FROM_SUB_PATH"),
		Home:         e.value("GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH", ""),
	}
	port := e.value("GF_SERVER_HTTP_PORT", "3000")
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		e.add("GF_SERVER_HTTP_PORT: %q is not a port", port)
	}
	s.Address = e.value("GF_SERVER_HTTP_ADDR", "") + ":" + port
	if protocol := e.value("GF_SERVER_PROTOCOL", "http"); protocol != "http" {
		e.add("GF_SERVER_PROTOCOL: %q: the viewer speaks http only", protocol)
	}
	root := strings.ReplaceAll(e.value("GF_SERVER_ROOT_URL", "http://localhost:"+port+"/"), "%(http_port)s", port)
	for _, word := range []string{"protocol", "domain"} {
		fallback := map[string]string{"protocol": "http", "domain": "localhost"}[word]
		root = strings.ReplaceAll(root, "%("+word+")s", e.value("GF_SERVER_"+strings.ToUpper(word), fallback))
	}
	parsed, err := url.Parse(root)
	if err != nil || parsed.Host == "" {
		e.add("GF_SERVER_ROOT_URL: %q is not an absolute URL", root)
	} else {
		s.SubPath = strings.TrimRight(parsed.Path, "/")
		s.RootURL = strings.TrimRight(root, "/") + "/"
	}
	e.writable(s.Data)
	return s, errors.Join(e.problems...)
}

type environment struct {
	getenv   func(string) string
	problems []error
}

func (e *environment) add(format string, args ...any) {
	e.problems = append(e.problems, fmt.Errorf(format, args...))
}

// fileText is Grafana's own way to name a file in a value, which unlike __FILE leaves no secret in the environment.
// https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/#variable-expansion
var fileText = regexp.MustCompile(`\$__file\{([^}]+)\}`)

// value reads a variable, or the file that its __FILE twin names, as Grafana's image does.
func (e *environment) value(name, fallback string) string {
	plain, file := e.getenv(name), e.getenv(name+"__FILE")
	switch {
	case plain != "" && file != "":
		e.add("both %s and %s__FILE are set (but are exclusive)", name, name)
	case file != "":
		raw, err := os.ReadFile(file)
		if err != nil {
			e.add("%s__FILE: %w", name, err)
		}
		plain = strings.TrimRight(string(raw), "\r\n")
	default:
		plain = fileText.ReplaceAllStringFunc(plain, func(found string) string {
			raw, err := os.ReadFile(fileText.FindStringSubmatch(found)[1])
			if err != nil {
				e.add("%s: %w", name, err)
			}
			return strings.TrimSpace(string(raw))
		})
	}
	if plain == "" {
		return fallback
	}
	return plain
}

// password has no default, and none is taken from the environment itself.
func (e *environment) password() string {
	const name = "GF_SECURITY_ADMIN_PASSWORD"
	if e.getenv(name+"__FILE") == "" && !fileText.MatchString(e.getenv(name)) {
		e.add("%s: must be $__file{PATH}, or %s__FILE a path: there is no default password", name, name)
		return ""
	}
	password := e.value(name, "")
	if password == "" && len(e.problems) == 0 {
		e.add("%s: the file is empty", name)
	}
	return password
}

func (e *environment) boolean(name string) bool {
	text := e.value(name, "false")
	value, err := strconv.ParseBool(text)
	if err != nil {
		e.add("%s: %q is neither true nor false", name, text)
	}
	return value
}

// writable insists on a data folder that can be written, which Grafana's database needs.
func (e *environment) writable(folder string) {
	file, err := os.Create(filepath.Join(folder, ".viewer-write-test"))
	if err != nil {
		e.add("GF_PATHS_DATA: %q is not writable: %w", folder, err)
		return
	}
	_ = file.Close()
	_ = os.Remove(file.Name())
}
