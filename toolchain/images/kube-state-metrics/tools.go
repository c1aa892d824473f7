//go:build tools

// Package tools names the command that is built from this module.
package tools

import _ "k8s.io/kube-state-metrics/v2"
