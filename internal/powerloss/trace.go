package powerloss

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Calls are the system calls to be traced: all that change files, flush them, or tell the world something.
const Calls = "open,openat,openat2,creat,pwrite64,pwritev,pwritev2,write,writev,ftruncate,truncate,fallocate," +
	"fsync,fdatasync,sync_file_range,sync,syncfs,msync,unlink,unlinkat,rename,renameat,renameat2,link,linkat,symlink,symlinkat," +
	"mkdir,mkdirat,rmdir,mmap,sendto,sendmsg,sendmmsg,copy_file_range,sendfile,splice,io_uring_setup"

// lineLimit is more than a line takes up whose strings were cut at 200,000 bytes, four characters a byte.
const lineLimit = 4 << 20

// call is a system call as `strace -f -yy -xx` tells it.
type call struct {
	name   string
	args   []string
	result string
	began  int // the line of the trace, from 1
	ended  int
}

// readTrace calls each for every call that ended, in the order in which they ended.
func readTrace(from io.Reader, each func(call) error) error {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, lineLimit)
	type begun struct {
		text string
		line int
	}
	waiting := map[string]begun{} // by thread
	for line := 1; lines.Scan(); line++ {
		thread, text, found := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		text = strings.TrimLeft(text, " ")
		if !found || text == "" {
			return fmt.Errorf("line %d of the trace: no call of a thread", line)
		}
		if strings.HasPrefix(text, "---") || strings.HasPrefix(text, "+++") {
			continue // a signal, or the end of a thread
		}
		if start, unfinished := strings.CutSuffix(text, " <unfinished ...>"); unfinished {
			waiting[thread] = begun{start, line}
			continue
		}
		start := begun{line: line}
		if strings.HasPrefix(text, "<... ") {
			var known bool
			if start, known = waiting[thread]; !known {
				return fmt.Errorf("line %d of the trace: the end of a call whose beginning is missing", line)
			}
			delete(waiting, thread)
			_, rest, _ := strings.Cut(text, " resumed>")
			text = start.text + rest
		}
		c, err := parseCall(text)
		if err == nil {
			c.began, c.ended = start.line, line
			err = each(c)
		}
		if err != nil {
			return fmt.Errorf("line %d of the trace: %w", line, err)
		}
	}
	return lines.Err()
}

// parseCall reads NAME(ARGUMENTS) = RESULT.
func parseCall(text string) (c call, err error) {
	var inner string
	var found bool
	if c.name, inner, found = strings.Cut(text, "("); !found {
		return c, fmt.Errorf("%.40q is no call", text)
	}
	end := strings.LastIndex(inner, " = ")
	if end < 0 {
		return c, fmt.Errorf("%s has no result", c.name)
	}
	c.result = inner[end+len(" = "):]
	inner, found = strings.CutSuffix(strings.TrimRight(inner[:end], " "), ")")
	if !found {
		return c, fmt.Errorf("the arguments of %s do not end", c.name)
	}
	c.args = splitArgs(inner)
	return c, nil
}

// splitArgs cuts at the commas that stand in no string and in no brackets. Strings hold nothing but \xHH.
func splitArgs(text string) (args []string) {
	depth, quoted, start := 0, false, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			quoted = !quoted
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case ',':
			if depth == 0 && !quoted {
				args = append(args, strings.TrimSpace(text[start:i]))
				start = i + 1
			}
		}
	}
	return append(args, strings.TrimSpace(text[start:]))
}

// failed tells whether the call did nothing.
func (c call) failed() bool {
	return strings.HasPrefix(c.result, "-1") || strings.HasPrefix(c.result, "?")
}

// arg is the nth argument; empty when there are fewer.
func (c call) arg(n int) string {
	if n >= len(c.args) {
		return ""
	}
	return c.args[n]
}

// number reads the nth argument as a number.
func (c call) number(n int) (int64, error) {
	value, err := strconv.ParseInt(c.arg(n), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("argument %d of %s: %w", n, c.name, err)
	}
	return value, nil
}

// text decodes the nth argument, a string.
func (c call) text(n int) ([]byte, error) { return decode(c.arg(n)) }

// written is how many bytes a write wrote.
func (c call) written() (int, error) {
	return strconv.Atoi(c.result)
}

// decode reads a string of the trace. One that strace cut short is an error: the rest would be missing from the disk.
func decode(quoted string) ([]byte, error) {
	inner, ok := strings.CutPrefix(quoted, `"`)
	if !ok {
		return nil, fmt.Errorf("%.20q is no string", quoted)
	}
	if inner, ok = strings.CutSuffix(inner, `"`); !ok {
		return nil, errors.New("a string was cut short: trace with a larger -s")
	}
	return hex.DecodeString(strings.ReplaceAll(inner, `\x`, ""))
}

// opened reads what a descriptor stands for: the 5</a/file> of an argument or a result. Of what is no file it gives
// strace's words, such as TCP:[...].
func opened(text string) (descriptor, name string, err error) {
	descriptor, rest, found := strings.Cut(text, "<")
	if !found {
		return descriptor, "", nil
	}
	rest = strings.TrimSuffix(rest, "(deleted)")
	inner, ok := strings.CutSuffix(rest, ">")
	if !ok {
		return "", "", fmt.Errorf("%.60q is no descriptor", text)
	}
	if !strings.HasPrefix(inner, `\x`) {
		return descriptor, inner, nil
	}
	inner, _, _ = strings.Cut(inner, "<") // of devices strace tells the numbers, too
	path, err := decode(`"` + inner + `"`)
	return descriptor, string(path), err
}
