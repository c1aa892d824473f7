package main

import (
	"fmt"
	"slices"
	"strings"
)

var builtIn = []string{"", "grafana", "default", "-- Grafana --", "-- Mixed --", "-- Dashboard --", "__expr__"}

func eachPanel(raw any, path string, visit func(path string, panel map[string]any)) {
	list, _ := raw.([]any)
	for i, item := range list {
		if fields, ok := item.(map[string]any); ok {
			here := fmt.Sprintf("%s[%d]", path, i)
			visit(here, fields)
			eachPanel(fields["panels"], here+".panels", visit)
		}
	}
}

// reference reads a data source reference, an object or the older plain name.
func reference(raw any) (uid, kind string) {
	switch x := raw.(type) {
	case string:
		return x, ""
	case map[string]any:
		uid, _ = x["uid"].(string)
		kind, _ = x["type"].(string)
	}
	return uid, kind
}

// warnings tells where dashboards and data sources refer to a data source that is not there.
func warnings(dashboards []*Dashboard, datasources []*Datasource) []string {
	out := []string{}
	for _, d := range dashboards {
		variables := variablesOf(d)
		check := func(path string, raw any) {
			if problem := checkReference(raw, variables, datasources); problem != "" {
				out = append(out, fmt.Sprintf("%s %s.datasource: %s", d.File, path, problem))
			}
		}
		eachPanel(d.JSON["panels"], "panels", func(path string, raw map[string]any) {
			check(path, raw["datasource"])
			each(raw["targets"], path+".targets", check)
		})
		templating, _ := d.JSON["templating"].(map[string]any)
		each(templating["list"], "templating.list", check)
		annotations, _ := d.JSON["annotations"].(map[string]any)
		each(annotations["list"], "annotations.list", check)
	}
	for _, d := range datasources {
		linked(d.JSONData, d.where+".jsonData", func(path, uid string) {
			if problem := checkReference(uid, nil, datasources); problem != "" {
				out = append(out, path+": "+problem)
			}
		})
	}
	return out
}

func each(raw any, path string, check func(path string, raw any)) {
	list, _ := raw.([]any)
	for i, item := range list {
		if fields, ok := item.(map[string]any); ok {
			check(fmt.Sprintf("%s[%d]", path, i), fields["datasource"])
		}
	}
}

// linked finds references between data sources: exemplars, derived fields, traces to logs.
func linked(raw any, path string, check func(path, uid string)) {
	switch x := raw.(type) {
	case map[string]any:
		for _, name := range sortedKeys(x) {
			uid, isText := x[name].(string)
			if isText && (name == "datasourceUid" || name == "alertmanagerUid") {
				check(path+"."+name, uid)
			} else {
				linked(x[name], path+"."+name, check)
			}
		}
	case []any:
		for i, item := range x {
			linked(item, fmt.Sprintf("%s[%d]", path, i), check)
		}
	}
}

func variablesOf(d *Dashboard) []string {
	var names []string
	templating, _ := d.JSON["templating"].(map[string]any)
	list, _ := templating["list"].([]any)
	for _, item := range list {
		if fields, ok := item.(map[string]any); ok {
			name, _ := fields["name"].(string)
			names = append(names, name)
		}
	}
	return names
}

func checkReference(raw any, variables []string, datasources []*Datasource) string {
	uid, kind := reference(raw)
	if slices.Contains(builtIn, uid) {
		return ""
	}
	if strings.HasPrefix(uid, "$") {
		name, _, _ := strings.Cut(strings.Trim(uid, "${}[]"), ":")
		if !slices.Contains(variables, name) {
			return fmt.Sprintf("variable %q is not declared", name)
		}
		return ""
	}
	for _, d := range datasources {
		if d.UID != uid && d.Name != uid {
			continue
		}
		if kind != "" && kind != d.Type {
			return fmt.Sprintf("%q is a data source of type %s, not %s", uid, d.Type, kind)
		}
		return ""
	}
	return fmt.Sprintf("no data source has the uid %q", uid)
}
