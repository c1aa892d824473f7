//go:build tools

// Package tools names the commands that are built from this module.
package tools

import _ "github.com/prometheus/prometheus/cmd/prometheus"
import _ "github.com/prometheus/prometheus/cmd/promtool"
