package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The names in the rules file.
const (
	actionLedger    = "ledger"
	actionLimited   = "limited"
	actionSilent    = "silent"
	actionChat      = "chat"
	actionPost      = "post"
	actionTable     = "table"
	actionReminders = "reminders"

	ruleBook        = "book"
	ruleBookLimited = "book-limited"
	ruleBookSilent  = "book-silent"
	ruleTell        = "tell"
	ruleKeep        = "keep"
	ruleRemind      = "remind"

	statSpent = "spent"
)

// The files of a run.
const (
	rulesFile   = "rules.yaml"
	storeFolder = "store"
	storeFile   = storeFolder + "/router.db"
	tableFile   = "table.db"
	logFile     = "router.log"
	historyFile = "history.jsonl"
)

// retryWaits are short, so that a run reaches dead letters many times.
var retryWaits = []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond}

// askedToWait is the Retry-After of planLimited.
const askedToWait = time.Second

// timeout is that of all actions but one. It is shorter than the shortest lease of a run, or nothing would ever be sent.
const timeout = 2 * time.Second

// breaker lets a pause end many attempts at once without holding up what follows for longer than a second.
const breaker = "{failures: 100, probe: 1s}"

// silentTimeout is the timeout of the action that meets no answer.
const silentTimeout = 500 * time.Millisecond

const rulesText = `version: 1
actions:
  ledger: {http: {url: "http://TARGET/ledger"}, retry: WAITS, timeout: TIMEOUT, breaker: BREAKER, concurrency: 32}
  limited: {http: {url: "http://TARGET/limited"}, retry: WAITS, timeout: TIMEOUT, breaker: BREAKER}
  silent: {http: {url: "http://TARGET/silent"}, retry: WAITS, timeout: SILENCE, breaker: BREAKER}
  reminders: {http: {url: "http://TARGET/reminders"}, retry: WAITS, timeout: TIMEOUT, breaker: BREAKER}
  chat: {slack: {token: xoxb-of-nobody, channel: "#torture", api_url: "http://CHAT/api/"}, retry: WAITS, timeout: TIMEOUT, breaker: BREAKER}
  post: {email: {server: "smtp://MAIL", tls: none, from: router@example.com, to: [people@example.com]}, retry: WAITS, timeout: TIMEOUT, breaker: BREAKER}
  table: {sql: {database: "sqlite:table.db", table: entries, key: id, version: version}, retry: WAITS, timeout: TIMEOUT, breaker: BREAKER}
rules:
  - name: book
    when: helper.command == "/expenses" && not (entry.data.plan in ["limited", "silent"])
    then: [{action: ledger, json: MESSAGE}]
  - name: book-limited
    when: helper.command == "/expenses" && entry.data.plan == "limited"
    then: [{action: limited, json: MESSAGE}]
  - name: book-silent
    when: helper.command == "/expenses" && entry.data.plan == "silent"
    then: [{action: silent, json: MESSAGE}]
  - name: tell
    when: helper.command == "/expenses" && entry.data.told
    then:
      - {action: chat, text: "n={{ entry.data.n }} amount={{ entry.data.amount }} rules=VARIANT"}
      - {action: post, subject: "n={{ entry.data.n }}", text: "n={{ entry.data.n }} amount={{ entry.data.amount }} rules=VARIANT"}
  - name: keep
    when: helper.command == "/expenses" && entry.data.kept
    then: [{action: table, upsert: {id: "{{ entry.id }}", n: "{{ entry.data.n }}", amount: "{{ entry.data.amount }}"}}]
  - name: remind
    when: helper.command == "/expenses" && entry.data.due != nil
    then: [{action: reminders, at: date(entry.data.due), json: MESSAGE}]
stats:
  spent:
    when: helper.command == "/expenses"
    value: entry.data.amount
    group_by: entry.data.category
`

const messageText = `{n: "{{ entry.data.n }}", plan: "{{ entry.data.plan }}", amount: "{{ entry.data.amount }}", rules: VARIANT}`

const createTable = `CREATE TABLE entries (id TEXT PRIMARY KEY, n INTEGER, amount NUMERIC, version TEXT)`

// rulesWith are the rules under a number that their messages carry.
func rulesWith(t *targets, variant int) string {
	waits := make([]string, len(retryWaits))
	for i, wait := range retryWaits {
		waits[i] = wait.String()
	}
	text := strings.ReplaceAll(rulesText, "MESSAGE", messageText)
	return strings.NewReplacer(
		"TARGET", t.ways[wayHTTP].address, "CHAT", t.ways[wayChat].address, "MAIL", t.ways[wayMail].address, "VARIANT", fmt.Sprint(variant),
		"WAITS", "["+strings.Join(waits, ", ")+"]", "SILENCE", silentTimeout.String(), "TIMEOUT", timeout.String(), "BREAKER", breaker,
	).Replace(text)
}

// brokenRules are refused.
const brokenRules = "version: 1\nrules:\n  - name: broken\n    whne: true\n"

// writeRules replaces the rules file as editors do, by a rename.
func writeRules(dir, text string) error {
	path := filepath.Join(dir, rulesFile)
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
