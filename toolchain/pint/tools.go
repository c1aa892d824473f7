//go:build tools

// Package tools names the program so that its dependencies are locked.
package tools

import _ "github.com/cloudflare/pint/cmd/pint"
