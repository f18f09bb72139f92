package powerloss

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// root is where the router of testdata/router.trace was started, in an empty directory.
const root = "/srv/peanuts"

func TestATraceOfARouterIsRead(t *testing.T) { // F6
	trace, err := os.Open("testdata/router.trace")
	if err != nil {
		t.Fatal(err)
	}
	defer trace.Close()
	operations, err := Read(trace, root)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range operations {
		got = append(got, o.String())
	}
	want := []string{
		"mkdir state",
		"flush .",
		"create state/router.db.lock",
		"create state/router.db",
		"create state/router.db", // by SQLite: it is there already
		"create state/router.db-journal",
		"write of 512 bytes at 0 of state/router.db-journal",
		"flush state/router.db-journal",
		"flush state",
		"write of 12 bytes at 0 of state/router.db-journal",
		"flush state/router.db-journal",
		"flush state/router.db",
		"unlink state/router.db-journal",
		"create state/router.db-wal",
		"write of 32 bytes at 0 of state/router.db-wal",
		"flush state/router.db-wal",
		"flush state",
		"write of 24 bytes at 32 of state/router.db-wal",
		"flush state/router.db-wal",
		"create state/router.db",
		"flush state/router.db-wal",
		"acknowledge 01a2181d-fbcb-7939-bfdd-95be1d30b603",
		"flush state/router.db-wal",
		"send 01a2181d-fbcb-7939-bfdd-95be1d30b603-1",
		"flush state/router.db-wal",
		"delivered 01a2181d-fbcb-7939-bfdd-95be1d30b603-1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
	if header := operations[14].Data; !strings.HasPrefix(string(header), "\x37\x7f\x06\x82") {
		t.Errorf("the log begins with %x, want SQLite's mark 377f0682", header)
	}
}

// quote is a string as strace writes it.
func quote(text string) string { return `"` + escaped(text) + `"` }

// fd is a descriptor of a file below the root.
func fd(n int, path string) string { return fmt.Sprintf("%d<%s>", n, escaped(root+"/"+path)) }

// read reads lines of a trace, each of one call.
func read(t *testing.T, lines ...string) ([]Operation, error) {
	t.Helper()
	return Read(strings.NewReader(strings.Join(lines, "\n")), root)
}

func TestWhatTheModelDoesNotKnowIsRefused(t *testing.T) {
	socket := "17<TCP:[127.0.0.1:3000->127.0.0.1:41636]>"
	for _, c := range []struct{ what, line string }{
		{"a string that was cut short", `1 pwrite64(` + fd(3, "a") + `, ` + quote("abc") + `..., 4096, 0) = 4096`},
		{"an answer that was cut short", `1 write(` + socket + `, ` + quote("HTTP/1.1 200 OK") + `..., 4096) = 4096`},
		{"the end of a call without its beginning", `1 <... fsync resumed>) = 0`},
		{"a write without an offset", `1 write(` + fd(3, "a") + `, ` + quote("abc") + `, 3) = 3`},
		{"a write in several pieces", `1 pwritev(` + fd(3, "a") + `, [{iov_base=` + quote("abc") + `, iov_len=3}], 1, 0) = 3`},
		{"a file that is mapped for writing", `1 mmap(NULL, 32768, PROT_READ|PROT_WRITE, MAP_SHARED, ` + fd(3, "a") + `, 0) = 0x7f0000000000`},
		{"a file that flushes each write by itself", `1 openat(AT_FDCWD<` + escaped(root) + `>, ` + quote("a") + `, O_RDWR|O_DSYNC) = ` + fd(3, "a")},
		{"a file from elsewhere", `1 rename(` + quote("/tmp/a") + `, ` + quote(root+"/a") + `) = 0`},
		{"a hard link", `1 linkat(AT_FDCWD<` + escaped(root) + `>, ` + quote("a") + `, AT_FDCWD<` + escaped(root) + `>, ` + quote("b") + `, 0) = 0`},
		{"room that is reserved", `1 fallocate(` + fd(3, "a") + `, 0, 0, 4096) = 0`},
		{"calls that no trace shows", `1 io_uring_setup(8, {flags=0}) = 5<anon_inode:[io_uring]>`},
		{"a line that is no call", `1 something else`},
	} {
		if operations, err := read(t, c.line); err == nil {
			t.Errorf("%s is read as %v, want an error", c.what, operations)
		}
	}
}

func TestCallsThatChangeNothingAreNoOperations(t *testing.T) {
	operations, err := read(t,
		`1 mkdirat(AT_FDCWD<`+escaped(root)+`>, `+quote("state")+`, 0700) = -1 EEXIST (File exists)`,
		`1 pwrite64(`+fd(3, "a")+`, `+quote("abc")+`, 3, 0) = -1 ENOSPC (No space left on device)`,
		`1 openat(AT_FDCWD<`+escaped(root)+`>, `+quote("a")+`, O_RDONLY|O_CLOEXEC) = `+fd(3, "a"),
		`1 pwrite64(`+fd(3, "router.db-shm")+`, `+quote("abc")+`, 3, 0) = 3`,
		`1 mmap(NULL, 32768, PROT_READ, MAP_SHARED, `+fd(3, "a")+`, 0) = 0x7f0000000000`,
		`1 pwrite64(3<`+escaped("/elsewhere")+`>, `+quote("abc")+`, 3, 0) = 3`,
		`1 fsync(`+fd(3, "a")+` <unfinished ...>`, // the router was killed in it
	)
	if err != nil || len(operations) > 0 {
		t.Errorf("operations = %v, %v; want none", operations, err)
	}
}

func TestAShortWriteWroteWhatItTells(t *testing.T) {
	operations, err := read(t, `1 pwrite64(`+fd(3, "a")+`, `+quote("abcdef")+`, 6, 8) = 2`)
	if err != nil || len(operations) != 1 || string(operations[0].Data) != "ab" || operations[0].Offset != 8 {
		t.Errorf("operations = %v, %v; want a write of ab at 8", operations, err)
	}
}

func TestAnAnswerCountsFromItsBeginningAndInPieces(t *testing.T) {
	answer := `{"processed":true,"id":"e1","duplicate":false}`
	socket := "17<TCPv6:[[::1]:3000->[::1]:41636]>"
	operations, err := read(t,
		`1 writev(`+socket+`, [{iov_base=`+quote("HTTP/1.1 200 OK\r\n\r\n")+`, iov_len=19}, {iov_base=`+quote(answer)+`, iov_len=45}], 2 <unfinished ...>`,
		`2 fsync(`+fd(3, "a")+`) = 0`,
		`1 <... writev resumed>) = 64`,
		`1 write(`+socket+`, `+quote("HTTP/1.1 503 Service Unavailable\r\n\r\n"+answer)+`, 81) = 81`,
	)
	if got := fmt.Sprint(operations); err != nil || got != "[acknowledge e1 flush a]" {
		t.Errorf("operations = %s, %v; want the answer before the flush, and no answer of 503", got, err)
	}
}

func TestALogTellsOfSettledDeliveries(t *testing.T) {
	log := `{"msg":"attempt","delivery":"e1-1","verdict":"delivered"}
{"msg":"attempt","delivery":"e1-2","verdict":"retry"}
{"msg":"attempt","delivery":"e1-3","verdict":"delivered","stale":true}
{"msg":"dead letter","delivery":"e1-2"}
`
	operations, err := read(t, `1 write(2<pipe:[77]>, `+quote(log)+`, 200) = 200`)
	if got := fmt.Sprint(operations); err != nil || got != "[delivered e1-1 dead e1-2]" {
		t.Errorf("operations = %s, %v; want what was recorded", got, err)
	}
}
