package store_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
	"github.com/peanuts-router/peanuts-router/store"
)

// The statements of the package by the names of their constants, and how each finds its rows: of every table the index, with
// the columns that are looked for in it; row stands for the row's number and key for the primary key of a table without one.
var ways = map[string]string{
	// With each event, and with each delivery of it.
	"countDuplicate":     "events: events_bytes (timestamp digest), e: row",
	"selectEntry":        "n: key (id)",
	"selectBody":         "e: row",
	"syncedOf":           "s: key (entry)",
	"cancelOlder":        "deliveries: deliveries_following (entry)",
	"cancelTwins":        "deliveries: deliveries_following (entry rule step)",
	"lineOf":             "deliveries: deliveries_following (entry rule step), deliveries: deliveries_reminded (entry rule step at)",
	"hasWaiting":         "deliveries: deliveries_following (entry rule step)",
	"selectFollower":     "d: row, n: key (id), c: claims_by_event (event rule), h: row, w: deliveries_following (entry rule step)",
	"whoClaims":          "c: key (rule value)",
	"noteSuppressed":     "claims: claims_by_event (event rule)",
	"releaseClaim":       "claims: claims_by_event (event rule), events: row, deliveries: row (> <)",
	"forgetSynced":       "synced: key (entry rule step)",
	"lineIsBusy":         "deliveries: deliveries_lines (action line state), deliveries: deliveries_lines (action line state turn)",
	"isInTheWay":         "d: row, o: deliveries_lines (action line state), o: deliveries_lines (action line state turn)",
	"joinLine":           "deliveries: row",
	"moveUp":             "deliveries: row, d: row, o: deliveries_lines (action line state), o: deliveries_lines (action line state turn), w: deliveries_lines (action line state turn)",
	"currentStats":       "stats: stats_current",
	"selectContribution": "c: key (stat entry)",
	"dropContribution":   "contributions: key (stat entry)",
	"selectTotal":        "totals: key (stat user period unit grp)",
	"dropTotal":          "totals: key (stat user period unit grp)",
	"diedAlone":          "d: row, e: row",
	"markOwn":            "events: row",
	"tellDeaths":         "deaths: key (action)",

	// With each attempt.
	"anyDue":          "deliveries: deliveries_due (action next_at<)",
	"selectDue":       "d: deliveries_due (action next_at<), o: deliveries_open (state), o: deliveries_following (entry rule step), e: row, n: key (id), c: claims_by_event (event rule), h: row",
	"cancelOne":       "deliveries: row",
	"takeLease":       "deliveries: row",
	"findRow":         "e: events_id (id), d: row",
	"settleDelivered": "deliveries: row",
	"settleOther":     "deliveries: row",
	"insertAttempt":   "deliveries: row",
	"liftHold":        "holds: key (action reason)",

	// Every second or every few. What is being sent is no more than the couriers have in their hands; deaths, alerts, holds and
	// stats are as few as actions and rules.
	"dueActions":    "deliveries: deliveries_due, deliveries: deliveries_due (action>), d: deliveries_due (action next_at<)",
	"anyExpired":    "deliveries: deliveries_open (state)",
	"buryExpired":   "deliveries: deliveries_open (state)",
	"freeExpired":   "deliveries: deliveries_open (state)",
	"diesOfExpired": "d: deliveries_open (state), e: row, sorted",
	"selectUntold":  "x:, d: row, e: row",
	"selectAlerts":  "alerts:",
	"selectHolds":   "holds:",
	"forgetHolds":   "holds:",

	// When somebody looks at the page, the metrics or the stats. What is dead, or could not be read, is counted in an index.
	"countOf pending":   "deliveries: deliveries_open (state)",
	"countOf sending":   "deliveries: deliveries_open (state)",
	"countOf dead":      "deliveries: deliveries_open (state)",
	"deadByAction":      "deliveries: deliveries_dead_by_action",
	"selectEvents":      "e: row (<)",
	"deliveriesBetween": "d: row (> <), e: row",
	"selectStats":       "stats: stats_current, sorted",
	"findStat":          "stats: stats_current (name)",
	"sumsOf":            "totals: key (stat user period)",
	"daysOf":            "totals: key (stat user period>), totals: key (stat user period>), t: key (stat user period), sorted",
	"countUnreadable":   "contributions: contributions_unreadable (stat)",
	"listUnreadable":    "contributions: contributions_unreadable (stat)",

	// When the clock has jumped. Only one that was set back looks through all that is pending.
	"moveWaits": "deliveries: deliveries_due (action next_at>), deliveries: deliveries_due, deliveries: deliveries_due (action>)",
	"moveLines": "deliveries: deliveries_open (state)",
	"moveLease": "deliveries: deliveries_open (state)",
	"moveHolds": "holds:",
	"moveTold":  "alerts:",

	// Every minute or hour, or when rules change, in batches.
	"lookForPrunable":    "e: row (>), events:, n: key (id), d: row (> <)",
	"isPrunable":         "e: row, events:, n: key (id), d: row (> <)",
	"dropAttempts":       "attempts: key (delivery> delivery<)",
	"dropDeliveries":     "deliveries: row (> <)",
	"dropReplays":        "replays: key (event)",
	"dropEvent":          "events: row",
	"placeStat":          "stats: row",
	"retireStat":         "stats: row",
	"reachStat":          "stats: row",
	"unfinishedStats":    "stats:",
	"entriesAfter":       "n: key (id>), e: row",
	"retiredStat":        "stats:",
	"clearContributions": "contributions: key (stat entry), contributions: key (stat)",
	"clearTotals":        "totals: key (stat user period unit grp), totals: key (stat)",
	"forgetStat":         "stats: row",
	"selectKept":         "kept_rules:",
	"forgetKept":         "",

	// By commands, for people who ask.
	"selectEvent":          "e: events_id (id)",
	"bodyOf":               "e: events_id (id)",
	"twoFrom":              "events: events_id (id>)",
	"selectAttempts":       "t: key (delivery), d: row",
	"selectReplays":        "e: events_id (id), r: key (event)",
	"givenOut":             "e: events_id (id), d: row (> <), replays: key (event)",
	"findDelivery":         "e: events_id (id), d: row",
	"replayDead":           "d: row, o: deliveries_lines (action line state), o: deliveries_lines (action line state turn)",
	"discardDead":          "d: row",
	"discardOpen":          "deliveries: row",
	"newestDead":           "deliveries: deliveries_open (state)",
	"someDead of any":      "d: deliveries_open (state seq> seq<)",
	"someDead of a filter": "d: deliveries_dead_by_action (action > <)",
	"selectBodies":         "e: row (<)",
	"arrivedAfter":         "e: row (>)",
	"countEvents":          "events: events_id",
	"eventsOfEntry":        "e:",

	// By check, which looks through everything.
	"eventsWithEntries": "e:, n: key (id)",
	"goneEvents":        "events: events_bytes",
	"liveContributions": "s: stats_current, c: key (stat)",
	"liveTotals":        "s: stats_current, t: key (stat)",
	"misplaced":         "events:",
	"orphanClaims":      "c: claims_by_event, e: events_id (id)",
	"overtold":          "deaths:",
	"statNames":         "stats:",
	"takeBalance":       "events:, deliveries:, e:, d:, attempts:",
}

