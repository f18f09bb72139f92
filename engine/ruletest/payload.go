package ruletest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/peanuts-router/peanuts-router/peanuts"
)

// maxPayload is how much of a payload file is read: what a router would take.
const maxPayload = 1 << 20

// readPayload reads a payload file; one that is not named from the root is looked for beside the test file.
func readPayload(name, beside string) ([]byte, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(beside), name)
	}
	from, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	body, err := io.ReadAll(io.LimitReader(from, maxPayload+1))
	if err == nil && len(body) > maxPayload {
		err = fmt.Errorf("%s has more than 1 MiB, which no router takes", name)
	}
	return body, err
}

// body is the payload of an occasion as the file or the test has it, before anything is set.
func (r *reader) body(o *occasion) ([]byte, error) {
	if o.Event != nil {
		return []byte(writeJSON(valueOf(o.Event))), nil
	}
	return readPayload(o.Payload.Value, r.path)
}

// event makes the event of an occasion, and tells when it arrives: at its time, else at its timestamp.
func (r *reader) event(o *occasion) (*peanuts.Event, time.Time) {
	at := r.time(o.At)
	fault := o.Payload.Fault
	if o.Event != nil {
		fault = o.Event.Fault
	}
	body, err := r.body(o)
	if err != nil {
		r.tell(fault("no-payload", "the payload cannot be read: "+err.Error()))
		return nil, at
	}
	e, err := peanuts.Parse(body)
	if err != nil {
		r.tell(fault("no-event", "this is no event: "+err.Error()))
		return nil, at
	}
	if !o.At.IsSet() && e.Timestamp.IsZero() {
		r.tell(o.Where.Fault("missing-key", "at is missing: the event has no timestamp that would tell when it arrives"))
		return nil, at
	}
	changed, err := r.changed(o, body, at)
	if err != nil {
		r.tell(fault("no-event", "with what is set this is no event: "+err.Error()))
		return nil, at
	}
	if !o.At.IsSet() {
		at = changed.Timestamp.In(r.loaded.Zone())
	}
	return changed, at
}

// changed is an event with what the test sets. Its timestamp becomes the time of the test, unless the test says another.
func (r *reader) changed(o *occasion, body []byte, at time.Time) (*peanuts.Event, error) {
	value, err := readJSON(body)
	if err != nil {
		return nil, err
	}
	fields, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("the body is not a JSON object")
	}
	if _, there := fields["timestamp"]; o.At.IsSet() && (!there || o.Event == nil) {
		fields["timestamp"] = at.Format(time.RFC3339Nano)
	}
	for _, name := range o.Unset {
		if err := put(fields, pathOf(name.Value), nil, true); err != nil {
			r.tell(name.Fault("bad-path", err.Error()))
		}
	}
	for _, member := range o.Set.List {
		if err := put(fields, pathOf(member.Name.Value), valueOf(member.Value), false); err != nil {
			r.tell(member.Name.Fault("bad-path", err.Error()))
		}
	}
	return peanuts.Parse([]byte(writeJSON(fields)))
}

// pathOf takes a path such as entry.data.tags.0 apart.
func pathOf(text string) []string { return strings.Split(text, ".") }

// put sets what stands at a path, or takes it away. Objects on the way are made.
func put(fields map[string]any, steps []string, value any, away bool) error {
	var in any = fields
	for i, step := range steps {
		last := i == len(steps)-1
		switch container := in.(type) {
		case map[string]any:
			switch {
			case step == "":
				return fmt.Errorf("%q is no path such as entry.data.amount", strings.Join(steps, "."))
			case last && away:
				delete(container, step)
			case last:
				container[step] = value
			case container[step] == nil:
				container[step] = map[string]any{}
			}
			in = container[step]
		case []any:
			index, err := strconv.Atoi(step)
			if err != nil || index < 0 || index >= len(container) {
				return fmt.Errorf("%s has no item %s", strings.Join(steps[:i], "."), step)
			}
			if last && away {
				return fmt.Errorf("an item of a list cannot be taken away; set the list")
			}
			if last {
				container[index] = value
			}
			in = container[index]
		default:
			return fmt.Errorf("%s is neither an object nor a list", strings.Join(steps[:i], "."))
		}
	}
	return nil
}
