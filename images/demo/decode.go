package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
)

// problems collects every mistake of a document, so that its author sees all of them at once.
type problems struct{ list []string }

func (p *problems) add(path, format string, args ...any) {
	p.list = append(p.list, path+": "+fmt.Sprintf(format, args...))
}

func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	sort.Strings(p.list)
	return errors.New(strings.Join(p.list, "\n"))
}

// node is one JSON value together with its path, read strictly.
type node struct {
	value any
	set   bool
	path  string
	probs *problems
}

// parseJSON reads exactly one JSON document.
func parseJSON(raw []byte, path string, probs *problems) (node, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	var value any
	if err := decoder.Decode(&value); err != nil {
		return node{}, fmt.Errorf("%s: not JSON: %w", path, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return node{}, fmt.Errorf("%s: text after the JSON document", path)
	}
	return node{value: value, set: true, path: path, probs: probs}, nil
}

// object checks that the node is an object with no keys but the allowed ones.
func (n node) object(allowed ...string) bool {
	fields, ok := n.fields()
	if !ok {
		return false
	}
	for _, key := range sortedKeys(fields) {
		if !slices.Contains(allowed, key) {
			n.probs.add(n.path+"."+key, "unknown key, did you mean %q? (known: %s)", nearest(key, allowed), strings.Join(allowed, ", "))
		}
	}
	return true
}

func (n node) fields() (map[string]any, bool) {
	fields, ok := n.value.(map[string]any)
	if !ok {
		n.probs.add(n.path, "must be an object, is %s", kind(n))
	}
	return fields, ok
}

// key returns a child; a null child counts as absent.
func (n node) key(name string) node {
	fields, _ := n.value.(map[string]any)
	value, ok := fields[name]
	return node{value: value, set: ok && value != nil, path: n.path + "." + name, probs: n.probs}
}

// children returns the members of an object of free names, sorted by name.
func (n node) children() (names []string, nodes []node) {
	fields, ok := n.fields()
	if !ok {
		return nil, nil
	}
	for _, name := range sortedKeys(fields) {
		names = append(names, name)
		nodes = append(nodes, node{value: fields[name], set: true, path: n.path + "." + name, probs: n.probs})
	}
	return names, nodes
}

func (n node) items() []node {
	if !n.set {
		return nil
	}
	list, ok := n.value.([]any)
	if !ok {
		n.probs.add(n.path, "must be a list, is %s", kind(n))
		return nil
	}
	out := make([]node, len(list))
	for i, value := range list {
		out[i] = node{value: value, set: true, path: fmt.Sprintf("%s[%d]", n.path, i), probs: n.probs}
	}
	return out
}

// text reads a string; with required it must be there and not empty.
func (n node) text(required bool) string {
	if !n.set {
		if required {
			n.probs.add(n.path, "required")
		}
		return ""
	}
	value, ok := n.value.(string)
	if !ok {
		n.probs.add(n.path, "must be a string, is %s", kind(n))
	} else if required && value == "" {
		n.probs.add(n.path, "must not be empty")
	}
	return value
}

// scalar reads a string or a number.
func (n node) scalar() any {
	switch n.value.(type) {
	case string, float64:
	default:
		n.probs.add(n.path, "must be a string or a number, is %s", kind(n))
	}
	return n.value
}

func (n node) oneOf(fallback string, allowed ...string) string {
	if !n.set && fallback != "" {
		return fallback
	}
	value := n.text(true)
	if value != "" && !slices.Contains(allowed, value) {
		n.probs.add(n.path, "%q is not known, did you mean %q? (known: %s)", value, nearest(value, allowed), strings.Join(allowed, ", "))
	}
	return value
}

// number reads a number within [low, high]; the fallback stands for an absent one.
func (n node) number(fallback, low, high float64) float64 {
	if !n.set {
		return fallback
	}
	value, ok := n.value.(float64)
	if !ok {
		n.probs.add(n.path, "must be a number, is %s", kind(n))
		return fallback
	}
	if value < low || value > high {
		n.probs.add(n.path, "%g is not between %g and %g", value, low, high)
		return fallback
	}
	return value
}

func (n node) texts() []string {
	var out []string
	for _, item := range n.items() {
		value := item.text(true)
		if slices.Contains(out, value) {
			item.probs.add(item.path, "%q occurs twice", value)
		}
		out = append(out, value)
	}
	return out
}

func kind(n node) string {
	switch n.value.(type) {
	case nil:
		return "absent"
	case string:
		return "a string"
	case float64:
		return "a number"
	case bool:
		return "a boolean"
	case []any:
		return "a list"
	default:
		return "an object"
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// nearest returns the candidate with the smallest edit distance.
func nearest(word string, candidates []string) string {
	best, bestDistance := "", 1<<30
	for _, candidate := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(candidate)); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		previous := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := previous
			if a[i-1] != b[j-1] {
				cost++
			}
			previous = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
