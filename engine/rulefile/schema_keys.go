package rulefile

import "fmt"

// schemaKey is what an editor is told of a key beyond the type of its value.
type schemaKey struct {
	says   string // for the hover: one line without a full stop
	needed bool
	shape  func(*schemaMaker, *schema) // what the checker asks for beyond the type
}

// schemaKeys are all keys, as "Type.key".
func schemaKeys() map[string]schemaKey {
	return map[string]schemaKey{
		"File.version":  {says: "The version of this format: 1", needed: true, shape: exactly(1, "1")},
		"File.timezone": {says: "The time zone of dates without one, of days and of months, such as Europe/Berlin; default UTC"},
		"File.actions":  {says: "The destinations by name; below here ${NAME}, ${NAME:-default} and ${file:NAME} are expanded"},
		"File.rules":    {says: "The rules: each is judged for every event, and all that hold fire, each on its own"},
		"File.stats":    {says: "Running totals by name, over the newest version of every entry"},
		"File.monitor":  {says: "When failures of an action are an alert: what the router's own events, such as router.failure_spike, are raised by"},

		"Monitor.window":       {says: "How far back attempts count; default 5m, 1s to 24h"},
		"Monitor.min_attempts": {says: "How many attempts the window must hold before their rate says anything; default 20", shape: between(1, maxMinAttempts)},
		"Monitor.failure_rate": {says: "Which part of them must fail: 0.5 is every second one; default 0.5", shape: between(minFailureRate, 1)},

		"Action.slack":           {says: "Posts to a channel of Slack; an action has exactly one of slack, email, http, sql"},
		"Action.email":           {says: "Sends mails through an SMTP server; an action has exactly one of slack, email, http, sql"},
		"Action.http":            {says: "Sends HTTP requests; an action has exactly one of slack, email, http, sql"},
		"Action.sql":             {says: "Keeps a row of a table for each entry; an action has exactly one of slack, email, http, sql"},
		"Action.timeout":         {says: "The longest that one attempt may take; default 10s, at most 45s"},
		"Action.concurrency":     {says: "How many attempts run at once; default 8", shape: between(1, maxConcurrency)},
		"Action.retry":           {says: "When failed attempts are made again: standard (default: 10 attempts in some 28 hours), peanuts (3 attempts), a list of waits such as [1s, 30s], or a plan"},
		"Action.rate":            {says: "How many attempts begin in a second, a minute or an hour, such as 1/s, 30/m or 100/h; default any number"},
		"Action.max_retry_after": {says: "The longest wait that the target may ask for with Retry-After; default 1h"},

		"Action.breaker":  {says: "When the action is left alone because its target fails; held deliveries wait and use up no attempts"},
		"Action.order_by": {says: "Deliveries with one value of this expression go one after the other, such as entry.id; an absent value is in no order", shape: notEmpty},

		"Breaker.failures": {says: "After how many failures in a row that are to be tried again; 1 to 1000, default 10", shape: between(1, maxFailures)},
		"Breaker.probe":    {says: "How long until one delivery is let through to see whether the target is back, and then the next; default 30s, at most 1h"},

		"RetryPlan.initial":      {says: "The wait before the second attempt", needed: true},
		"RetryPlan.multiplier":   {says: "How many times longer each wait is than the one before; 1 to 100, default 2", shape: between(1, 100)},
		"RetryPlan.max_interval": {says: "The longest wait; default 10h"},
		"RetryPlan.attempts":     {says: "How many attempts are made in all; 1 to 100", needed: true, shape: between(1, maxAttempts)},
		"RetryPlan.jitter":       {says: "How much waits vary at random: 0.2 is 20 % up or down; 0 to 1, default 0", shape: between(0, 1)},

		"Slack.token":       {says: "The token of a Slack app; goes with channel. Better a variable than the token itself"},
		"Slack.channel":     {says: "The channel, such as \"#finance\" (quoted: YAML takes # for a comment); may hold {{ }}"},
		"Slack.webhook_url": {says: "An incoming webhook of Slack, in place of token and channel; it posts to its own channel", shape: aURL},
		"Slack.api_url":     {says: "Where a stand-in of Slack's API is; default https://slack.com/api/", shape: aURL},

		"Email.server":   {says: "The SMTP server: smtp://host:587, or smtps://host:465 for implicit TLS", needed: true, shape: aServer},
		"Email.username": {says: "The user name at the server; without one nobody logs in"},
		"Email.password": {says: "The password at the server. Better a variable than the password itself"},
		"Email.tls":      {says: "starttls (default), or none for a server on this machine; not for smtps://", shape: oneWord("starttls", "none")},
		"Email.from":     {says: "The sender, such as Router <router@example.com>", needed: true, shape: anAddress},
		"Email.to":       {says: "Who gets the mails of steps that name nobody themselves; may hold {{ }}", needed: true, shape: somebody},
		"Email.cc":       {says: "Who gets a copy; may hold {{ }}", shape: addresses},

		"HTTP.url":     {says: "Where requests go; may hold {{ }}, but not in its host", needed: true, shape: aURL},
		"HTTP.method":  {says: "The method, in capitals; default POST", shape: aMethod},
		"HTTP.headers": {says: "Headers of every request; values may hold {{ }}"},

		"HTTP.signing_secret": {says: "Signs requests as Standard Webhooks have it: whsec_ and base64, or plain text; several separated by a blank while they are rotated. Better a variable than the secret itself", shape: notBlank},

		"SQL.database": {says: "sqlite:FILE or postgres://user@host/name. Better a variable when it holds a password", needed: true, shape: aDatabase},
		"SQL.table":    {says: "The table; in PostgreSQL also schema.table", needed: true, shape: notEmpty},
		"SQL.key":      {says: "The column that names the row of an entry: a primary key, or unique", needed: true, shape: notEmpty},
		"SQL.version":  {says: "The column that holds the entry's version: the router fills it, and an older event never overwrites a newer one", needed: true, shape: notEmpty},

		"Rule.name":        {says: "The name of the rule: unique, in logs and in the record", needed: true, shape: aName},
		"Rule.description": {says: "What the rule is for"},
		"Rule.owner":       {says: "Who is asked about the rule"},
		"Rule.once_per":    {says: "Fires once for each value of this expression, ever, such as entry.id; an absent value suppresses nothing", shape: notEmpty},
		"Rule.disabled":    {says: "true: the rule is checked, but never judged"},
		"Rule.shadow":      {says: "true: the rule is judged and recorded, and nothing of it is ever sent"},
		"Rule.on":          {says: "The events that the rule is judged for; default every event from outside but entry.deleted", shape: events},
		"Rule.when":        {says: "The condition, such as helper.command == \"/expenses\" && entry.data.amount > 500", needed: true, shape: notEmpty},
		"Rule.then":        {says: "The steps: what is sent when the rule fires, independent of one another", needed: true, shape: atLeastOne},

		"Step.action":    {says: "The name of the action that the step goes to", needed: true},
		"Step.text":      {says: "The message (slack, email); may hold {{ }}"},
		"Step.blocks":    {says: "The message as blocks of Slack, a YAML tree (slack); its texts may hold {{ }}"},
		"Step.channel":   {says: "Another channel than the action's (slack, not with webhook_url); may hold {{ }}"},
		"Step.subject":   {says: "The subject (email); may hold {{ }}"},
		"Step.html":      {says: "The message as HTML (email); what {{ }} puts in is escaped"},
		"Step.to":        {says: "Who gets the mail in place of the action's (email); may hold {{ }}", shape: addresses},
		"Step.json":      {says: "The body as a YAML tree that becomes JSON (http); a leaf that is exactly one {{ }} keeps its type"},
		"Step.body":      {says: "The body as text (http); may hold {{ }}. Without json and body the event goes out as it was received"},
		"Step.headers":   {says: "Further headers (http); values may hold {{ }}"},
		"Step.at":        {says: "When it is sent, such as date(entry.data.due_date) - duration(\"1d\"); default at once", shape: notEmpty},
		"Step.upsert":    {says: "The columns of the entry's row by name, with their values (sql)"},
		"Step.on_delete": {says: "What becomes of the row when the entry is deleted or wanted no more (sql): delete (default), keep, or {mark: COLUMN}"},

		"Mark.mark": {says: "The column that gets the time; the row stays", needed: true},

		"Stat.when":     {says: "The condition: which entries count", needed: true, shape: notEmpty},
		"Stat.exclude":  {says: "A condition: which of those do not count after all", shape: notEmpty},
		"Stat.value":    {says: "What is added up, such as entry.data.amount", needed: true, shape: notEmpty},
		"Stat.group_by": {says: "What the total is split by, such as entry.data.category", shape: notEmpty},
		"Stat.unit":     {says: "What is never added together, such as entry.data.currency", shape: notEmpty},
	}
}

