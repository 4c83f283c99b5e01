package ui

// apart calls f, and keeps it a function of its own in what is compiled: see ui/split.
//
//go:noinline
func apart(f func()) { f() }
