package store

import "database/sql"

// sums holds the rows of the small tables against their sums. Those of the books, and events, are held where they are looked
// through.
func (a *audit) sums() error {
	return a.hold([]promise{
		{"what is counted of dead letters is as it was written", `SELECT action FROM deaths x WHERE NOT (` + deathsAreSound + `)`},
		{"what is remembered of the router's own events is as it was written", `SELECT event || ' of action ' || action FROM alerts WHERE NOT (` + alertIsSound + `)`},
		{"what holds an action is as it was written", `SELECT action || ': ' || reason FROM holds WHERE NOT (` + holdIsSound + `)`},
		{"what is known of a stat is as it was written", `SELECT name FROM stats WHERE NOT (` + statIsSound + `)`},
		{"the rules that were kept are as they were read", `SELECT name FROM kept_rules WHERE NOT (` + keptIsSound + `)`},
	})
}

// hold finds where promises do not hold: of each, broken is the question that lists those places.
func (a *audit) hold(promises []promise) error {
	for _, promise := range promises {
		err := a.rows(promise.broken, func(rows *sql.Rows) error {
			var where string
			err := rows.Scan(&where)
			a.found(promise.says, where)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
