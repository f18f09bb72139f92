package powerloss

import (
	"cmp"
	"slices"
	"testing"
)

// written is a router that writes a store, flushes it or does not, and then tells of it.
func written(t *testing.T, flushes bool) []Operation {
	t.Helper()
	image, promised := sound(t)
	operations := []Operation{mkdir("state"), flush("."), create(storeFile), flush("state")}
	content := image.Files[storeFile]
	for at := 0; at < len(content); at += 4096 {
		operations = append(operations, write(storeFile, at, string(content[at:at+4096])))
	}
	for _, id := range promised.Sent {
		operations = append(operations, Operation{Kind: Send, ID: id})
	}
	if flushes {
		operations = append(operations, flush(storeFile))
	}
	for _, id := range promised.Acknowledged {
		operations = append(operations, Operation{Kind: Acknowledge, ID: id})
	}
	operations = append(operations, promised.Settled...)
	for i := range operations {
		operations[i].at, operations[i].since = i+1, i+1
	}
	return operations
}

func TestASweepFindsWhatWasNotFlushed(t *testing.T) { // F6
	for _, flushes := range []bool{true, false} {
		sweep := Sweep{Operations: written(t, flushes), Judge: judge(t), Workers: 2}
		if flushes {
			sweep.Images = 100
		}
		result, err := sweep.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want := cmp.Or(sweep.Images, result.Possible); result.Judged != want || result.Acknowledged != len(stored) || result.Copies != result.Flushes-2 {
			t.Errorf("Run() = %+v; want %d images judged, and %d events", result, want, len(stored))
		}
		if flushes != (result.Losing == 0) {
			t.Errorf("flushed: %t, and %d images lose something", flushes, result.Losing)
		}
		// A database that is written without a journal is torn in between.
		if result.Corrupt == 0 || len(result.Findings) == 0 {
			t.Errorf("%d images are corrupt, %d are told of; want some", result.Corrupt, len(result.Findings))
		}
	}
}

// placed is an image by where it comes from and what it is.
type placed struct{ where, image string }

// built are the images of a sweep.
func built(t *testing.T, s Sweep) (list []placed) {
	t.Helper()
	counted, err := s.count()
	if err != nil {
		t.Fatal(err)
	}
	jobs := make(chan job, counted.Possible)
	if err := s.build(t.Context(), counted.Possible, jobs); err != nil {
		t.Fatal(err)
	}
	close(jobs)
	for j := range jobs {
		list = append(list, placed{j.where, shown(j.image)})
	}
	return list
}

func TestASweepTakesAsManyImagesAsAskedForFromAllOverTheTrace(t *testing.T) {
	operations := written(t, true)
	all := built(t, Sweep{Operations: operations})
	few := built(t, Sweep{Operations: operations, Images: 10, Seed: 5})
	if len(few) != 10 {
		t.Fatalf("%d images were built, want 10", len(few))
	}
	for n, image := range few {
		place := slices.IndexFunc(all, func(other placed) bool { return other.where == image.where })
		if from, to := n*len(all)/10-1, (n+1)*len(all)/10+1; place < from || place > to {
			t.Errorf("image %d of 10 is number %d of %d, want it between %d and %d", n, place, len(all), from, to)
		}
	}
	if !slices.Equal(few, built(t, Sweep{Operations: operations, Images: 10, Seed: 5})) {
		t.Error("the same seed gives other images")
	}
	if slices.Equal(few, built(t, Sweep{Operations: operations, Images: 10, Seed: 6})) {
		t.Error("another seed gives the same images")
	}
	if beyond := built(t, Sweep{Operations: operations, Images: 2 * len(all)}); len(beyond) != len(all) {
		t.Errorf("%d of %d images were built where more were asked for than there are", len(beyond), len(all))
	}
}

func TestATraceOfNothingIsNoProof(t *testing.T) {
	if result, err := (Sweep{Operations: []Operation{{Kind: Acknowledge, ID: "e"}}}).Run(t.Context()); err == nil {
		t.Errorf("Run() of a trace without a disk = %+v, want an error", result)
	}
}
