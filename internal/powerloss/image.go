package powerloss

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Image is what may lie on a disk, by paths below its root.
type Image struct {
	Directories []string // each after the one that it lies in
	Files       map[string][]byte
}

// image is the disk after a choice.
func (d *disk) image(chosen choice) Image {
	made := Image{Files: map[string][]byte{}}
	d.collect(&made, chosen, ".", d.root)
	return made
}

// collect adds what lies below a directory.
func (d *disk) collect(into *Image, chosen choice, at string, directory *node) {
	names := maps.Clone(directory.names)
	for i, c := range d.open {
		if c.of == directory && chosen[i].kept {
			c.rename(names)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		n, below := names[name], filepath.Join(at, name)
		if n.directory {
			into.Directories = append(into.Directories, below)
			d.collect(into, chosen, below, n)
			continue
		}
		content := slices.Clone(n.content)
		for i, c := range d.open {
			if c.of == n && chosen[i].kept {
				content = c.write(content, chosen[i])
			}
		}
		into.Files[below] = content
	}
}

// disk is a disk with the image on it, all of it durable.
func (i Image) disk() *disk {
	d := newDisk()
	put := func(at string, n *node) {
		within, _ := d.find(filepath.Dir(at)) // it was put before
		within.names[filepath.Base(at)], within.live[filepath.Base(at)] = n, n
	}
	for _, directory := range i.Directories {
		put(directory, newDirectory())
	}
	for name, content := range i.Files {
		put(name, &node{content: slices.Clone(content)}) // the image stays as it is
	}
	return d
}

// Lay writes the image below a directory.
func (i Image) Lay(root string) error {
	for _, directory := range i.Directories {
		if err := os.Mkdir(filepath.Join(root, directory), 0o700); err != nil {
			return err
		}
	}
	for name, content := range i.Files {
		if err := os.WriteFile(filepath.Join(root, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
