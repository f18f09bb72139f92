package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// terminal is what a command talks to: data goes to out, everything else to err.
type terminal struct {
	in       io.Reader
	out, err io.Writer
	output   string // outputText, or as --output says
	json     bool   // output is outputJSON
}

// The values of --output. A command that takes one of its own has it in its annotation furtherOutput.
const (
	outputText    = "text"
	outputJSON    = "json"
	outputJUnit   = "junit"
	furtherOutput = "further-output"
)

func (t *terminal) setOutput(cmd *cobra.Command) error {
	output, _ := cmd.Flags().GetString("output")
	taken := []string{outputText, outputJSON}
	if further, ok := cmd.Annotations[furtherOutput]; ok {
		taken = append(taken, further)
	}
	if !slices.Contains(taken, output) {
		last := len(taken) - 1
		return usagef("--output is %s or %s, not %q", strings.Join(taken[:last], ", "), taken[last], output)
	}
	t.output, t.json = output, output == outputJSON
	return nil
}

// printJSON writes a value as indented JSON, with <, > and & as they are.
func (t *terminal) printJSON(value any) error {
	encoder := json.NewEncoder(t.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// printJSONLine writes a value as JSON on a line of its own, for commands that tell as they go.
func (t *terminal) printJSONLine(value any) error {
	encoder := json.NewEncoder(t.out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// colours marks verdicts, and nothing else. It prints no escapes without a terminal or with NO_COLOR.
type colours struct{ on bool }

func coloursFor(w io.Writer) colours {
	return colours{on: isTerminal(w) && os.Getenv("NO_COLOR") == ""}
}

func (c colours) green(s string) string  { return c.paint("32", s) }
func (c colours) red(s string) string    { return c.paint("31", s) }
func (c colours) yellow(s string) string { return c.paint("33", s) }
func (c colours) dim(s string) string    { return c.paint("2", s) }

func (c colours) paint(code, s string) string {
	if !c.on {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func isTerminal(w any) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// printTable writes rows under a head, columns three blanks apart.
func printTable(w io.Writer, head []string, rows [][]string) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, strings.Join(head, "\t"))
	for _, row := range rows {
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	return table.Flush()
}

// oneLine makes text from outside fit for one line of a terminal: no control characters, at most limit runes.
func oneLine(text string, limit int) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(clean); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return clean
}

// manyLines makes text from outside fit for a terminal, keeping its line breaks.
func manyLines(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = oneLine(line, 10_000)
	}
	return strings.Join(lines, "\n")
}

// ago tells how long before now a moment was: "2 min ago".
func ago(then, now time.Time) string {
	switch d := now.Sub(then); {
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days ago", int(d.Hours()/24))
	}
}

// count is a number with its noun: "1 rule", "2 rules".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
