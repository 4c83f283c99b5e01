package ui

import (
	"strings"
	"testing"
	"time"

	"prelude/ui/wire"
)

// A silent worker is asked, given time, and then told of; its next word takes the notice away.
func TestWatchdog(t *testing.T) {
	a, s := trained(t)
	for a.live.id != 0 {
		answerAs(a, s, " so")
	}
	now := time.Now()
	a.look(now.Add(beat / 2))
	if _, n := last[wire.Ping](s); n != 0 {
		t.Error("a worker that has just spoken is asked for a sign of life")
	}
	now = now.Add(beat + time.Second)
	a.look(now)
	a.look(now.Add(quiet / 2))
	if _, n := last[wire.Ping](s); n != 1 || a.dog.told {
		t.Errorf("%d pings, told %v; want one ping and patience", n, a.dog.told)
	}
	a.look(now.Add(quiet + time.Second))
	if x := a.notices[atTop]; !x.fatal || !strings.Contains(x.message, "has not answered for 11") {
		t.Errorf("the notice is %+v", x)
	}
	a.Receive(wire.Pong{}, nil)
	if _, stands := a.notices[atTop]; stands || a.dog.told {
		t.Error("the notice stays when the worker has answered")
	}
	a.startTraining()
	now = time.Now().Add(beat + time.Second)
	a.look(now)
	a.look(now.Add(quiet + time.Second))
	if a.dog.told {
		t.Error("a worker in a long step is given up")
	}
	a.look(now.Add(quietBusy + time.Second))
	if !a.dog.told {
		t.Error("a silent training is never told of")
	}
	a.Restart()
	if a.dog.told || s.started != 2 {
		t.Errorf("after the restart: told %v, %d workers", a.dog.told, s.started)
	}
}
