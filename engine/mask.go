package engine

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
)

// mask hides known secret values in text that came from outside, such as a target's answer (C19).
type mask struct{ replacer *strings.Replacer }

// shortestSecret is how long a value must be to be hidden: shorter ones would hide common words.
const shortestSecret = 6

func newMask(expanded []string, actions map[ActionName]Action) *mask {
	secrets := slices.Clone(expanded)
	for _, action := range actions {
		switch s := action.Settings.(type) {
		case *SlackSettings:
			secrets = append(secrets, s.Token.Reveal(), s.WebhookURL.Reveal())
		case *EmailSettings:
			secrets = append(secrets, s.Password.Reveal())
		case *SQLSettings:
			secrets = append(secrets, s.Database.Reveal(), passwordIn(s.Database.Reveal()))
		case *HTTPSettings:
			if fixed, ok := s.Headers["Authorization"].(Fixed); ok {
				secrets = append(secrets, string(fixed))
			}
			for _, secret := range s.SigningSecrets {
				secrets = append(secrets, secret.Reveal())
			}
		}
	}
	// Longer ones first, so that one which holds another is hidden whole.
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	var pairs []string
	for _, secret := range slices.Compact(secrets) {
		if len(secret) < shortestSecret || strings.HasPrefix(secret, "${") {
			continue
		}
		for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret)} {
			pairs = append(pairs, form, hidden)
		}
	}
	return &mask{replacer: strings.NewReplacer(pairs...)}
}

func (m *mask) hide(text string) string { return m.replacer.Replace(text) }

// passwordIn is the password in a database's URL; empty when there is none.
func passwordIn(database string) string {
	parsed, err := url.Parse(database)
	if err != nil {
		return ""
	}
	password, _ := parsed.User.Password()
	return password
}
