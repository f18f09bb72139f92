package rulefile

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// A problem is shown with the line that it stands on. A secret belongs into a variable; one that is written into the file all
// the same must not be shown with the line, be it in a log that keeps what a daemon prints (C19). Stars stand in its place,
// as many as it has characters, so that the carets below stand where they should.

// shortestHidden is how long a value must be to be hidden: shorter ones would hide common words, and are no secrets.
const shortestHidden = 6

// shown is a line without the secrets in it.
func (s *Source) shown(n int) string {
	line := s.Line(n)
	for _, secret := range s.secrets {
		line = strings.ReplaceAll(line, secret, stars(secret))
	}
	return hideByKey(line)
}

// hideByKey hides what a line says of a key that holds a secret, what follows the host of a webhook, and the password in a
// URL: it works in a file that is no YAML, too.
func hideByKey(line string) string {
	const value = `("(?:[^"\\]|\\.)*"?|'[^']*'?|\[[^\]]*\]?|[^,}]+)`
	for _, secret := range []string{
		`(?i)\b(?:token|password|signing_secret|authorization)["']?\s*:\s+` + value,
		`(?i)\bwebhook_url["']?\s*:\s+["']?https?://[^/\s"']+/([^\s"',}]+)`,
		`://[^/\s:@"']*:([^@\s"']+)@`,
	} {
		found := regexp.MustCompile(secret).FindAllStringSubmatchIndex(line, -1)
		for i := len(found) - 1; i >= 0; i-- {
			from, to := found[i][2], found[i][3]
			if said := line[from:to]; isSecret(said) {
				line = line[:from] + stars(said) + line[to:]
			}
		}
	}
	return line
}

// isSecret tells whether a value where a secret belongs may be one: it is no variable, and not too short to be any.
func isSecret(value string) bool {
	return !strings.Contains(value, "${") && utf8.RuneCountInString(value) >= shortestHidden
}

func stars(text string) string { return strings.Repeat("*", utf8.RuneCountInString(text)) }

// hideSecrets has the sources hide the secrets that are written into them, on whatever line of a value they stand.
func (f *File) hideSecrets() {
	for i := range f.Actions {
		for _, text := range f.Actions[i].secrets() {
			if text.node == nil || !isSecret(text.node.Value) {
				continue
			}
			for _, word := range strings.Fields(text.node.Value) {
				if utf8.RuneCountInString(word) >= shortestHidden {
					text.source.secrets = append(text.source.secrets, word)
				}
			}
		}
	}
}

// secrets are the values of an action that are secret from their first character to their last.
func (a *Action) secrets() (texts []Text) {
	switch {
	case a.Slack != nil:
		texts = append(texts, a.Slack.Token)
	case a.Email != nil:
		texts = append(texts, a.Email.Password)
	case a.HTTP != nil:
		texts = append(texts, a.HTTP.SigningSecret)
		for _, header := range a.HTTP.Headers {
			if strings.EqualFold(header.Name.Value, "Authorization") {
				texts = append(texts, header.Value.Text)
			}
		}
	}
	return texts
}
