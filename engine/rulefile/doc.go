// Package rulefile reads rules files: YAML in which every value knows its place, so that every problem can be told
// with file, line and column, all at once.
//
// Terms:
//
//   - A place is a file, a line and a column, counted from 1, columns in characters.
//   - A problem is what is wrong at a place, with a code, and a suggestion where one is near. A warning is a problem
//     that does not keep the file from being used.
//   - Expansion puts the value of ${NAME} where it stands, in scalars below `actions`, after parsing: a value can never
//     add a key or a template.
//   - The schema is a JSON Schema of the files, for editors. It is made of the same types.
//
// The package knows keys, kinds, names and settings. It does not know the language of conditions and messages:
// they are Text, which tells the place of every byte within it.
//
// It promises that Load ends soon whatever it is pointed at (not a regular file, 16 MiB and more, alias bombs), that
// nothing is accepted in part, and that no problem prints the value of a variable or secret file.
package rulefile
