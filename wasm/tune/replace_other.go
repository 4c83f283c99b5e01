//go:build !linux

package main

// replaceFolder puts a folder in the place of another, which is removed.
func replaceFolder(from, to string) error { return replaceInTwo(from, to) }
