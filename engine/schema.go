package engine

import _ "embed"

// RulesSchema is the JSON Schema of a rules file, as rulefile.Schema makes it.
//
//go:embed rules.schema.json
var RulesSchema []byte
