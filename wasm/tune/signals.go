package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// interruptible is a context that ends at the first SIGINT, SIGTERM or SIGHUP; the second
// one ends the program at once. The function it returns is the exit status that says so, 0
// where no signal came.
func interruptible() (ctx context.Context, status func() int) {
	ctx, stop := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	came := make(chan syscall.Signal, 1)
	go func() {
		s := <-signals
		signal.Stop(signals) // the next one has its usual effect
		came <- s.(syscall.Signal)
		stop()
	}()
	return ctx, func() int {
		select {
		case s := <-came:
			return 128 + int(s)
		default:
			return 0
		}
	}
}
