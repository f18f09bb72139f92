package powerloss

import (
	"fmt"
	"strings"
)

// unmodelled are flags of open that change what a write or a name means.
const unmodelled = "O_SYNC O_DSYNC O_DIRECT O_TMPFILE O_APPEND"

func (r *reader) open(c call) error {
	_, name, err := opened(c.result)
	if err != nil {
		return err
	}
	path, ours := r.below(name)
	if !ours {
		return nil
	}
	flags := c.arg(1)
	if c.name == "openat" {
		flags = c.arg(2)
	}
	for _, flag := range strings.Split(flags, "|") {
		switch {
		case flag == "O_CREAT":
			r.add(c, Operation{Kind: Create, Path: path})
		case flag == "O_TRUNC":
			r.add(c, Operation{Kind: Truncate, Path: path})
		case strings.HasPrefix(flag, "O_") && strings.Contains(unmodelled, flag):
			return fmt.Errorf("the model does not know %s", flag)
		}
	}
	return nil
}

// name reads the calls that make or end one name.
func (r *reader) name(c call) error {
	path, next, err := r.named(c, 0, strings.HasSuffix(c.name, "at"))
	if err != nil {
		return err
	}
	relative, ours := r.below(path)
	if !ours {
		return nil
	}
	kind := Unlink
	if strings.HasPrefix(c.name, "mkdir") {
		kind = Mkdir
	} else if strings.Contains(c.arg(next), "AT_REMOVEDIR") {
		return fmt.Errorf("the model does not know a directory that is removed")
	}
	r.add(c, Operation{Kind: kind, Path: relative})
	return nil
}

func (r *reader) rename(c call) error {
	at := c.name != "rename"
	from, next, err := r.named(c, 0, at)
	if err != nil {
		return err
	}
	to, next, err := r.named(c, next, at)
	if err != nil {
		return err
	}
	source, ours := r.below(from)
	target, also := r.below(to)
	switch {
	case !ours && !also:
		return nil
	case ours != also || c.name == "renameat2" && c.arg(next) != "0":
		return fmt.Errorf("the model does not know a %s into or out of the store's directory, or with flags", c.name)
	}
	r.add(c, Operation{Kind: Rename, Path: source, To: target})
	return nil
}

func (r *reader) write(c call) error {
	path, ours, err := r.file(c, 0)
	if err != nil || !ours {
		return err
	}
	data, err := c.text(1)
	if err != nil {
		return err
	}
	offset, err := c.number(3)
	if err != nil {
		return err
	}
	n, err := c.written()
	if err != nil || n > len(data) {
		return fmt.Errorf("a write of %d bytes wrote %s", len(data), c.result)
	}
	r.add(c, Operation{Kind: Write, Path: path, Offset: offset, Data: data[:n]})
	return nil
}

func (r *reader) truncate(c call) error {
	path, ours, err := r.file(c, 0)
	if err != nil || !ours {
		return err
	}
	size, err := c.number(1)
	r.add(c, Operation{Kind: Truncate, Path: path, Offset: size})
	return err
}

func (r *reader) flush(c call) error {
	path, ours, err := r.file(c, 0)
	if err != nil || !ours {
		return err
	}
	r.add(c, Operation{Kind: FlushFile, Path: path, since: c.began})
	return nil
}

// mmap refuses a file of the store that is written to behind the trace's back.
func (r *reader) mmap(c call) error {
	_, ours, err := r.file(c, 4)
	if err == nil && ours && strings.Contains(c.arg(2), "PROT_WRITE") && strings.Contains(c.arg(3), "MAP_SHARED") {
		err = errMapped
	}
	return err
}
