package actions

import (
	"sync"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/actions/receiver"
	"github.com/peanuts-router/peanuts-router/engine"
)

// A diversion leads everything to the receivers, whatever the settings say: nothing leaves this machine.
func TestADiversionCatchesEveryMessage(t *testing.T) {
	var mu sync.Mutex
	var calls []receiver.Call
	box, err := receiver.Start(receiver.Config{OnCall: func(c receiver.Call) {
		mu.Lock()
		defer mu.Unlock()
		calls = append(calls, c)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	config := Config{Divert: &Diversion{HTTP: box.HTTP, SMTP: box.SMTP}}
	for _, c := range []struct {
		settings engine.Settings
		message  string
		is       func(receiver.Call) bool
	}{
		{&engine.SlackSettings{Token: engine.NewSecret("x"), Channel: engine.Fixed("#a")}, `{"text":"hi"}`,
			func(c receiver.Call) bool {
				return c.Kind == engine.KindSlack && c.Channel == "#a" && c.Text == "hi" && c.Key == "0197-1"
			}},
		{&engine.SlackSettings{WebhookURL: engine.NewSecret("https://hooks.slack.com/services/T/B/x")}, `{"text":"hook","blocks":[{"type":"divider"}]}`,
			func(c receiver.Call) bool {
				return c.Kind == engine.KindSlack && c.Text == "hook" && c.Blocks == `[{"type":"divider"}]`
			}},
		{toURL("https://ledger.example.com/a%2Fb?x=1"), `{"body":"b"}`,
			func(c receiver.Call) bool {
				return c.URL == "https://ledger.example.com/a%2Fb?x=1" && c.Body == "b" && c.Key == "0197-1" && c.Header.Get(divertedScheme) == ""
			}},
		{toURL("http://10.1.2.3:8080/x"), `{}`, func(c receiver.Call) bool { return c.URL == "http://10.1.2.3:8080/x" && c.Body == event }},
		{&engine.EmailSettings{Host: "mail.example.com", Port: 587, TLS: engine.TLSStartTLS, Username: "u", Password: engine.NewSecret("p"),
			From: "a@example.com", To: []engine.Dynamic{engine.Fixed("b@example.com")}}, hello,
			func(c receiver.Call) bool {
				return c.Kind == engine.KindEmail && c.To[0] == "b@example.com" && c.Subject == "Due soon: Renew ä" && c.Text == "It is due.\n.\nDot" && c.HTML == "<b>due</b>" && c.Key == "0197-1"
			}},
		{&engine.EmailSettings{Host: "mail.example.com", Port: 465, TLS: engine.TLSImplicit, From: "a@example.com", To: []engine.Dynamic{engine.Fixed("b@example.com")}},
			`{"subject":"s","text":"t"}`, func(c receiver.Call) bool { return c.Subject == "s" }},
	} {
		calls = nil
		if got := send(t, c.settings, config, c.message, 5*time.Second); got.Verdict != engine.VerdictDelivered {
			t.Errorf("%s: outcome %+v", c.message, got)
		}
		if len(calls) != 1 || !c.is(calls[0]) {
			t.Errorf("%s: the receiver got %+v", c.message, calls)
		}
	}
}

// A receiver answers as it is told, so that tests and people can see what a refusal does.
func TestAReceiverAnswersAsItIsTold(t *testing.T) {
	status := 0
	box, err := receiver.Start(receiver.Config{Answer: func(receiver.Call) receiver.Answer { return receiver.Answer{Status: status, Body: "told"} }})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	config := Config{Divert: &Diversion{HTTP: box.HTTP, SMTP: box.SMTP}}
	status = 503
	if got := send(t, toURL("https://example.com/"), config, `{}`, 5*time.Second); got.Status != "503 Service Unavailable" || got.Answer != "told" {
		t.Errorf("HTTP: outcome %+v", got)
	}
	status = 452
	settings := &engine.EmailSettings{Host: "mail.example.com", Port: 25, From: "a@example.com", To: []engine.Dynamic{engine.Fixed("b@example.com")}}
	if got := send(t, settings, config, hello, 5*time.Second); got.Status != "452 4.0.0" || got.Verdict != engine.VerdictRetry {
		t.Errorf("mail: outcome %+v", got)
	}
}