func exactly(values ...any) func(*schemaMaker, *schema) {
	return func(_ *schemaMaker, s *schema) { *s = schema{Enum: values} }
}

func between(least, most float64) func(*schemaMaker, *schema) {
	return func(_ *schemaMaker, s *schema) { s.Minimum, s.Maximum = &least, &most }
}

func oneWord(words ...any) func(*schemaMaker, *schema) {
	return func(m *schemaMaker, s *schema) { *s = schema{AnyOf: m.words(words...)} }
}

func aName(_ *schemaMaker, s *schema) {
	s.MinLength, s.MaxLength = 1, maxName
	s.Pattern, s.ErrorMessage = `^[^\x00-\x1f\x7f-\x9f]*$`, "must be a text without control characters"
}

func notEmpty(_ *schemaMaker, s *schema) { s.MinLength = 1 }

func notBlank(_ *schemaMaker, s *schema) { s.Pattern, s.ErrorMessage = `\S`, "must not be empty" }

func atLeastOne(_ *schemaMaker, s *schema) { s.MinItems = 1 }

func events(_ *schemaMaker, s *schema) {
	s.UniqueItems = true
	s.Items.MinLength = 1
	s.Items.Examples = []any{"entry.created", "entry.updated", "entry.deleted"}
	for _, own := range RouterEvents() {
		s.Items.Examples = append(s.Items.Examples, own)
	}
}

