package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/engine/rulefile"
	"github.com/peanuts-router/peanuts-router/engine/ruletest"
	"github.com/peanuts-router/peanuts-router/peanuts"
)

// The shapes that --suggest --output json prints.
type (
	suggestionJSON struct {
		Rule      engine.RuleName `json:"rule"`
		Expr      string          `json:"expr"`
		Place     string          `json:"place"`
		From      string          `json:"from,omitempty"` // the sample that the events were made from
		Undecided bool            `json:"undecided,omitempty"`
		Events    []suggestedJSON `json:"events"`
	}
	suggestedJSON struct {
		What    string           `json:"what"`
		Verdict ruletest.Verdict `json:"verdict"`
		Payload json.RawMessage  `json:"payload"`
	}
)

// suggest prints events around what the rules compare, for test files or rules files. Further payloads are samples.
func (j *testJob) suggest(args []string) error {
	if j.term.output == outputJUnit {
		return usagef("--suggest prints text or json, not junit")
	}
	var sources []string
	var samples []ruletest.Sample
	for _, arg := range args {
		if !strings.HasSuffix(arg, ".json") {
			sources = append(sources, arg)
			continue
		}
		sample, err := j.sample(arg)
		if err != nil {
			return err
		}
		samples = append(samples, sample)
	}
	if len(sources) == 0 {
		return usagef("--suggest takes a test file or a rules file")
	}
	var all []ruletest.Suggestion
	for _, source := range sources {
		rules, own, problems := j.toSuggest(source)
		if rules == nil {
			if err := problems.Errors().Report(j.term.err); err != nil {
				return err
			}
			return fmt.Errorf("%s in %s", problems.Errors().Summary(), source)
		}
		all = append(all, ruletest.Suggest(rules, append(own, samples...))...)
	}
	if j.term.json {
		return j.term.printJSON(map[string]any{"suggestions": suggestionsJSON(all)})
	}
	return printSuggestions(j.term.out, all)
}

func (j *testJob) sample(name string) (ruletest.Sample, error) {
	body, err := readPayload(name, j.term.in)
	if err != nil {
		return ruletest.Sample{}, err
	}
	event, err := peanuts.Parse(body)
	if err != nil {
		return ruletest.Sample{}, fmt.Errorf("%s is no event: %w", name, err)
	}
	return ruletest.Sample{Name: name, Event: event}, nil
}

// toSuggest loads the rules of a test file, with its events as samples, or those of a rules file.
func (j *testJob) toSuggest(source string) (*engine.Rules, []ruletest.Sample, rulefile.Problems) {
	if !strings.HasSuffix(source, "_test.yaml") {
		rules, problems := engine.Load(source, j.options())
		return rules, nil, problems
	}
	suite, problems := ruletest.Load(source, j.options())
	if suite == nil {
		return nil, nil, problems
	}
	return suite.Rules, suite.Samples(), problems
}

func printSuggestions(w io.Writer, all []ruletest.Suggestion) error {
	c := coloursFor(w)
	for _, s := range all {
		fmt.Fprintf(w, "%s  %s  %s\n", s.Rule, oneLine(s.Expr, 200), c.dim(s.Place.String()))
		switch {
		case s.Undecided:
			fmt.Fprintf(w, "    %s\n", c.yellow("fires for none of these: what else the rule asks for could not be worked out; give a sample payload for which it fires"))
		case s.From != "":
			fmt.Fprintf(w, "    %s\n", c.dim("made from "+oneLine(s.From, 200)))
		}
		for _, e := range s.Events {
			verdict := fmt.Sprintf("%-8s", e.Verdict)
			switch e.Verdict {
			case ruletest.Fires:
				verdict = c.green(verdict)
			case ruletest.Mismatched:
				verdict = c.yellow(verdict)
			case ruletest.Failed:
				verdict = c.red(verdict)
			}
			fmt.Fprintf(w, "    %-11s %s  %s\n", e.What, verdict, e.Payload)
		}
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "No rule compares a path with a constant.")
		return err
	}
	return nil
}

func suggestionsJSON(all []ruletest.Suggestion) []suggestionJSON {
	out := []suggestionJSON{}
	for _, s := range all {
		one := suggestionJSON{
			Rule: s.Rule, Expr: s.Expr, Place: s.Place.String(), From: s.From, Undecided: s.Undecided, Events: []suggestedJSON{},
		}
		for _, e := range s.Events {
			one.Events = append(one.Events, suggestedJSON{What: e.What, Verdict: e.Verdict, Payload: json.RawMessage(e.Payload)})
		}
		out = append(out, one)
	}
	return out
}
