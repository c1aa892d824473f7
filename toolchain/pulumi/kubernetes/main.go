// Command pulumi-resource-kubernetes is the provider of pulumi-kubernetes as of 2026-01-15, between 4.24.0 and 4.26.0: the
// newest one with a verifiable module.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

// Both files are the module's own; the build copies them here.
//
//go:embed schema-embed.json
var schema []byte

//go:embed terraform-mapping.json
var mapping []byte

// Version is stamped by the build with that of the Python SDK, whose request this binary answers.
var Version string

func main() { provider.Serve("kubernetes", Version, schema, mapping) }
