package main

import (
	"net"
	"sync"

	"prelude/wasm/site"
)

// connections bounds how many connections are open, in all and for each address. Where an
// address has all of its own, its next one is closed at once. Where all are taken, the
// address that holds most of them loses its oldest, so that whoever comes next is served.
type connections struct {
	net.Listener
	total, each int

	mu   sync.Mutex
	open map[string][]*connection // the oldest first
	n    int
}

// sendBuffer is how much of an answer the system holds for a client that reads slowly, in
// bytes, of which it takes the double. Left alone it holds megabytes for each: hundreds of
// such clients at once then keep the processor busy for seconds with filling their buffers.
const sendBuffer = 128 << 10

// limitConnections bounds what a listener accepts.
func limitConnections(l net.Listener, total, each int) *connections {
	return &connections{Listener: l, total: total, each: each, open: map[string][]*connection{}}
}

func (l *connections) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetWriteBuffer(sendBuffer) // where it can't be set, the answer is the same
		}
		if c := l.admit(c); c != nil {
			return c, nil
		}
	}
}

// admit counts a connection, or closes it and returns nil.
func (l *connections) admit(c net.Conn) net.Conn {
	address := site.Address(c.RemoteAddr().String())
	counted := &connection{Conn: c, from: l, address: address}
	l.mu.Lock()
	var victim *connection
	if l.n >= l.total {
		most := address
		for a, open := range l.open {
			if len(open) > len(l.open[most]) {
				most = a
			}
		}
		if most != address {
			victim = l.open[most][0]
		}
	}
	if len(l.open[address]) >= l.each || l.n >= l.total && victim == nil {
		l.mu.Unlock()
		c.Close()
		return nil
	}
	l.open[address] = append(l.open[address], counted)
	l.n++
	l.mu.Unlock()
	if victim != nil {
		victim.Close()
	}
	return counted
}

// connection is one that is counted until it is closed.
type connection struct {
	net.Conn
	from    *connections
	address string
}

func (c *connection) Close() error {
	l := c.from
	l.mu.Lock()
	open := l.open[c.address]
	for i, x := range open {
		if x == c {
			l.n--
			if l.open[c.address] = append(open[:i], open[i+1:]...); len(open) == 1 {
				delete(l.open, c.address)
			}
			break
		}
	}
	l.mu.Unlock()
	return c.Conn.Close()
}
