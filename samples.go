// Package peanutsrouter holds what the demo shows: the example rules and the sample events of this repository.
package peanutsrouter

import "embed"

// ExampleRules is rules.example.yaml.
//
//go:embed rules.example.yaml
var ExampleRules []byte

// Samples are the events below testdata.
//
//go:embed testdata/*.json
var Samples embed.FS
