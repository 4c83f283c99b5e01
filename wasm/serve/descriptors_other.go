//go:build !unix

package main

// mostConnections is how many connections the process has descriptors for.
func mostConnections(want int) int { return want }
