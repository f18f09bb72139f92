package powerloss

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// Kind is what an operation does.
type Kind string

// What is done to the disk.
const (
	Create    Kind = "create"
	Mkdir     Kind = "mkdir"
	Write     Kind = "write"
	Truncate  Kind = "truncate"
	Rename    Kind = "rename"
	Unlink    Kind = "unlink"
	FlushFile Kind = "flush" // of a file or a directory
)

// What the world is told.
const (
	Acknowledge Kind = "acknowledge" // an event was taken
	Send        Kind = "send"        // a delivery goes out
	Delivered   Kind = "delivered"   // a delivery was recorded as delivered
	Dead        Kind = "dead"        // a delivery was recorded as a dead letter
)

// Operation is one thing that a router did.
type Operation struct {
	Kind   Kind
	Path   string // below the root; of what is done to the disk
	To     string // of a rename
	Offset int64  // of a write; the size of a truncation
	Data   []byte // of a write
	ID     string // of the event or the delivery that the world is told of

	at    int // the line of the trace where it counts from
	since int // of a flush: it covers what had ended before
}

// onDisk tells whether the operation is one on the disk.
func (o Operation) onDisk() bool {
	switch o.Kind {
	case Acknowledge, Send, Delivered, Dead:
		return false
	}
	return true
}

func (o Operation) String() string {
	switch {
	case !o.onDisk():
		return fmt.Sprintf("%s %s", o.Kind, o.ID)
	case o.Kind == Write:
		return fmt.Sprintf("write of %d bytes at %d of %s", len(o.Data), o.Offset, o.Path)
	}
	return fmt.Sprintf("%s %s", o.Kind, o.Path)
}

// Read reads a trace: what was done below root, an absolute path without links, and what the world was told meanwhile.
// Relative paths of the trace begin at root.
func Read(trace io.Reader, root string) ([]Operation, error) {
	r := reader{root: filepath.Clean(root)}
	if err := readTrace(trace, r.read); err != nil {
		return nil, err
	}
	slices.SortStableFunc(r.operations, func(a, b Operation) int { return a.at - b.at })
	return r.operations, nil
}

// reader turns calls into operations.
type reader struct {
	root       string
	operations []Operation
}

func (r *reader) read(c call) error {
	if c.failed() {
		return nil
	}
	switch c.name {
	case "open", "openat":
		return r.open(c)
	case "mkdir", "mkdirat", "unlink", "unlinkat":
		return r.name(c)
	case "rename", "renameat", "renameat2":
		return r.rename(c)
	case "pwrite64":
		return r.write(c)
	case "ftruncate":
		return r.truncate(c)
	case "fsync", "fdatasync":
		return r.flush(c)
	case "mmap":
		return r.mmap(c)
	case "write", "writev", "sendto", "sendmsg":
		return r.say(c)
	case "sync_file_range", "close":
		return nil // neither promises anything
	}
	return r.unknown(c)
}

// add notes an operation that counts from when its call ended.
func (r *reader) add(c call, o Operation) {
	o.at = c.ended
	r.operations = append(r.operations, o)
}

// below tells where below the root a path is. The index of the write-ahead log is not told of: whoever opens the store
// first makes it anew.
func (r *reader) below(path string) (relative string, ours bool) {
	relative, err := filepath.Rel(r.root, path)
	if err != nil || relative == ".." || strings.HasPrefix(relative, "../") || strings.HasSuffix(path, "-shm") {
		return "", false
	}
	return relative, true
}

// file is the file of a call's descriptor, which is its nth argument.
func (r *reader) file(c call, n int) (path string, ours bool, err error) {
	_, name, err := opened(c.arg(n))
	if err != nil || !filepath.IsAbs(name) {
		return "", false, err
	}
	path, ours = r.below(name)
	return path, ours, nil
}

// named is the path of a call that takes one, and where its further arguments begin. Names of the *at calls are relative
// to the descriptor before them.
func (r *reader) named(c call, n int, at bool) (path string, next int, err error) {
	base := r.root
	if at {
		if _, base, err = opened(c.arg(n)); err != nil {
			return "", 0, err
		}
		n++
	}
	text, err := c.text(n)
	if path = string(text); !filepath.IsAbs(path) {
		path = filepath.Join(base, path)
	}
	return filepath.Clean(path), n + 1, err
}

// unknown refuses what the model cannot follow, when it is about the store.
func (r *reader) unknown(c call) error {
	about := strings.Join(c.args, " ") + c.result
	if c.name == "sync" || c.name == "io_uring_setup" || strings.Contains(about, escaped(r.root)) {
		return fmt.Errorf("the model does not know %s", c.name)
	}
	return nil
}

// escaped is a text as the trace has it.
func escaped(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, `\x%02x`, text[i])
	}
	return b.String()
}

var errMapped = errors.New("the model does not know a file that is mapped for writing")
