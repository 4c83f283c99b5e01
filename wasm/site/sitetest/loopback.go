package sitetest

import (
	"net"
	"net/http"
	"sync"
)

// Loopback makes clients for a server on this machine, each with a loopback address
// of its own: 127.0.0.2 for n = 1, and on.
func Loopback() func(n int) *http.Client {
	var mu sync.Mutex
	made := map[int]*http.Client{}
	return func(n int) *http.Client {
		mu.Lock()
		defer mu.Unlock()
		if made[n] == nil {
			dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+n))}}
			made[n] = &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}}
		}
		return made[n]
	}
}
