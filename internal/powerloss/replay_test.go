package powerloss

import (
	"slices"
	"testing"
)

func TestARouterStartsOnAnImage(t *testing.T) { // F6
	from := Start{
		Image:    Image{Directories: []string{"d", "d/e"}, Files: map[string][]byte{"d/e/a": []byte("abcd"), "b": []byte("x")}},
		Promised: Promised{Acknowledged: []string{"e1"}},
	}
	before := shown(from.Image)
	operations := []Operation{write("d/e/a", 0, "XY"), flush("d/e/a"), {Kind: Acknowledge, ID: "e2"}, unlink("b")}
	for n := range operations {
		operations[n].at, operations[n].since = n+1, n+1
	}
	for range 2 { // the first time must leave nothing to the second
		var images [][]string
		var acknowledged []string
		err := replay(from, operations, func(m moment) error {
			images = append(images, possible(m.disk))
			acknowledged = m.promised.Acknowledged
			return nil
		})
		want := [][]string{
			{"b=x d/e/a=XYcd d d/e", "b=x d/e/a=abcd d d/e"},
			{"b=x d/e/a=XYcd d d/e"},
			{"b=x d/e/a=XYcd d d/e", "d/e/a=XYcd d d/e"},
		}
		if err != nil || !slices.EqualFunc(images, want, slices.Equal) {
			t.Errorf("images = %q, %v; want %q", images, err, want)
		}
		if !slices.Equal(acknowledged, []string{"e1", "e2"}) {
			t.Errorf("acknowledged in the end = %q, want what was before, too", acknowledged)
		}
	}
	if after := shown(from.Image); after != before {
		t.Errorf("the image is %q now, and was %q", after, before)
	}
}

func TestAnImageIsPickedForARouterToStartOn(t *testing.T) {
	sweep := Sweep{Operations: written(t, true), Seed: 3}
	from, where, err := sweep.Pick(t.Context())
	if err != nil || where == "" {
		t.Fatalf("Pick() = %q, %v", where, err)
	}
	again, there, _ := sweep.Pick(t.Context())
	if there != where || shown(again.Image) != shown(from.Image) {
		t.Errorf("Pick() with the same seed = an image %s, and then one %s", where, there)
	}
	sweep.Seed = 4
	if _, there, _ := sweep.Pick(t.Context()); there == where {
		t.Errorf("Pick() with another seed = the same image, %s", where)
	}
}
