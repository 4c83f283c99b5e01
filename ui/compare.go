package ui

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"prelude/ui/wire"
)

// generation are the settings of an answer, as they stand in their boxes.
type generation struct {
	tokens, temperature, topK, topP, minP, repeat, seed, stop string
}

func defaultGeneration() generation {
	return generation{tokens: strconv.Itoa(wire.DefaultAnswer), temperature: "0", seed: "1"}
}

// compare is the section where the base model and the prefixes answer side by side.
type compare struct {
	id      int // the request under way, else 0
	prompt  string
	touched bool // the person wrote in the box
	held    []wire.Example
	at      int // which held-out example stands in the box
	gen     generation
	system  *string   // the person's system message; nil: as in training
	talk    []*turn   // what was asked and answered, the newest last
	follow  *bool     // whether a message goes on from there; nil: see [App.follows]
	editing int       // from 1: which message is being edited; 0: none
	draft   string    // what stands in its box
	copied  *answer   // that was copied last
	size    measuring // of what stands in the prompt box
}

// turn is a message with its answers.
type turn struct {
	prompt  string
	answers map[int]*answer // by the prefix's key, 0: the base model
	lead    int             // whose answer those read who have none of their own
	again   uint64          // how often it was answered anew
}

// answer is what one of the models has said so far.
type answer struct {
	by        string
	asked     bool
	text      strings.Builder
	done, end bool
	cut       bool // stopped by the person or an error
	tokens    int
	rate      float64
	without   string // what of the question it could not read
}

// offer takes new held-out examples, and fills the prompt box with the first
// unless the person has written there.
func (c *compare) offer(held []wire.Example) {
	c.held, c.at = held, 0
	if !c.touched && len(held) > 0 {
		c.prompt = held[0].Prompt
	}
}

// nextHeldOut puts the next held-out example into the prompt box.
func (c *compare) nextHeldOut() {
	if len(c.held) == 0 {
		return
	}
	c.at = (c.at + 1) % len(c.held)
	c.prompt, c.touched = c.held[c.at].Prompt, false
}

// reference is what the data set says to the prompt in the box, where it is one of its own.
func (c *compare) reference() string {
	if c.at < len(c.held) && c.held[c.at].Prompt == c.prompt {
		return strings.TrimSpace(c.held[c.at].Completion)
	}
	return ""
}

// newest is the last turn, nil before the first.
func (c *compare) newest() *turn {
	if len(c.talk) == 0 {
		return nil
	}
	return c.talk[len(c.talk)-1]
}

// keys of those who have answered, the base model first.
func (t *turn) keys() []int { return slices.Sorted(maps.Keys(t.answers)) }

// text is an answer as the model gave it, "" where there is none.
func (t *turn) text(key int) string {
	if w := t.answers[key]; w != nil {
		return w.text.String()
	}
	return ""
}

func (c *compare) clear() { c.id, c.talk, c.editing = 0, nil, 0 }

func (c *compare) stop() {
	c.id = 0
	if t := c.newest(); t != nil {
		for _, w := range t.answers {
			if !w.done {
				w.done, w.cut = true, true
			}
		}
	}
}

// done says whether every answer asked for is there.
func (c *compare) done() bool {
	if t := c.newest(); t != nil {
		for _, w := range t.answers {
			if !w.done {
				return false
			}
		}
	}
	return true
}

func (c *compare) sample(m wire.Sample) {
	if m.ID != c.id {
		return
	}
	if w := c.newest().answers[m.Key]; w != nil {
		w.take(m)
	}
	if c.done() {
		c.id = 0
	}
}

// take appends a piece.
func (w *answer) take(m wire.Sample) {
	w.text.WriteString(m.Text)
	if m.Tokens > 0 {
		w.tokens, w.rate = m.Tokens, m.TokensSec
	}
	if m.Done {
		w.done, w.end, w.without = true, m.End, leftOut(m.Turns, m.Bytes)
	}
}

// foot is the small print under an answer.
func (w *answer) foot() string {
	if !w.asked || w.tokens == 0 {
		return ""
	}
	s := plural(w.tokens, "token")
	if w.rate > 0 {
		s += " " + say("compare.tokens-s", rate(w.rate))
	}
	return s
}

// mark says how the answer ended.
func (w *answer) mark() string {
	switch {
	case !w.done:
		return ""
	case w.end:
		return say("compare.finished")
	case w.cut:
		return say("compare.stopped-early")
	}
	return say("compare.reached-the-token-limit")
}

// request is a question as these settings have it.
func (g *generation) request(prompt string) (m wire.Generate, err error) {
	m.Prompt = prompt
	read := func(label, text string, low, high float64, whole bool) float64 {
		if strings.TrimSpace(text) == "" {
			return 0
		}
		v, e := number(label, text, low, high, whole)
		if err == nil {
			err = e
		}
		return v
	}
	m.MaxTokens = int(read(say("compare.maximum-new-tokens"), g.tokens, 1, 1e5, true))
	if m.MaxTokens == 0 && err == nil {
		err = errors.New(say("compare.a-number-is-missing"))
	}
	m.Temperature = read(say("compare.temperature"), g.temperature, 0, 10, false)
	m.TopK = int(read(say("compare.top-k"), g.topK, 0, 1e6, true))
	m.TopP = read(say("compare.top-p"), g.topP, 0, 1, false)
	m.MinP = read(say("compare.min-p"), g.minP, 0, 1, false)
	m.RepeatPenalty = read(say("compare.repetition-penalty"), g.repeat, 0, 10, false)
	m.Seed = uint64(read(say("all.seed"), g.seed, 0, 1<<52, true))
	for _, line := range strings.Split(g.stop, "\n") {
		if line = strings.TrimRight(line, "\r"); line != "" {
			m.Stop = append(m.Stop, line)
		}
	}
	return m, err
}

