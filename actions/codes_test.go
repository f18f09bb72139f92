package actions

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/peanuts-router/peanuts-router/engine"
)

// C11: what every code means that a mail server may answer, at every stage. A refusal of the connection may pass; one of the message
// is final when it begins with 5; refused credentials are said loudly at any stage.
func TestWhatEachCodeOfSMTPMeans(t *testing.T) {
	codes := []int{
		421, 450, 451, 452, 454, 455, 458, 459, 500, 501, 502, 503, 504, 521, 523, 530, 534, 535, 538, 541, 550, 551, 552, 553, 554, 555, 556,
	}
	tried := 0
	for _, stage := range []string{"greeting", "MAIL", "RCPT", "DATA", "."} {
		for _, code := range codes {
			refused := code == 530 || code == 534 || code == 535 || code == 538
			want := engine.VerdictRetry
			if code/100 == 5 && !refused && stage != "greeting" {
				want = engine.VerdictDead
			}
			settings, _ := spokenMail(t, dialogue(stage, strconv.Itoa(code)+" canary"))
			got := send(t, settings, Config{}, hello, 5*time.Second)
			if got.Verdict != want || got.Refused != refused || got.Gone || got.Status != strconv.Itoa(code) {
				t.Errorf("%d at %s: outcome %+v, want %s, refused %t", code, stage, got, want, refused)
			}
			if strings.Contains(got.Reason+got.Status, "canary") || got.Reason == "" {
				t.Errorf("%d at %s has reason %q", code, stage, got.Reason)
			}
			tried++
		}
	}
	t.Logf("%d replies", tried)
}

// C11: what every error of Slack's means that its documentation names for chat.postMessage. What is not known may pass.
// https://docs.slack.dev/reference/methods/chat.postMessage#errors
func TestWhatEachErrorOfSlackMeans(t *testing.T) {
	s := newSlackStandIn(t)
	tried := 0
	for _, class := range []struct {
		want    engine.Verdict
		refused bool
		codes   string
	}{
		{engine.VerdictRetry, true, `invalid_auth not_authed token_revoked token_expired account_inactive missing_scope no_permission
			org_login_required ekm_access_denied not_allowed_token_type access_denied two_factor_setup_required team_access_not_granted`},
		{engine.VerdictDead, false, `channel_not_found not_in_channel is_archived msg_too_long no_text invalid_blocks invalid_blocks_format
			invalid_arguments invalid_metadata_format invalid_metadata_schema metadata_too_large too_many_attachments restricted_action
			restricted_action_read_only_channel restricted_action_thread_only_channel restricted_action_non_threadable_channel
			restricted_action_thread_locked duplicate_channel_not_found duplicate_message_not_found messages_tab_disabled
			cannot_reply_to_message invalid_charset invalid_form_data invalid_post_type missing_post_type invalid_array_arg invalid_arg_name
			method_deprecated deprecated_endpoint as_user_not_supported`},
		{engine.VerdictRetry, false, `ratelimited rate_limited message_limit_exceeded accesslimited internal_error fatal_error
			service_unavailable request_timeout team_added_to_org never_heard_of`},
	} {
		for _, code := range strings.Fields(class.codes) {
			s.answer = fmt.Sprintf(`{"ok":false,"error":%q}`, code)
			got := send(t, s.asBot(), Config{}, `{"text":"hi"}`, 5*time.Second)
			if got.Verdict != class.want || got.Refused != class.refused || got.Gone || got.Status != code || !strings.Contains(got.Reason, code) {
				t.Errorf("%s: outcome %+v, want %s, refused %t", code, got, class.want, class.refused)
			}
			tried++
		}
	}
	t.Logf("%d errors", tried)
}
