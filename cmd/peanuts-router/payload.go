package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
)

// maxPayload is how much of a payload file is read: what the router itself would take.
const maxPayload = 1 << 20

// readPayload reads a payload file; "-" is standard input.
func readPayload(name string, stdin io.Reader) ([]byte, error) {
	from := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("reading the payload: %w", err)
		}
		defer file.Close()
		from = file
	}
	body, err := io.ReadAll(io.LimitReader(from, maxPayload+1))
	if err != nil {
		return nil, fmt.Errorf("reading the payload %s: %w", name, err)
	}
	if len(body) > maxPayload {
		return nil, fmt.Errorf("reading the payload %s: more than 1 MiB, which no router takes", name)
	}
	return body, nil
}

// refreshed returns the payload as if it were sent now, its numbers as they stand; with freshID as an entry of its own.
func refreshed(body []byte, now time.Time, freshID bool) ([]byte, error) {
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	var event map[string]any
	if err := decoder.Decode(&event); err != nil {
		return nil, fmt.Errorf("reading the payload as a JSON object: %w", err)
	}
	event["timestamp"] = now.UTC().Format(time.RFC3339Nano)
	if entry, ok := event["entry"].(map[string]any); ok && freshID {
		entry["id"] = "entry-" + uuid.NewString()
	}
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(event); err != nil {
		return nil, fmt.Errorf("writing the payload: %w", err)
	}
	return []byte(strings.TrimSuffix(out.String(), "\n")), nil
}
