package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

// problems collects messages, each naming its file and field.
type problems struct{ list []string }

func (p *problems) add(where, format string, args ...any) {
	p.list = append(p.list, where+": "+fmt.Sprintf(format, args...))
}

func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	return errors.New(strings.Join(p.list, "; "))
}

// value is one provisioning value with the file and field it stands in.
type value struct {
	raw   any
	set   bool
	where string
	probs *problems
}

// provisioningFiles lists the YAML files of a folder by name; a missing folder has none, as in Grafana.
func provisioningFiles(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var files []string
	for _, entry := range entries {
		if ext := filepath.Ext(entry.Name()); ext == ".yaml" || ext == ".yml" {
			files = append(files, filepath.Join(folder, entry.Name()))
		}
	}
	return files, err
}

// readYAML reads one document with expanded variables; nil means an empty file or a problem already told.
func readYAML(file string, probs *problems) *value {
	raw, err := os.ReadFile(file)
	if err != nil {
		probs.add(file, "%v", err)
		return nil
	}
	var document any
	if err := yaml.Unmarshal(raw, &document); err != nil {
		probs.add(file, "not YAML: %v", err)
		return nil
	}
	if document == nil {
		return nil
	}
	v := &value{raw: document, set: true, where: file, probs: probs}
	v.raw = v.expand(document)
	if version := v.key("apiVersion"); version.raw != 1 {
		probs.add(version.where, "must be 1")
	}
	return v
}

func (v value) key(name string) value {
	fields, _ := v.raw.(map[string]any)
	raw, ok := fields[name]
	separator := "."
	if v.where != "" && !strings.Contains(v.where, " ") {
		separator = " " // after the file's name the field begins
	}
	return value{raw: raw, set: ok && raw != nil, where: v.where + separator + name, probs: v.probs}
}

// object refuses anything but a mapping of the allowed keys.
func (v value) object(allowed ...string) bool {
	fields, ok := v.raw.(map[string]any)
	if !ok {
		v.probs.add(v.where, "must be a mapping")
		return false
	}
	for _, name := range sortedKeys(fields) {
		if !slices.Contains(allowed, name) {
			v.probs.add(v.key(name).where, "unknown field (known: %s)", strings.Join(allowed, ", "))
		}
	}
	return true
}

func (v value) items() []value {
	if !v.set {
		return nil
	}
	list, ok := v.raw.([]any)
	if !ok {
		v.probs.add(v.where, "must be a list")
	}
	out := make([]value, len(list))
	for i, raw := range list {
		out[i] = value{raw: raw, set: true, where: fmt.Sprintf("%s[%d]", v.where, i), probs: v.probs}
	}
	return out
}

func (v value) text() string {
	if !v.set {
		return ""
	}
	if text, ok := v.raw.(string); ok {
		return text
	}
	if n, ok := v.raw.(int); ok {
		return fmt.Sprint(n)
	}
	v.probs.add(v.where, "must be a string")
	return ""
}

func (v value) boolean() bool {
	flag, ok := v.raw.(bool)
	if v.set && !ok {
		v.probs.add(v.where, "must be true or false")
	}
	return flag
}

func (v value) integer(fallback int) int {
	if !v.set {
		return fallback
	}
	n, ok := v.raw.(int)
	if !ok {
		v.probs.add(v.where, "must be a whole number")
	}
	return n
}

func (v value) mapping() map[string]any {
	fields, ok := v.raw.(map[string]any)
	if v.set && !ok {
		v.probs.add(v.where, "must be a mapping")
	}
	return fields
}

var variable = regexp.MustCompile(`\$\$|\$__(file|env)\{([^}]*)\}|\$\{(\w+)\}|\$([A-Za-z_]\w*)`)

// expand replaces variables in all strings: $__file{path}, $__env{NAME}, ${NAME}, $NAME; $$ is a dollar sign.
// https://grafana.com/docs/grafana/latest/administration/provisioning/#using-environment-variables
func (v value) expand(raw any) any {
	switch x := raw.(type) {
	case map[string]any:
		for name, child := range x {
			here := v.key(name)
			x[name] = here.expand(child)
		}
	case []any:
		for i, child := range x {
			x[i] = value{where: fmt.Sprintf("%s[%d]", v.where, i), probs: v.probs}.expand(child)
		}
	case string:
		return variable.ReplaceAllStringFunc(x, v.replace)
	}
	return raw
}

func (v value) replace(match string) string {
	if match == "$$" {
		return "$"
	}
	parts := variable.FindStringSubmatch(match)
	if parts[1] == "file" {
		raw, err := os.ReadFile(parts[2])
		if err != nil {
			v.probs.add(v.where, "%v", err)
		}
		return strings.TrimSpace(string(raw))
	}
	return os.Getenv(parts[2] + parts[3] + parts[4])
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
