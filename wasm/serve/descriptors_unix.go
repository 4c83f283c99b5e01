//go:build unix

package main

import "syscall"

// mostConnections is how many connections the process has descriptors for: each may hold a
// file open besides. Go raises the soft limit to the hard one as it starts.
func mostConnections(want int) int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return want
	}
	const kept = 64 // the program's own files
	if limit.Cur > uint64(2*want+kept) {
		return want
	}
	return max(int(limit.Cur)-kept, 2) / 2
}
