package ui

import (
	"testing"
	"time"

	"prelude/ui/wire"
)

// learning is a page whose run has taken its first step.
func learning(t *testing.T) (*App, *stage) {
	t.Helper()
	a, s := withData(t)
	learn(a, s)
	return a, s
}

// learn starts a run and lets it take its first step.
func learn(a *App, s *stage) {
	a.startTraining()
	m, _ := last[wire.Train](s)
	a.Receive(wire.Planned{ID: m.ID, Steps: 40, Slots: 32}, nil)
	list := onShelf(1)
	list.Items[0].Origin = "training"
	a.Receive(list, nil)
	a.Receive(wire.Step{First: 1, Loss: []float64{2.4}, Total: 40}, nil)
}

// answerAs answers the request under way.
func answerAs(a *App, s *stage, text string) wire.Generate {
	g, _ := last[wire.Generate](s)
	if g.Base {
		a.Receive(wire.Sample{ID: g.ID, Which: "base", Text: " as before", Done: true, Tokens: 2}, nil)
	}
	a.Receive(wire.Sample{ID: g.ID, Which: "tuned", Key: 1, Text: text, Done: true, End: true, Tokens: 2}, nil)
	return g
}

// The first step is followed by a round over the held-out prompts, one request at a time,
// with the bare model's answers; later rounds ask the prefix alone, and not too often.
func TestLiveRounds(t *testing.T) {
	a, s := learning(t)
	first := answerAs(a, s, " as one")
	if !first.Base || first.Prompt != "p1" || len(first.Keys) != 1 || first.Keys[0] != 1 || first.MaxTokens != wire.LiveTokens {
		t.Errorf("the first request is %+v", first)
	}
	if second := answerAs(a, s, " as two"); second.Prompt != "p2" || !second.Base {
		t.Errorf("the second request is %+v", second)
	}
	_, n := last[wire.Generate](s)
	a.Receive(wire.Step{First: 2, Loss: []float64{2.2}, Total: 40}, nil)
	if _, m := last[wire.Generate](s); m != n {
		t.Error("a second round begins at once")
	}
	a.live.due = time.Now().Add(-time.Second)
	a.Receive(wire.Step{First: 3, Loss: []float64{2}, Total: 40}, nil)
	third := answerAs(a, s, " as three")
	if third.Base || third.Prompt != "p1" {
		t.Errorf("in the second round: %+v", third)
	}
	answerAs(a, s, " as four")
	if len(a.live.rounds) != 2 || a.live.rounds[0].step != 1 || a.live.rounds[1].step != 3 {
		t.Fatalf("rounds %+v", a.live.rounds)
	}
	c := &LivePanel{App: a}
	if got := c.words(0); len(got) != 2 || got[0] != (word{"as", ""}) || got[1] != (word{" three", "changed"}) {
		t.Errorf("the words are %+v", got)
	}
	a.live.show("0")
	if got := c.text(c.tuned(0)); got != "as one" {
		t.Errorf("after step 1 it said %q", got)
	}
	a.live.show("1")
	if a.live.shown != -1 {
		t.Error("the slider's end does not follow the newest round")
	}
}

// What the bare model answered before the run is not asked again, nor in the next run.
func TestLiveBaseBefore(t *testing.T) {
	a, s := withData(t)
	early := func(hash, prompt string) {
		a.Receive(wire.BaseAnswer{Hash: hash, Prompt: prompt, Answer: wire.Sample{Which: "base", Text: " early", Done: true, Tokens: 1}}, nil)
	}
	early("of other data", "p2")
	early(a.data.set.Hash, "p1")
	c := &LivePanel{App: a}
	if c.base(1) != nil || c.base(0) == nil || c.text(c.base(0)) != "early" {
		t.Fatalf("before the run the bare model says %q, %v", c.text(c.base(0)), c.base(1))
	}
	learn(a, s)
	if g := answerAs(a, s, " as one"); g.Prompt != "p1" || g.Base {
		t.Errorf("the first request is %+v", g)
	}
	if g := answerAs(a, s, " as two"); g.Prompt != "p2" || !g.Base {
		t.Errorf("the second request is %+v", g)
	}
	a.live.restart()
	if c.base(0) == nil || c.base(1) == nil || len(a.live.rounds) != 0 {
		t.Error("another run has forgotten what the bare model says, or kept the rounds")
	}
	a.live.forget()
	if c.base(0) != nil {
		t.Error("another model has the answers of the one before")
	}
}

// The end of a run is followed by a round with the best prefix, also where one was under way.
func TestLiveEnd(t *testing.T) {
	a, s := learning(t)
	m, _ := last[wire.Train](s)
	a.Receive(onShelf(1), nil)
	a.Receive(wire.Trained{ID: m.ID, Steps: 4, BestStep: 4, BestLoss: 1.5, BaseLoss: 3, Why: "step limit", Seconds: 2}, nil)
	for range 4 {
		answerAs(a, s, " so")
	}
	if n := len(a.live.rounds); n != 2 || a.live.rounds[1].step != 4 || !a.live.rounds[1].done || a.live.id != 0 {
		t.Errorf("rounds %+v, request %d", a.live.rounds, a.live.id)
	}
}

