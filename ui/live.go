package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"prelude/ui/wire"
)

// live is a few held-out prompts that the model answers while it learns: once without a
// prefix, and again and again with the one in training. The rounds stay, so that a person
// can see how an answer grew.
type live struct {
	pool    []wire.Example // held-out examples, of which prompts are some
	next    int            // which of them comes next
	prompts []wire.Example
	base    []*answer // the bare model's, once for each prompt; nil where it was not asked
	rounds  []round
	shown   int // which round is shown; the newest where it is out of range
	id      int // the request under way, else 0
	at      int // its prompt
	begun   time.Time
	due     time.Time // when the next round may begin
}

// round is the answers after a number of steps.
type round struct {
	step    int
	key     int // of the prefix that answers
	answers []*answer
	done    bool
}

const (
	// liveShare is how much of the time may go into answers: a round that took a second is
	// followed by 19 of training. Twice as much cost the first half minute of a run two steps.
	liveShare = 0.05
	liveLeast = time.Second // between two rounds
)

// offer takes new held-out examples.
func (l *live) offer(held []wire.Example) {
	*l = live{pool: held}
	for range min(wire.LivePrompts, len(held)) {
		l.prompts = append(l.prompts, l.take())
	}
	l.forget()
}

func (l *live) take() wire.Example {
	x := l.pool[l.next%len(l.pool)]
	l.next++
	return x
}

// forget drops all answers: another model is loaded.
func (l *live) forget() {
	l.restart()
	l.base = make([]*answer, len(l.prompts))
}

// restart drops the answers of the run before; the bare model's are those of any run.
func (l *live) restart() {
	l.stop()
	l.rounds, l.shown, l.due = nil, -1, time.Time{}
}

// onBaseAnswer takes an answer of the bare model that came before it was asked for.
func (a *App) onBaseAnswer(m wire.BaseAnswer) {
	if a.data.set == nil || a.data.set.Hash != m.Hash {
		return
	}
	for i, x := range a.live.prompts {
		if x.Prompt == m.Prompt && a.live.base[i] == nil {
			a.live.base[i] = &answer{asked: true}
			a.live.base[i].take(m.Answer)
		}
	}
}

// nextHeldOut puts the next held-out example in a place.
func (l *live) nextHeldOut(i int) { l.replace(i, l.take()) }

// rewrite puts a prompt of the person's own in a place.
func (l *live) rewrite(i int, prompt string) {
	if strings.TrimSpace(prompt) != "" && prompt != l.prompts[i].Prompt {
		l.replace(i, wire.Example{Prompt: prompt})
	}
}

func (l *live) replace(i int, x wire.Example) {
	l.prompts[i], l.base[i] = x, nil
	for r := range l.rounds {
		l.rounds[r].answers[i] = nil
	}
	l.due = time.Time{}
}

// show chooses the round that is shown.
func (l *live) show(index string) {
	n, err := strconv.Atoi(index)
	if err != nil || n >= len(l.rounds)-1 {
		n = -1
	}
	l.shown = n
}

// shownRound is the one that is shown, nil before the first.
func (l *live) shownRound() *round {
	switch n := len(l.rounds); {
	case n == 0:
		return nil
	case l.shown < 0 || l.shown >= n:
		return &l.rounds[n-1]
	default:
		return &l.rounds[l.shown]
	}
}

// tick begins a round where one is due: at the first step, then as often as the time that
// answers take allows, and once more when the run has ended.
func (a *App) tick(ended bool) {
	l := &a.live
	if l.id != 0 || len(l.prompts) == 0 || a.engine != "ready" || a.compare.id != 0 {
		return
	}
	x := a.inUse()
	if x == nil || !ended && (x.Origin != "training" || a.run.status != runGoing || time.Now().Before(l.due)) {
		return
	}
	l.rounds = append(l.rounds, round{step: a.liveStep(ended), key: x.Key, answers: make([]*answer, len(l.prompts))})
	l.begun, l.at = time.Now(), 0
	a.askLive()
}

// liveStep is after how many steps a round answers: in the end after those of the best.
func (a *App) liveStep(ended bool) int {
	if ended && a.run.done != nil {
		return a.run.done.BestStep
	}
	return a.run.at()
}

// askLive asks the prompt whose turn it is, the bare model too where it has not answered yet.
func (a *App) askLive() {
	l := &a.live
	r := &l.rounds[len(l.rounds)-1]
	base := l.base[l.at] == nil
	if base {
		l.base[l.at] = &answer{asked: true}
	}
	r.answers[l.at] = &answer{asked: true}
	prompt := l.prompts[l.at].Prompt
	l.id = a.ask(atLive, func(id int) wire.Message {
		return wire.Generate{ID: id, Prompt: prompt, Base: base, Tuned: true, Keys: []int{r.key}, MaxTokens: wire.LiveTokens, Seed: 1}
	}, nil)
}

