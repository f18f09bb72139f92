package rulefile

import (
	"regexp"
	"strconv"
	"time"

	"gopkg.in/yaml.v3"
)

// Rate is how many attempts begin in a second, a minute or an hour, such as 10/s.
type Rate struct {
	anchored
	N   int
	Per time.Duration
}

const rateWord = `^([1-9][0-9]{0,5})/(s|m|h)$`

var rateWords = regexp.MustCompile(rateWord)

func (r *Rate) decode(w *walker, node *yaml.Node) {
	text, ok := r.read(w, node)
	if !ok {
		return
	}
	parts := rateWords.FindStringSubmatch(text)
	if parts == nil {
		w.problem(node, "bad-value", "must be a rate such as 1/s, 30/m or 100/h")
		return
	}
	r.N, _ = strconv.Atoi(parts[1])
	r.Per = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[parts[2]]
}
