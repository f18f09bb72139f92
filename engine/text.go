package engine

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// marshal writes JSON with <, > and & as they are.
func marshal(value any) (json.RawMessage, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// briefLimit is how many characters of a text value a report keeps.
const briefLimit = 256

// briefly cuts a text value that is long; other values stay.
func briefly(value any) any {
	text, ok := value.(string)
	if !ok || utf8.RuneCountInString(text) <= briefLimit {
		return value
	}
	return string([]rune(text)[:briefLimit-1]) + "…"
}

// quotedList prints names as a list of the rules' language, sorted.
func quotedList(names map[string]bool) string {
	var quoted []string
	for name := range names {
		quoted = append(quoted, strconv.Quote(name))
	}
	slices.Sort(quoted)
	return "[" + strings.Join(quoted, ", ") + "]"
}

// cutText keeps the first bytes of a text, and no part of a character.
func cutText(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}
