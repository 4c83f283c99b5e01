package main

import (
	"errors"
	"os"
)

// replaceInTwo replaces a folder in two renames. Killed between them, the old one is left
// under a name that ends in ".old".
func replaceInTwo(from, to string) error {
	old := to + ".old"
	if err := os.RemoveAll(old); err != nil {
		return err
	}
	if err := os.Rename(to, old); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		os.Rename(old, to)
		return err
	}
	return os.RemoveAll(old)
}
