package store

import (
	"encoding/base64"
	"strconv"
)

// How many rows a page has that says nothing of it, and at the most.
const (
	DefaultLimit = 50
	MaxLimit     = 1000
)

// Page says which part of a list is wanted. Lists begin with the newest.
type Page struct {
	Limit  int    // 0 means DefaultLimit; at most MaxLimit
	Cursor string // what the page before gave as next; empty for the first
}

// limit is how many rows a page asks for.
func (p Page) limit() int {
	if p.Limit <= 0 {
		return DefaultLimit
	}
	return min(p.Limit, MaxLimit)
}

// before is the row that the page ends above.
func (p Page) before() (int64, error) {
	if p.Cursor == "" {
		return 1<<63 - 1, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err != nil {
		return 0, ErrBadCursor
	}
	seq, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return 0, ErrBadCursor
	}
	return seq, nil
}

// cut takes away the row beyond a page, which was asked for only to learn whether there is one; then there is a next page.
func cut[T any](p Page, rows []T, seqs []int64) (page []T, next string) {
	if len(rows) <= p.limit() {
		return rows, ""
	}
	last := seqs[p.limit()-1]
	return rows[:p.limit()], base64.RawURLEncoding.EncodeToString(strconv.AppendInt(nil, last, 10))
}