// A prompt of one's own is asked anew; an answer to the one before it is not shown as its.
func TestLivePrompts(t *testing.T) {
	a, s := learning(t)
	a.live.rewrite(0, "mine")
	answerAs(a, s, " late")
	answerAs(a, s, " two")
	c := &LivePanel{App: a}
	if c.tuned(0) != nil || c.base(0) != nil {
		t.Error("the answer to another prompt is shown")
	}
	a.live.due = time.Time{}
	a.Receive(wire.Step{First: 2, Loss: []float64{2}, Total: 40}, nil)
	if g := answerAs(a, s, ""); g.Prompt != "mine" || !g.Base {
		t.Errorf("asked %+v", g)
	}
	if got := c.words(0); len(got) != 1 || got[0].text != "(an empty answer)" {
		t.Errorf("an empty answer is shown as %+v", got)
	}
	g, _ := last[wire.Generate](s)
	a.Receive(wire.Error{ID: g.ID, Message: "too long"}, nil)
	if a.live.id != 0 || a.notices[atLive].message != "too long" {
		t.Error("an error does not end the round, or is not shown")
	}
	a.Crashed("gone")
	if a.live.id != 0 {
		t.Error("a round goes on without a worker")
	}
}

// A pause takes back the round under way; the next step after it begins another.
func TestLivePause(t *testing.T) {
	a, s := learning(t)
	g, n := last[wire.Generate](s)
	a.pause(&a.run.status)
	if c, _ := last[wire.Cancel](s); c.ID != g.ID || a.live.id != 0 || len(a.live.rounds) != 0 {
		t.Errorf("cancelled %d of request %d; request %d, %d rounds are left", c.ID, g.ID, a.live.id, len(a.live.rounds))
	}
	a.Receive(wire.State{State: "paused"}, nil)
	a.Receive(wire.Error{ID: g.ID, Message: "cancelled"}, nil)
	if _, m := last[wire.Generate](s); m != n || a.notices[atLive].message != "" {
		t.Error("something is asked during the pause, or the cancelled request is told of")
	}
	a.resume(&a.run.status)
	a.Receive(wire.Step{First: 2, Loss: []float64{2}, Total: 40}, nil)
	if again := answerAs(a, s, " so"); again.Prompt != "p1" || !again.Base {
		t.Errorf("after the pause it asks %+v", again)
	}
}

// What a run answered while it learned comes back with it, in another sitting too; a run without
// any doesn't show another's.
func TestLiveKept(t *testing.T) {
	a, s := learning(t)
	answerAs(a, s, " as one")
	answerAs(a, s, " as two")
	a.live.due = time.Now().Add(-time.Second)
	a.Receive(wire.Step{First: 2, Loss: []float64{2}, Total: 40}, nil)
	answerAs(a, s, " as three")
	answerAs(a, s, "")
	m, _ := last[wire.Train](s)
	a.Receive(wire.Trained{ID: m.ID, Steps: 2, BestStep: 2, Why: "step limit"}, nil)
	kept := a.run.record()
	if kept.Live == nil || len(kept.Live.Rounds) != 2 || !kept.Live.whole() {
		t.Fatalf("kept %+v", kept.Live)
	}

	b, _ := withData(t)
	b.data.set.Hash = a.data.set.Hash
	c := &LivePanel{App: b}
	b.showRun(kept)
	b.live.show("0")
	if got := c.text(c.tuned(0)) + c.when() + c.text(c.base(1)); got != "as oneafter 1 stepas before" {
		t.Errorf("shows %q", got)
	}
	b.showRun(&runRecord{N: 7, Hash: kept.Hash})
	if len(b.live.rounds) != 0 {
		t.Error("a run without answers shows another's")
	}
	other := *kept
	other.Hash = "of other examples"
	b.showRun(&other)
	if len(b.live.rounds) != 0 {
		t.Error("answers stand beside other examples")
	}
	broken := *kept
	broken.Live = &liveRecord{Prompts: kept.Live.Prompts, Rounds: kept.Live.Rounds}
	b.showRun(&broken)
	if len(b.live.rounds) != 0 {
		t.Error("a record that is not whole is shown")
	}

	l := live{prompts: make([]wire.Example, 1), base: make([]*answer, 1)}
	for i := range 10 * mostRounds {
		l.rounds = append(l.rounds, round{step: i, answers: make([]*answer, 1), done: true})
	}
	if r := l.record().Rounds; len(r) > mostRounds+1 || r[len(r)-1].Step != 10*mostRounds-1 || r[0].Step != 0 {
		t.Errorf("%d rounds of many are kept, to step %d", len(r), r[len(r)-1].Step)
	}
}
