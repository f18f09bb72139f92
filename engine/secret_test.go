package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// C19, A34: a secret does not print, whichever way it is printed.
func TestSecretDoesNotPrint(t *testing.T) {
	const canary = "canary-7f3a"
	secret := NewSecret(canary)
	settings := SlackSettings{Token: secret, WebhookURL: secret}

	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", secret, "settings", settings)
	asJSON, _ := json.Marshal(settings)
	asYAML, _ := yaml.Marshal(map[string]any{"secret": secret})
	for how, printed := range map[string]string{
		"%v": fmt.Sprintf("%v", secret), "%+v": fmt.Sprintf("%+v", settings), "%#v": fmt.Sprintf("%#v", secret),
		"%q": fmt.Sprintf("%q", secret), "%x": fmt.Sprintf("%x", secret),
		"nested %#v": fmt.Sprintf("%#v", settings), "error": fmt.Errorf("with %v", secret).Error(),
		"slog": log.String(), "JSON": string(asJSON), "YAML": string(asYAML),
	} {
		if strings.Contains(printed, canary) || strings.Contains(printed, fmt.Sprintf("%x", canary)) {
			t.Errorf("%s printed the secret: %s", how, printed)
		}
	}
	if got := secret.Reveal(); got != canary {
		t.Errorf("Reveal() = %q, want %q", got, canary)
	}
}
