package powerloss

import (
	"fmt"
	"math/rand/v2"
)

// sectorSize is what a disk writes whole or not at all.
const sectorSize = 512

// fate is what became of an open change.
type fate struct {
	kept    bool
	sectors []bool // of a write that was cut: which were kept; nil when all were
}

var whole = fate{kept: true}

// sectors is how many sectors a change touches; 1 for what is no write.
func (c change) sectors() int {
	if len(c.data) == 0 {
		return 1
	}
	first, last := c.offset/sectorSize, (c.offset+int64(len(c.data))-1)/sectorSize
	return int(last-first) + 1
}

// write puts the change into effect on a file's content. Where a file grows over a gap, zeros stand in it.
func (c change) write(content []byte, f fate) []byte {
	if c.truncates {
		return resized(content, int(c.offset))
	}
	for at := int64(0); at < int64(len(c.data)); {
		position := c.offset + at
		end := min(int64(len(c.data)), at+sectorSize-position%sectorSize)
		if f.sectors == nil || f.sectors[position/sectorSize-c.offset/sectorSize] {
			if grown := int(c.offset + end); grown > len(content) {
				content = resized(content, grown)
			}
			copy(content[position:], c.data[at:end])
		}
		at = end
	}
	return content
}

func resized(content []byte, size int) []byte {
	if size <= len(content) {
		return content[:size]
	}
	return append(content, make([]byte, size-len(content))...)
}

// A choice is what became of each open change.
type choice []fate

// variant is a kind of choice, which the open changes and a source of chance make one choice.
type variant struct {
	how string
	n   int
}

// The kinds of choice.
const (
	nothing     = "nothing unflushed"
	everything  = "everything"
	allButLast  = "all but the last"
	cutLast     = "the last cut after sector"
	names       = "all names, no contents"
	contents    = "all contents, no names"
	allButName  = "all but a name"
	nameAlone   = "a name alone"
	randomly    = "a random subset"
	randomTimes = 3
)

func (v variant) String() string {
	switch v.how {
	case cutLast, allButName, nameAlone, randomly:
		return fmt.Sprintf("%s %d", v.how, v.n)
	}
	return v.how
}

// variants are the choices that are looked at when these changes are open.
func variants(open []change) []variant {
	all := []variant{{how: nothing}}
	if len(open) == 0 {
		return all
	}
	all = append(all, variant{how: everything})
	for n := 1; n < open[len(open)-1].sectors(); n++ {
		all = append(all, variant{cutLast, n})
	}
	named := namings(open)
	if len(open) > 1 {
		all = append(all, variant{how: allButLast})
		for n := range named {
			all = append(all, variant{allButName, n}, variant{nameAlone, n})
		}
	}
	if len(named) > 0 && len(named) < len(open) {
		all = append(all, variant{how: names}, variant{how: contents})
	}
	if len(open) > 1 || open[0].sectors() > 1 {
		for n := range randomTimes {
			all = append(all, variant{randomly, n})
		}
	}
	return all
}

// namings are the places of the changes that are of names.
func namings(open []change) (places []int) {
	for i, c := range open {
		if c.names != nil {
			places = append(places, i)
		}
	}
	return places
}

// choose makes a choice of a variant.
func choose(open []change, v variant, chance *rand.Rand) choice {
	chosen := make(choice, len(open))
	last := len(open) - 1
	for i, c := range open {
		named := c.names != nil
		switch v.how {
		case everything:
			chosen[i] = whole
		case allButLast:
			chosen[i].kept = i != last
		case cutLast:
			chosen[i] = whole
			if i == last {
				chosen[i].sectors = firstOf(c.sectors(), v.n)
			}
		case names:
			chosen[i].kept = named
		case contents:
			chosen[i].kept = !named
		case allButName:
			chosen[i].kept = i != namings(open)[v.n]
		case nameAlone:
			chosen[i].kept = i == namings(open)[v.n]
		case randomly:
			chosen[i] = atRandom(c, chance)
		}
	}
	return chosen
}

func firstOf(sectors, n int) []bool {
	kept := make([]bool, sectors)
	for i := range n {
		kept[i] = true
	}
	return kept
}

// atRandom keeps a change, loses it, or keeps some of its sectors, in any order.
func atRandom(c change, chance *rand.Rand) fate {
	f := fate{kept: chance.IntN(2) == 0}
	if n := c.sectors(); f.kept && n > 1 && chance.IntN(3) == 0 {
		f.sectors = make([]bool, n)
		for i := range f.sectors {
			f.sectors[i] = chance.IntN(2) == 0
		}
	}
	return f
}