// follows says whether a message goes on from the conversation above it. Where nothing is
// chosen it does with a model that converses, unless the examples are of single questions.
func (a *App) follows() bool {
	c := &a.compare
	switch {
	case c.follow != nil:
		return *c.follow
	case a.model.loaded == nil || !a.model.loaded.Chat:
		return false
	}
	return a.data.set == nil || strings.Contains(a.data.set.Shape, "messages")
}

func (a *App) setFollow(on bool) { a.compare.follow = &on }

// generate asks the base model and every prefix that is switched on.
func (a *App) generate() {
	c := &a.compare
	if c.id != 0 || !a.askable(c.prompt) {
		return
	}
	if !a.follows() {
		c.talk = nil
	}
	a.say(c.prompt)
	if a.follows() {
		c.prompt, c.touched = "", true
	}
	a.measure()
}

// askable says whether a message can be asked; what it lacks is told.
func (a *App) askable(prompt string) bool {
	delete(a.notices, atCompare)
	_, err := a.compare.gen.request(prompt)
	switch {
	case a.engine != "ready" || a.model.loaded == nil:
		a.refuse(atCompare, say("all.load-a-model-first"), "")
	case prompt == "":
		a.refuse(atCompare, say("all.the-prompt-is-empty"), say("all.write-something-for-the"))
	case err != nil:
		a.refuse(atCompare, sentence(err.Error()), "")
	default:
		return true
	}
	return false
}

// say adds a message to the conversation and asks all who answer.
func (a *App) say(prompt string) {
	c := &a.compare
	c.editing = 0
	t := &turn{prompt: prompt, answers: map[int]*answer{0: {by: say("all.base")}}}
	for _, x := range a.shelf.on() {
		t.answers[x.Key] = &answer{by: named(x.Name)}
		if x.Key == a.shelf.InUse || t.lead == 0 {
			t.lead = x.Key
		}
	}
	c.talk = append(c.talk, t)
	a.answer(t, t.keys())
}

// answer asks for these answers to the newest turn.
func (a *App) answer(t *turn, keys []int) {
	for _, key := range keys {
		*t.answers[key] = answer{by: t.answers[key].by, asked: true}
	}
	c := &a.compare
	c.id = a.ask(atCompare, func(id int) wire.Message {
		m := a.question(t.prompt, c.talk[:len(c.talk)-1], keys)
		m.ID, m.Seed = id, m.Seed+t.again
		return m
	}, nil)
}

// question is a prompt for those with these keys, after what was said before.
func (a *App) question(prompt string, earlier []*turn, keys []int) wire.Generate {
	c := &a.compare
	m, _ := c.gen.request(prompt)
	m.System = c.system
	for _, key := range keys {
		if key == 0 {
			m.Base = true
		} else {
			m.Keys, m.Tuned = append(m.Keys, key), true
		}
	}
	m.Before = before(earlier)
	return m
}

// before is what was said in these turns, for whoever goes on from them.
func before(talk []*turn) (all []wire.Turn) {
	for _, t := range talk {
		w := wire.Turn{Prompt: t.prompt, Answer: t.text(t.lead), Own: map[int]string{}}
		for key, own := range t.answers {
			if !own.empty() {
				w.Own[key] = t.text(key)
			}
		}
		all = append(all, w)
	}
	return all
}

// regenerate asks one of the newest answers anew, with another seed.
func (a *App) regenerate(key int) {
	c := &a.compare
	t := c.newest()
	if c.id != 0 || t == nil || t.answers[key] == nil || !a.askable(t.prompt) {
		return
	}
	if key != 0 && a.shelf.item(key) == nil {
		a.refuse(atCompare, say("compare.is-not-here-any", t.answers[key].by), say("compare.its-answers-stay-in"))
		return
	}
	t.again++
	a.answer(t, []int{key})
}

// edit opens a message of the conversation, from 0, for another wording.
func (c *compare) edit(i int) { c.editing, c.draft = i+1, c.talk[i].prompt }

// resend asks the message that was edited; what came after it is forgotten.
func (a *App) resend() {
	c := &a.compare
	if c.editing == 0 || c.id != 0 || !a.askable(c.draft) {
		return
	}
	c.talk = c.talk[:c.editing-1]
	a.say(c.draft)
}

// newTalk begins another conversation.
func (a *App) newTalk() {
	c := &a.compare
	if c.id != 0 {
		a.cancelGenerate()
	}
	c.clear()
	if len(c.held) > 0 {
		c.prompt, c.touched = c.held[c.at].Prompt, false
	}
}

func (a *App) cancelGenerate() {
	a.host.Send(wire.Cancel{ID: a.compare.id}, nil)
	delete(a.asked, a.compare.id)
	a.compare.stop()
}

// copyAnswer puts an answer on the clipboard.
func (a *App) copyAnswer(w *answer) {
	a.host.Copy(said(w.text.String()))
	a.compare.copied = w
	a.host.Later(2*time.Second, func() {
		if a.compare.copied == w {
			a.compare.copied = nil
		}
	})
}
