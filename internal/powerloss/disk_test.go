package powerloss

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// after carries out operations, one a line of a trace.
func after(t *testing.T, operations ...Operation) *disk {
	t.Helper()
	disk := newDisk()
	for n, o := range operations {
		o.at = n + 1
		if o.since == 0 {
			o.since = o.at
		}
		if err := disk.carryOut(o); err != nil {
			t.Fatal(err)
		}
	}
	return disk
}

// shown is an image as a test names it, such as "a=xy b=".
func shown(image Image) string {
	list := []string{}
	for _, name := range slices.Sorted(maps.Keys(image.Files)) {
		list = append(list, name+"="+strings.ReplaceAll(string(image.Files[name]), "\x00", "."))
	}
	return strings.Join(append(list, image.Directories...), " ")
}

// possible are all images of a disk, by whatever variant, each once.
func possible(disk *disk) (images []string) {
	for _, v := range variants(disk.open) {
		images = append(images, shown(disk.image(choose(disk.open, v, rand.New(rand.NewPCG(1, 2))))))
	}
	slices.Sort(images)
	return slices.Compact(images)
}

func create(path string) Operation     { return Operation{Kind: Create, Path: path} }
func mkdir(path string) Operation      { return Operation{Kind: Mkdir, Path: path} }
func unlink(path string) Operation     { return Operation{Kind: Unlink, Path: path} }
func rename(from, to string) Operation { return Operation{Kind: Rename, Path: from, To: to} }
func flush(path string) Operation      { return Operation{Kind: FlushFile, Path: path} }
func truncate(path string, n int) Operation {
	return Operation{Kind: Truncate, Path: path, Offset: int64(n)}
}
func write(path string, at int, text string) Operation {
	return Operation{Kind: Write, Path: path, Offset: int64(at), Data: []byte(text)}
}

