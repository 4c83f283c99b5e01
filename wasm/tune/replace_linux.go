package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// replaceFolder puts a folder in the place of another, which is removed: the two change
// names in one step.
func replaceFolder(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_EXCHANGE)
	switch {
	case err == nil:
		return os.RemoveAll(from)
	case errors.Is(err, unix.ENOENT):
		return os.Rename(from, to)
	}
	return replaceInTwo(from, to) // a file system that can't
}
