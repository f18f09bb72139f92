package powerloss

import (
	"fmt"
	"path"
	"slices"
)

// disk is a disk while operations are carried out on it: what is durable, and which changes are open. Its zero value is
// not usable; newDisk makes an empty one.
type disk struct {
	root *node
	open []change // in their order
}

// node is a file or a directory, whatever its names.
type node struct {
	directory bool
	content   []byte           // of a file: what is durable
	names     map[string]*node // of a directory: what is durable
	live      map[string]*node // of a directory: as the router sees it
}

// change is an operation on a file's content or on a directory's names that was not flushed yet.
type change struct {
	of *node
	at int // the line of the trace

	truncates bool
	offset    int64 // of a write; the size of a truncation
	data      []byte

	names []naming // all at once
}

// naming gives a name to a node; to none when the name ends.
type naming struct {
	name string
	node *node
}

// newDisk is a disk with nothing on it but the root.
func newDisk() *disk { return &disk{root: newDirectory()} }

func newDirectory() *node {
	return &node{directory: true, names: map[string]*node{}, live: map[string]*node{}}
}

// carryOut carries out an operation. What is not on the disk changes nothing.
func (d *disk) carryOut(o Operation) error {
	if !o.onDisk() {
		return nil
	}
	err := d.apply(o)
	if err != nil {
		err = fmt.Errorf("replaying %s, line %d of the trace: %w", o, o.at, err)
	}
	return err
}

func (d *disk) apply(o Operation) error {
	switch o.Kind {
	case Create, Mkdir, Unlink, Rename:
		return d.rename(o)
	}
	n, err := d.find(o.Path)
	if err != nil {
		return err
	}
	switch {
	case o.Kind == FlushFile:
		d.flush(n, o.since)
		return nil
	case n.directory:
		return fmt.Errorf("it is a directory")
	}
	d.open = append(d.open, change{of: n, at: o.at, truncates: o.Kind == Truncate, offset: o.Offset, data: o.Data})
	return nil
}

// rename carries out what is done to names.
func (d *disk) rename(o Operation) error {
	within, err := d.find(path.Dir(o.Path))
	if err != nil {
		return err
	}
	name := path.Base(o.Path)
	known := within.live[name]
	names := []naming{{name: name}}
	switch o.Kind {
	case Create, Mkdir:
		if known != nil {
			return nil // it was there already
		}
		names[0].node = &node{}
		if o.Kind == Mkdir {
			names[0].node = newDirectory()
		}
	case Rename:
		if path.Dir(o.To) != path.Dir(o.Path) || known == nil || known.directory {
			return fmt.Errorf("the model knows files that are renamed within their directory only")
		}
		names = append(names, naming{path.Base(o.To), known})
	}
	for _, n := range names {
		n.put(within.live)
	}
	d.open = append(d.open, change{of: within, at: o.at, names: names})
	return nil
}

func (n naming) put(into map[string]*node) {
	if n.node == nil {
		delete(into, n.name)
	} else {
		into[n.name] = n.node
	}
}

// find is the node that the router knows by a path.
func (d *disk) find(at string) (*node, error) {
	if at == "." {
		return d.root, nil
	}
	within, err := d.find(path.Dir(at))
	if err != nil {
		return nil, err
	}
	found := within.live[path.Base(at)]
	if found == nil {
		return nil, fmt.Errorf("there is no %s", at)
	}
	return found, nil
}

// flush makes durable what had been done to a node before a line of the trace.
func (d *disk) flush(n *node, since int) {
	d.open = slices.DeleteFunc(d.open, func(c change) bool {
		if c.of != n || c.at >= since {
			return false
		}
		if n.directory {
			c.rename(n.names)
		} else {
			n.content = c.write(n.content, whole)
		}
		return true
	})
}

// rename puts the change into effect on a directory's names.
func (c change) rename(names map[string]*node) {
	for _, n := range c.names {
		n.put(names)
	}
}
