package ui

import (
	"errors"
	"strconv"
	"strings"

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
	base    answer
	tuned   map[int]*answer // by the prefix' key
	asked   string          // the prompt of the answers that stand there
	turns   []turn          // the conversation so far
}

// turn is one prompt with the answer from which the conversation goes on.
type turn struct {
	wire.Turn
	by string // who gave the answer
}

// answer is what one of the two models has said so far.
type answer struct {
	asked     bool
	text      strings.Builder
	done, end bool
	cut       bool // stopped by the person or an error
	tokens    int
	rate      float64
}

// offer takes new held-out examples, and fills the prompt box with the first
// unless the person has written there.
func (c *compare) offer(held []wire.Example) {
	c.held, c.at = held, 0
	if !c.touched && len(held) > 0 {
		c.prompt = held[0].Prompt
	}
}

// another puts the next held-out example into the prompt box.
func (c *compare) another() {
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

// of is the answer of a prefix.
func (c *compare) of(key int) *answer {
	if c.tuned == nil {
		c.tuned = map[int]*answer{}
	}
	if c.tuned[key] == nil {
		c.tuned[key] = &answer{}
	}
	return c.tuned[key]
}

func (c *compare) clear() {
	c.id = 0
	c.base, c.tuned = answer{}, nil
}

// forget drops what a prefix has said.
func (c *compare) forget(key int) { delete(c.tuned, key) }

// all are the answers.
func (c *compare) all() []*answer {
	all := []*answer{&c.base}
	for _, w := range c.tuned {
		all = append(all, w)
	}
	return all
}

func (c *compare) stop() {
	c.id = 0
	for _, w := range c.all() {
		if w.asked && !w.done {
			w.done, w.cut = true, true
		}
	}
}

// done says whether every answer asked for is there.
func (c *compare) done() bool {
	for _, w := range c.all() {
		if w.asked && !w.done {
			return false
		}
	}
	return true
}

func (c *compare) sample(m wire.Sample) {
	if m.ID != c.id {
		return
	}
	w := &c.base
	if m.Which == "tuned" {
		w = c.of(m.Key)
	}
	w.take(m)
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
		w.done, w.end = true, m.End
	}
}

// foot is the small print under an answer.
func (w *answer) foot() string {
	if !w.asked || w.tokens == 0 {
		return ""
	}
	s := plural(w.tokens, "token")
	if w.rate > 0 {
		s += " · " + rate(w.rate) + " tokens/s"
	}
	return s
}

// mark says how the answer ended.
func (w *answer) mark() string {
	switch {
	case !w.done:
		return ""
	case w.end:
		return "finished"
	case w.cut:
		return "stopped early"
	}
	return "reached the token limit"
}

func (g *generation) request(id int, prompt string, keys []int) (wire.Generate, error) {
	m := wire.Generate{ID: id, Prompt: prompt, Base: true, Tuned: len(keys) > 0, Keys: keys}
	var err error
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
	m.MaxTokens = int(read("Maximum new tokens", g.tokens, 1, 1e5, true))
	if m.MaxTokens == 0 && err == nil {
		err = errors.New("a number is missing: the maximum of new tokens")
	}
	m.Temperature = read("Temperature", g.temperature, 0, 10, false)
	m.TopK = int(read("Top k", g.topK, 0, 1e6, true))
	m.TopP = read("Top p", g.topP, 0, 1, false)
	m.MinP = read("Min p", g.minP, 0, 1, false)
	m.RepeatPenalty = read("Repetition penalty", g.repeat, 0, 10, false)
	m.Seed = uint64(read("Seed", g.seed, 0, 1<<52, true))
	for _, line := range strings.Split(g.stop, "\n") {
		if line = strings.TrimRight(line, "\r"); line != "" {
			m.Stop = append(m.Stop, line)
		}
	}
	return m, err
}

// generate asks the base model and every prefix that is switched on.
func (a *App) generate() {
	c := &a.compare
	delete(a.notices, atCompare)
	switch {
	case a.engine != "ready" || a.model.loaded == nil:
		a.refuse(atCompare, "Load a model first.", "")
		return
	case c.prompt == "":
		a.refuse(atCompare, "The prompt is empty.", "Write something for the model to continue.")
		return
	}
	var keys []int
	for _, x := range a.shelf.on() {
		keys = append(keys, x.Key)
	}
	if _, err := c.gen.request(0, c.prompt, keys); err != nil {
		a.refuse(atCompare, err.Error()+".", "")
		return
	}
	c.clear()
	c.base.asked, c.asked = true, c.prompt
	for _, key := range keys {
		c.of(key).asked = true
	}
	c.id = a.ask(atCompare, func(id int) wire.Message {
		m, _ := c.gen.request(id, c.prompt, keys)
		for _, t := range c.turns {
			m.Before = append(m.Before, t.Turn)
		}
		return m
	}, nil)
}

// goOn takes an answer into the conversation; the next prompt follows it, whoever answers
// then.
func (c *compare) goOn(by string, w *answer) {
	c.turns = append(c.turns, turn{wire.Turn{Prompt: c.asked, Answer: w.text.String()}, by})
	c.clear()
	c.prompt, c.touched = "", true
}

// startOver forgets the conversation.
func (c *compare) startOver() {
	c.turns = nil
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