func TestWhatMayLieOnTheDisk(t *testing.T) { // F6
	for _, c := range []struct {
		what       string
		operations []Operation
		want       []string
	}{
		{"what was flushed, with its name, is there", []Operation{create("a"), write("a", 0, "xy"), flush("a"), flush(".")},
			[]string{"a=xy"}},
		{"a file that was flushed may have no name yet", []Operation{create("a"), write("a", 0, "xy"), flush("a")},
			[]string{"", "a=xy"}},
		{"a write that was not flushed may be there", []Operation{create("a"), flush("."), write("a", 0, "xy")},
			[]string{"a=", "a=xy"}},
		{"a flush of the directory is none of the file", []Operation{create("a"), write("a", 0, "xy"), flush(".")},
			[]string{"a=", "a=xy"}},
		{"a write within a file leaves the rest", []Operation{create("a"), write("a", 0, "abcd"), flush("a"), flush("."), write("a", 1, "XY")},
			[]string{"a=aXYd", "a=abcd"}},
		{"where a file grows over a gap are zeros", []Operation{create("a"), write("a", 0, "ab"), write("a", 4, "c"), flush("a"), flush(".")},
			[]string{"a=ab..c"}},
		{"a truncation may not have happened", []Operation{create("a"), write("a", 0, "abcd"), flush("a"), flush("."), truncate("a", 1)},
			[]string{"a=a", "a=abcd"}},
		{"what was cut off does not come back", []Operation{create("a"), write("a", 0, "abcd"), truncate("a", 1), truncate("a", 3), flush("a"), flush(".")},
			[]string{"a=a.."}},
		{"a file may still have the name that it lost", []Operation{create("a"), write("a", 0, "xy"), flush("a"), flush("."), unlink("a")},
			[]string{"", "a=xy"}},
		{"once the directory is flushed it has not", []Operation{create("a"), flush("."), unlink("a"), flush(".")},
			[]string{""}},
		{"a rename shows whole or not at all", []Operation{create("old"), write("old", 0, "new"), flush("old"), create("a"), write("a", 0, "xy"), flush("a"), flush("."), rename("old", "a")},
			[]string{"a=new", "a=xy old=new"}},
		{"a new file of an old name is another", []Operation{create("a"), write("a", 0, "xy"), flush("a"), flush("."), unlink("a"), create("a"), flush(".")},
			[]string{"a="}},
		{"a directory that was not flushed in the one above may be gone with all in it", []Operation{mkdir("d"), create("d/a"), write("d/a", 0, "xy"), flush("d/a"), flush("d")},
			[]string{"", "d/a=xy d"}},
		{"once it was, it is there", []Operation{mkdir("d"), flush("."), create("d/a"), write("d/a", 0, "xy"), flush("d/a"), flush("d")},
			[]string{"d/a=xy d"}},
	} {
		got := possible(after(t, c.operations...))
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
}

func TestOfSeveralChangesAnyMayBeLost(t *testing.T) { // F6
	disk := after(t, create("a"), flush("."), write("a", 0, "x"), truncate("a", 0), write("a", 1, "y"))
	chance := rand.New(rand.NewPCG(3, 4))
	seen := map[string]bool{}
	for range 200 {
		seen[shown(disk.image(choose(disk.open, variant{how: randomly}, chance)))] = true
	}
	want := map[string]bool{"a=": true, "a=x": true, "a=xy": true, "a=.y": true}
	if !maps.Equal(seen, want) {
		t.Errorf("images by chance = %v, want %v", seen, want)
	}
}

// A file system for tests of RocksDB flushed when a file was closed, and hid that nobody else did.
func TestToCloseAFileIsNoFlush(t *testing.T) {
	operations, err := read(t,
		`1 openat(AT_FDCWD<`+escaped(root)+`>, `+quote("a")+`, O_RDWR|O_CREAT|O_CLOEXEC, 0600) = `+fd(3, "a"),
		`1 fsync(4<`+escaped(root)+`>) = 0`,
		`1 pwrite64(`+fd(3, "a")+`, `+quote("xy")+`, 2, 0) = 2`,
		`1 close(`+fd(3, "a")+`) = 0`,
	)
	if err != nil {
		t.Fatal(err)
	}
	disk := newDisk()
	for _, o := range operations {
		if err := disk.carryOut(o); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := possible(disk), []string{"a=", "a=xy"}; !slices.Equal(got, want) {
		t.Errorf("images after the file was closed = %q, want %q", got, want)
	}
}

func TestAFlushCoversOnlyWhatHadEndedBeforeItBegan(t *testing.T) {
	operations, err := read(t,
		`1 openat(AT_FDCWD<`+escaped(root)+`>, `+quote("a")+`, O_RDWR|O_CREAT|O_CLOEXEC, 0600) = `+fd(3, "a"),
		`1 fsync(4<`+escaped(root)+`>) = 0`,
		`1 pwrite64(`+fd(3, "a")+`, `+quote("x")+`, 1, 0) = 1`,
		`2 pwrite64(`+fd(3, "a")+`, `+quote("y")+`, 1, 1 <unfinished ...>`,
		`1 fsync(`+fd(3, "a")+` <unfinished ...>`,
		`2 <... pwrite64 resumed>) = 1`,
		`1 <... fsync resumed>) = 0`,
	)
	if err != nil {
		t.Fatal(err)
	}
	disk := newDisk()
	for _, o := range operations {
		if err := disk.carryOut(o); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := possible(disk), []string{"a=x", "a=xy"}; !slices.Equal(got, want) {
		t.Errorf("images = %q, want %q: the other thread's write had not ended", got, want)
	}
}

func TestAWriteIsCutAtSectorsOfTheDisk(t *testing.T) {
	text := strings.Repeat("x", 1100) // from 500 on: 12 bytes of a sector, two whole ones, and 64 bytes of a fourth
	disk := after(t, create("a"), flush("."), write("a", 500, text))
	lengths := map[int]bool{}
	for _, v := range variants(disk.open) {
		if v.how != cutLast {
			continue
		}
		content := disk.image(choose(disk.open, v, nil)).Files["a"]
		lengths[len(content)] = true
		if kept := strings.Count(string(content), "x"); kept != len(content)-500 {
			t.Errorf("%s keeps %d bytes of the write in a file of %d", v, kept, len(content))
		}
	}
	if want := map[int]bool{512: true, 1024: true, 1536: true}; !maps.Equal(lengths, want) {
		t.Errorf("lengths of the file when the write was cut = %v, want %v", lengths, want)
	}
}

func TestVariantsOfAMomentDiffer(t *testing.T) {
	disk := after(t, create("a"), create("b"), write("a", 0, "x"), unlink("b"), write("a", 1, strings.Repeat("y", 1200)))
	var how []string
	for _, v := range variants(disk.open) {
		how = append(how, v.String())
	}
	want := []string{
		"nothing unflushed", "everything", "the last cut after sector 1", "the last cut after sector 2", "all but the last",
		"all but a name 0", "a name alone 0", "all but a name 1", "a name alone 1", "all but a name 2", "a name alone 2",
		"all names, no contents", "all contents, no names", "a random subset 0", "a random subset 1", "a random subset 2",
	}
	if diff := cmp.Diff(want, how); diff != "" {
		t.Errorf("variants (-want +got):\n%s", diff)
	}
	if flushed := after(t, create("a"), flush(".")); len(variants(flushed.open)) != 1 {
		t.Errorf("variants when all is flushed = %v, want one", variants(flushed.open))
	}
}

func TestWhatCannotHaveHappenedIsAnError(t *testing.T) {
	for _, o := range []Operation{write("a", 0, "x"), flush("a"), create("d/a"), rename("a", "b"), write(".", 0, "x")} {
		if err := newDisk().carryOut(o); err == nil {
			t.Errorf("carryOut(%s) to an empty disk = nil, want an error", o)
		}
	}
	disk := after(t, mkdir("d"), create("a"))
	if err := disk.carryOut(rename("a", "d/a")); err == nil {
		t.Error("a file is renamed into another directory, which the model does not know, without an error")
	}
	if err := fmt.Sprint(disk.carryOut(rename("d", "e"))); err == "<nil>" {
		t.Error("a directory is renamed, which the model does not know, without an error")
	}
}