// onLive takes a piece of an answer, and asks the next prompt behind the last.
func (a *App) onLive(m wire.Sample) {
	l := &a.live
	r := &l.rounds[len(l.rounds)-1]
	w := l.base[l.at]
	if m.Which == "tuned" {
		w = r.answers[l.at]
	}
	if w != nil { // else its prompt was replaced meanwhile
		w.take(m)
	}
	if base, tuned := l.base[l.at], r.answers[l.at]; !m.Done || base != nil && !base.done || tuned != nil && !tuned.done {
		return
	}
	delete(a.asked, l.id)
	l.id = 0
	if l.at++; l.at < len(l.prompts) {
		a.askLive()
		return
	}
	r.done = true
	a.run.live = l.record() // kept with the next validation
	if !a.run.active() {
		a.keepRun()
	}
	took := time.Since(l.begun)
	l.due = time.Now().Add(max(liveLeast, time.Duration(float64(took)*(1/liveShare-1))))
	if a.run.status == runDone && r.step != a.run.done.BestStep {
		a.tick(true)
	}
}

// breakLive takes back the round under way: a pause or a stop does not wait for answers. The
// next step begins another.
func (a *App) breakLive() {
	l := &a.live
	if l.id == 0 {
		return
	}
	a.supersede(l.id)
	l.stop()
	l.rounds, l.due = l.rounds[:len(l.rounds)-1], time.Time{}
}

// stop ends the round under way: its answers will not come.
func (l *live) stop() {
	l.id = 0
	if n := len(l.rounds); n > 0 && !l.rounds[n-1].done {
		for _, w := range l.rounds[n-1].answers {
			if w != nil && !w.done {
				w.done, w.cut = true, true
			}
		}
	}
	for i, w := range l.base {
		if w != nil && !w.done {
			l.base[i] = nil
		}
	}
}

// LivePanel shows the held-out prompts with their answers.
type LivePanel struct{ App *App }

// stepsClass hides the slider until there is something to slide over; its room is kept.
func (c *LivePanel) stepsClass() string {
	if len(c.App.live.rounds) > 1 {
		return "live-steps"
	}
	return "live-steps hidden"
}

func (c *LivePanel) last() string { return fmt.Sprint(len(c.App.live.rounds) - 1) }

func (c *LivePanel) at() string {
	l := &c.App.live
	if l.shown < 0 || l.shown >= len(l.rounds) {
		return c.last()
	}
	return fmt.Sprint(l.shown)
}

func (c *LivePanel) when() string {
	if r := c.App.live.shownRound(); r != nil {
		return say("all.after", plural(r.step, "step"))
	}
	return ""
}

func (c *LivePanel) by() string {
	if r := c.App.live.shownRound(); r != nil {
		return say("live.step", count(r.step))
	}
	return say("all.tuned")
}

func (c *LivePanel) more() bool { return len(c.App.live.pool) > len(c.App.live.prompts) }

func (c *LivePanel) base(i int) *answer {
	if i < len(c.App.live.base) { // not a place that is kept for one
		return c.App.live.base[i]
	}
	return nil
}

func (c *LivePanel) tuned(i int) *answer {
	if r := c.App.live.shownRound(); r != nil {
		return r.answers[i]
	}
	return nil
}

// seeClass hides the way into an answer that can't be looked into yet, and keeps its room:
// nothing jumps when it comes.
func (c *LivePanel) seeClass(w *answer) string {
	if c.App.canSee(w) {
		return "link live-see"
	}
	return "link live-see not-yet"
}

func (c *LivePanel) class(w *answer) string {
	switch {
	case w == nil:
		return "live-text faint"
	case !w.done:
		return "live-text streaming"
	}
	return "live-text"
}

func (c *LivePanel) text(w *answer) string {
	switch {
	case w == nil && c.App.run.active():
		return "…"
	case w == nil:
		return say("live.not-asked-yet")
	case w.done && said(w.text.String()) == "":
		return say("all.an-empty-answer")
	}
	return said(w.text.String())
}

// word is a word of an answer, marked where the bare model's answer has another in its place.
type word struct{ text, class string }

// words are the tuned answer's, with what differs from the bare model's marked.
func (c *LivePanel) words(i int) []word {
	w := c.tuned(i)
	text := c.text(w)
	if w == nil || said(w.text.String()) == "" {
		return []word{{text, ""}}
	}
	var before []string
	if b := c.base(i); b != nil {
		before = strings.Fields(said(b.text.String()))
	}
	var all []word
	for n, x := range strings.Fields(text) {
		class := ""
		if n >= len(before) || before[n] != x {
			class = "changed"
		}
		if k := len(all) - 1; k >= 0 && all[k].class == class {
			all[k].text += " " + x
		} else {
			if k >= 0 {
				x = " " + x
			}
			all = append(all, word{x, class})
		}
	}
	return all
}
