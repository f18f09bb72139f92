package traced

import "fmt"

// refusedOf says that every third event also goes to the action that is refused.
const refusedOf = 3

// rules fire for every event, and add each up.
func rules(target string) string {
	return fmt.Sprintf(`version: 1
actions:
  target:
    http: {url: "%[1]s%[2]s"}
  refusing:
    http: {url: "%[1]s%[3]s"}
rules:
  - name: every-expense
    when: helper.command == "/expenses"
    then:
      - action: target
  - name: high-expense
    when: helper.command == "/expenses" && entry.data.amount > 500
    then:
      - action: refusing
stats:
  expenses:
    when: helper.command == "/expenses"
    value: entry.data.amount
    group_by: entry.data.category
`, target, pathTake, pathRefuse)
}

func entry(n int) string { return fmt.Sprintf("entry-%d", n) }

// deliveries is how many an event owes.
func deliveries(n int) int {
	if n%refusedOf == 0 {
		return 2
	}
	return 1
}

// event is the nth event.
func event(n int) []byte {
	amount := 12
	if deliveries(n) == 2 {
		amount = 612
	}
	return fmt.Appendf(nil, `{"event":"entry.created","timestamp":"2026-11-23T10:15:00Z","helper":{"id":"helper-expenses","name":"Expenses","command":"/expenses"},`+
		`"entry":{"id":%q,"created_at":"2026-11-23T10:15:00Z","data":{"amount":%d.50,"category":"Travel","description":"Flight to the offsite"}},`+
		`"user":{"id":"user-%d"}}`, entry(n), amount, n%7)
}