// F39: to find its rows no statement goes through more than it was written to. SQLite does not know what grows: it takes an
// index behind which all of a backlog stands, and calls that a search.
func TestEveryStatementGoesTheWayItMust(t *testing.T) {
	fresh := open(t, store.Config{})
	defer shut(t, fresh)
	analyzed := nearlyEmptyWhenAnalyzed(t)
	defer shut(t, analyzed)
	all := statements(t)
	for name := range ways {
		if _, there := all[name]; !there {
			t.Errorf("%s is no statement any more", name)
		}
	}
	for name, text := range all {
		want, known := ways[name]
		if !known {
			t.Errorf("%s is a statement of which nobody has said how it finds its rows", name)
		}
		for which, s := range map[string]*store.Store{"fresh store": fresh, "store that was analyzed when it was nearly empty": analyzed} {
			if got := wayOf(t, s, text); got != want {
				t.Errorf("%s finds its rows in a %s by\n\t%s\nand it must by\n\t%s", name, which, got, want)
			}
		}
	}
}

// nearlyEmptyWhenAnalyzed is a store with a few rows in each table, and statistics of them.
func nearlyEmptyWhenAnalyzed(t *testing.T) *store.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "router.db")
	s := open(t, store.Config{Path: path})
	now := time.Now()
	for n := range 3 {
		if _, err := s.Accept(t.Context(), acceptance(n, now, "ledger")); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{
		`INSERT INTO claims (rule, value, event, crc) SELECT 'rule ' || seq, 'value', id, 0 FROM events`,
		`ANALYZE`,
	} {
		if err := s.Exec(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	shut(t, s)
	s = open(t, store.Config{Path: path})
	if _, err := s.EventCount(t.Context()); err != nil { // a connection sees what others did to the schema when it reads
		t.Fatal(err)
	}
	return s
}

var planLine = regexp.MustCompile(`^(?:SEARCH|SCAN) (\S+)(?: EXISTS)?(?: USING (?:COVERING )?(INDEX \S+|INTEGER PRIMARY KEY|PRIMARY KEY))?(?: \((.*)\))?(?: LEFT-JOIN)?$`)

// wayOf is how a store carries out a statement, as ways tell it.
func wayOf(t *testing.T, s *store.Store, text string) string {
	t.Helper()
	plan, err := s.Plan(t.Context(), text, make([]any, parameters(text))...)
	if err != nil {
		t.Errorf("the plan of %q: %v", text, err)
	}
	var steps []string
	for _, line := range strings.Split(plan, "\n") {
		step := planLine.FindStringSubmatch(line)
		switch {
		case strings.Contains(line, "TEMP B-TREE"):
			steps = append(steps, "sorted")
		case step == nil || step[1] == "known" || line == "SCAN CONSTANT ROW":
		default:
			by := strings.NewReplacer("INDEX ", "", "INTEGER PRIMARY KEY", "row", "PRIMARY KEY", "key", "sqlite_autoindex_events_1", "events_id").Replace(step[2])
			columns := strings.NewReplacer("rowid=?", "", "rowid", "", "=?", "", "?", "", " AND ", " ").Replace(step[3])
			steps = append(steps, strings.TrimSpace(step[1]+": "+strings.TrimSpace(by+" ("+columns+")")))
		}
	}
	return strings.ReplaceAll(strings.Join(steps, ", "), " ()", "")
}

var parameter = regexp.MustCompile(`\?(\d*)`)

// parameters is how many values a statement takes.
func parameters(text string) (n int) {
	for _, found := range parameter.FindAllStringSubmatch(text, -1) {
		if number, err := strconv.Atoi(found[1]); err == nil {
			n = max(n, number)
		} else {
			n++
		}
	}
	return n
}

// parts are constants that go on with something else, or are about the schema.
var parts = []string{"waitingActions", "countDeaths", "deliveryColumns", "eventColumns", "wholeEvents", "countDead", "someDead", "schemaText", "strangeTables", "hasStatistics", "SumUpEvents", "SumUpDeliveries"}

// statements are the constants of the package that are SQL and look for something, but for those of planted bugs.
func statements(t *testing.T) map[string]string {
	t.Helper()
	constants := map[string]ast.Expr{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "planted.go" {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == len(spec.Names) {
				for i, name := range spec.Names {
					constants[name.Name] = spec.Values[i]
				}
			}
			return true
		})
	}
	all := map[string]string{}
	for name, value := range constants {
		text := textOf(value, constants)
		verb, _, _ := strings.Cut(text, " ")
		looks := verb != "INSERT" || strings.Contains(text, " FROM ")
		if strings.Contains(" SELECT INSERT UPDATE DELETE WITH ", " "+verb+" ") && verb != "" && looks && !slices.Contains(parts, name) {
			all[name] = text
		}
	}
	all["someDead of a filter"], _ = store.SomeDead(store.Filter{Rule: "r", Action: "a", Since: time.Now(), Reason: "because"})
	all["someDead of any"], _ = store.SomeDead(store.Filter{})
	for _, state := range []engine.State{engine.Pending, engine.Sending, engine.Dead} {
		all["countOf "+string(state)] = store.CountOf(state)
	}
	return all
}

// textOf is a constant text; empty for what is none.
func textOf(value ast.Expr, constants map[string]ast.Expr) string {
	switch value := value.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(value.Value)
		return text
	case *ast.BinaryExpr:
		return textOf(value.X, constants) + textOf(value.Y, constants)
	case *ast.Ident:
		return textOf(constants[value.Name], constants)
	}
	return ""
}