func aURL(m *schemaMaker, s *schema) {
	m.matching(fmt.Sprintf(`^%s[Ss]?://[^/?#@{]+([/?#]|$)`, anyCase("http")), "must be an absolute URL, http or https, without user, and without {{ }} in its host")(s)
}

func aServer(m *schemaMaker, s *schema) {
	m.matching(fmt.Sprintf(`^%s[Ss]?://[^@]+$`, anyCase("smtp")), "must be smtp://host:587 or smtps://host:465")(s)
}

func aDatabase(m *schemaMaker, s *schema) {
	m.matching(`^(sqlite:|postgres://|postgresql://).`, "must be sqlite:FILE or postgres://user@host/name")(s)
}

func aMethod(m *schemaMaker, s *schema) {
	m.matching(methodWord, "must be a word in capitals, such as POST or PUT")(s)
	s.Examples = []any{"POST", "PUT", "PATCH", "DELETE", "GET"}
}

func anAddress(_ *schemaMaker, s *schema) {
	*s = schema{Type: "string", Pattern: `@|\{\{|\$\{`, ErrorMessage: "must be an e-mail address such as ops@example.com or Ops <ops@example.com>"}
}

func addresses(m *schemaMaker, s *schema) { anAddress(m, s.Items) }

func somebody(m *schemaMaker, s *schema) {
	addresses(m, s)
	atLeastOne(m, s)
}
