package actions

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/peanuts-router/peanuts-router/engine"
)

// maxSlackText is how long a message's text may be, in characters; what is longer is cut with a mark.
// https://docs.slack.dev/reference/methods/chat.postMessage
const maxSlackText = 40_000

// maxSlackAnswer is how much of an answer of Slack's API is read, in bytes: a success comes with the whole message, and
// each of its characters may be escaped.
const maxSlackAnswer = 4 << 20

// slackSender posts to Slack, as a bot or to an incoming webhook.
type slackSender struct {
	settings *engine.SlackSettings
	config   Config
	over     transport
	bot      *slack.Client // nil for a webhook
}

func newSlack(settings *engine.SlackSettings, action engine.Action, config Config) *slackSender {
	s := &slackSender{settings: settings, config: config, over: newTransport(action, config)}
	if settings.WebhookURL.IsZero() {
		client := &http.Client{
			Transport:     recorded{transport: s.over, now: config.Now, limit: maxSlackAnswer},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
		options := []slack.Option{slack.OptionHTTPClient(client)}
		if settings.APIURL != "" {
			options = append(options, slack.OptionAPIURL(settings.APIURL))
		}
		s.bot = slack.New(settings.Token.Reveal(), options...)
	}
	return s
}

func (s *slackSender) Close() { s.over.CloseIdleConnections() }

func (s *slackSender) Send(ctx context.Context, shipment engine.Shipment) engine.Outcome {
	var message engine.SlackMessage
	if err := json.Unmarshal(shipment.Message, &message); err != nil {
		return dead("not sendable", "the stored message cannot be read")
	}
	message.Text = cutText(message.Text)
	if s.bot == nil {
		return s.toWebhook(ctx, shipment, message)
	}
	return s.asBot(ctx, shipment, message)
}

// metadataOf carries the delivery's key: Slack itself knows no such thing.
func metadataOf(shipment engine.Shipment) slack.SlackMetadata {
	return slack.SlackMetadata{
		EventType:    "peanuts_router_delivery",
		EventPayload: map[string]any{"key": shipment.ID.Key(), "event_id": shipment.Event, "rule": shipment.Rule},
	}
}

func (s *slackSender) asBot(ctx context.Context, shipment engine.Shipment, message engine.SlackMessage) engine.Outcome {
	blocks, err := rawBlocks(message.Blocks)
	if err != nil {
		return dead("not sendable", "the stored blocks are not a list")
	}
	channel := message.Channel
	if channel == "" {
		settings := rendering{shipment: shipment, now: s.config.Now()}
		if channel, err = settings.render(s.settings.Channel); err != nil {
			return dead("not sendable", "rendering the channel: "+err.Error())
		}
	}
	options := []slack.MsgOption{
		slack.MsgOptionText(message.Text, false), // values are escaped already, each by itself
		slack.MsgOptionMetadata(metadataOf(shipment)),
	}
	if len(blocks) > 0 {
		options = append(options, slack.MsgOptionBlocks(blocks...))
	}
	ctx, seen := withExchange(ctx)
	_, _, err = s.bot.PostMessageContext(ctx, channel, options...)
	return ofSlack(err, seen)
}

// webhookPost is what an incoming webhook takes. The library's own has no place for metadata, and throws away what a
// refusal says.
type webhookPost struct {
	Text     string              `json:"text,omitempty"`
	Blocks   json.RawMessage     `json:"blocks,omitempty"`
	Metadata slack.SlackMetadata `json:"metadata"`
}

func (s *slackSender) toWebhook(ctx context.Context, shipment engine.Shipment, message engine.SlackMessage) engine.Outcome {
	body, err := json.Marshal(webhookPost{message.Text, message.Blocks, metadataOf(shipment)})
	if err != nil {
		return dead("not sendable", "the stored message cannot be written as JSON")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.settings.WebhookURL.Reveal(), bytes.NewReader(body))
	if err != nil {
		return dead("not sendable", "the webhook's URL cannot be used")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", s.config.UserAgent)
	seen, err := exchangeOf(s.over, request, s.config.Now)
	if err != nil {
		return ofError(err)
	}
	return ofWebhook(seen)
}

// ofWebhook is what an answer of an incoming webhook means: the status decides, and the body holds a code.
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
func ofWebhook(seen *exchange) engine.Outcome {
	outcome := ofStatus(seen)
	code := strings.TrimSpace(seen.kept())
	switch {
	case outcome.Verdict == engine.VerdictDelivered && strings.HasPrefix(code, "<"):
		return notSlack(seen)
	case outcome.Verdict != engine.VerdictDelivered && isSlackCode(code):
		outcome.Status = code
		outcome.Reason = "Slack's webhook answers " + code + " (" + outcome.Reason + ")"
	}
	return outcome
}

// notSlack is for a page of somebody in between, such as a proxy.
func notSlack(seen *exchange) engine.Outcome {
	outcome := retry(seen.statusText(), "the answer breaks off, or is not one of Slack; check what stands between")
	outcome.Answer = seen.kept()
	return outcome
}

// ofSlack is what an answer of Slack's API means.
func ofSlack(err error, seen *exchange) engine.Outcome {
	var refused slack.SlackErrorResponse
	switch {
	case err == nil:
		return engine.Outcome{Verdict: engine.VerdictDelivered, Status: seen.statusText()}
	case errors.As(err, &refused):
		return ofSlackCode(refused.Err, seen)
	case seen.status == 0, errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return ofError(err)
	case seen.status/100 == 2:
		return notSlack(seen)
	}
	return ofStatus(seen)
}

// ofSlackCode is what an error code of Slack's means. A code that is not known may be a passing one.
// https://docs.slack.dev/reference/methods/chat.postMessage#errors
func ofSlackCode(code string, seen *exchange) engine.Outcome {
	outcome := engine.Outcome{
		Verdict: engine.VerdictRetry, Status: code, Reason: "Slack answers " + code, Answer: seen.kept(), RetryAfter: seen.retryAfter,
	}
	if !isSlackCode(code) {
		outcome.Status, outcome.Reason = "error", "Slack answers an error that is no code"
	}
	switch code {
	case "invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "missing_scope", "no_permission",
		"org_login_required", "ekm_access_denied", "not_allowed_token_type", "access_denied", "two_factor_setup_required", "team_access_not_granted":
		outcome.Refused = true
		outcome.Reason += ": it refuses our credentials; check the bot's token and scopes"
	case "channel_not_found", "not_in_channel", "is_archived":
		outcome.Verdict = engine.VerdictDead
		outcome.Reason += ": check the channel's name, and invite the bot to it"
	case "msg_too_long", "no_text", "invalid_blocks", "invalid_blocks_format", "invalid_arguments", "invalid_metadata_format",
		"invalid_metadata_schema", "metadata_too_large", "too_many_attachments", "restricted_action", "restricted_action_read_only_channel",
		"restricted_action_thread_only_channel", "restricted_action_non_threadable_channel", "restricted_action_thread_locked",
		"duplicate_channel_not_found", "duplicate_message_not_found", "messages_tab_disabled", "user_not_found", "cannot_reply_to_message",
		"block_mismatch", "invalid_charset", "invalid_form_data", "invalid_post_type", "missing_post_type", "invalid_array_arg",
		"invalid_arg_name", "method_deprecated", "deprecated_endpoint", "as_user_not_supported", "team_not_found":
		outcome.Verdict = engine.VerdictDead
		outcome.Reason += ": it refuses this message"
	}
	return outcome
}

// isSlackCode tells whether a text is a code rather than prose, which is not passed on as a status.
func isSlackCode(text string) bool {
	if text == "" || len(text) > 60 {
		return false
	}
	for _, c := range text {
		if c != '_' && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// rawBlock is a block as the rules say it: the library's own types would lose what they do not know.
type rawBlock struct{ json.RawMessage }

// BlockType is of no use here: the JSON says it.
func (rawBlock) BlockType() slack.MessageBlockType { return "" }

// ID is of no use here: the JSON says it.
func (rawBlock) ID() string { return "" }

func rawBlocks(list json.RawMessage) ([]slack.Block, error) {
	if list == nil {
		return nil, nil
	}
	var items []json.RawMessage
	if err := json.Unmarshal(list, &items); err != nil {
		return nil, err
	}
	blocks := make([]slack.Block, len(items))
	for i, item := range items {
		blocks[i] = rawBlock{item}
	}
	return blocks, nil
}

// cutText cuts a text to what Slack takes.
func cutText(text string) string {
	if utf8.RuneCountInString(text) <= maxSlackText {
		return text
	}
	return string([]rune(text)[:maxSlackText-1]) + "…"
}
