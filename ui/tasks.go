package ui

import (
	_ "embed"
	"encoding/json"
	"strings"
)

// task is a small data set of the project's own that a person can begin with.
type task struct {
	file, title, about string
	chat               bool // its examples are conversations: a model without a chat template can't read them
}

// tasks are all of them, in the order in which they are offered.
var tasks = []task{
	{file: "sentiment.jsonl", title: "tasks.sentiment", about: "tasks.is-a-remark-positive"},
	{file: "intent.jsonl", title: "tasks.intent", about: "tasks.what-does-somebody-want"},
	{file: "entities.jsonl", title: "tasks.named-entities", about: "tasks.people-places-and-organisations"},
	{file: "orders.jsonl", title: "tasks.json-from-a-sentence", about: "tasks.an-order-at-the"},
	{file: "animals.jsonl", title: "tasks.table-to-text", about: "tasks.a-row-of-a"},
	{file: "polite.jsonl", title: "tasks.style", about: "tasks.a-blunt-remark-becomes"},
	{file: "german.jsonl", title: "tasks.translation", about: "tasks.short-phrases-from-english"},
	{file: "keeper.jsonl", title: "tasks.a-persona", about: "tasks.chat-with-the-keeper", chat: true},
}

// TaskFiles are the names of their files.
func TaskFiles() (all []string) {
	for _, t := range tasks {
		all = append(all, t.file)
	}
	return all
}

// taskOf finds the task of a file, nil where it is none.
func taskOf(file string) *task {
	for i := range tasks {
		if tasks[i].file == file {
			return &tasks[i]
		}
	}
	return nil
}

// measured.json is what models reach on the tasks with the settings that the page opens with;
// "make tasks" writes it.
//
//go:embed measured.json
var measuredJSON []byte

// Measured is a model's result on a task: losses in nats a token, and the measure's score.
type Measured struct {
	Model string             `json:"model"`
	Hash  string             `json:"hash"` // of the data, SHA-256
	By    string             `json:"by"`   // the score's name
	Shots int                `json:"shots"`
	Steps int                `json:"steps,omitempty"` // of training; 0: the time that the page opens with
	Loss  map[string]float64 `json:"loss"`            // by "base", "context" and "tuned"
	Score map[string]float64 `json:"score"`
}

// measured reads what is known, by file.
func measured() (all map[string][]Measured, err error) {
	err = json.Unmarshal(measuredJSON, &all)
	return all, err
}

// TasksPanel offers the tasks, with what they reach.
type TasksPanel struct {
	App   *App
	known map[string][]Measured
}

func (c *TasksPanel) list() []task { return tasks }

// chosen says whether a task's examples are in place.
func (c *TasksPanel) chosen(t task) bool {
	d := &c.App.data
	return d.file != nil && d.sample() && d.file.Name == t.file
}

func (c *TasksPanel) button(t task) string {
	if c.chosen(t) {
		return say("tasks.in-place")
	}
	return say("tasks.try-it")
}

func (c *TasksPanel) results(t task) []Measured {
	if c.known == nil {
		c.known, _ = measured() // a test reads it
	}
	return c.known[t.file]
}

// trained is what stands behind the model's name: how long it was trained, where that is not what
// the page opens with.
func (c *TasksPanel) trained(m Measured) string {
	if m.Steps > 0 {
		return joined("", plural(m.Steps, "step"))
	}
	return ""
}

// cell is a loss and a score of one who answers.
func (c *TasksPanel) cell(m Measured, who string) string {
	return short(m.Loss[who], 3) + " · " + short(m.Score[who], 2)
}

func (c *TasksPanel) by(t task) string {
	for _, m := range c.results(t) {
		return say("tasks.loss", told(inSentence(m.By)))
	}
	return ""
}

// inSentence writes a measure's name with a small first letter, but for one in capitals: ROUGE-L.
func inSentence(name string) string {
	if len(name) > 1 && name[1] >= 'a' {
		return strings.ToLower(name[:1]) + name[1:]
	}
	return name
}

// openTask takes a task's examples, one of the page's files.
func (a *App) openTask(t task) {
	a.host.Fetch(a.host.Asset("samples")+t.file, func(status int, b Bytes) {
		if status != 200 {
			a.refuse(atData, say("tasks.the-examples-of-could", say(t.title)), say("all.check-the-connection-and"))
			return
		}
		a.takeData(File{Name: t.file, Size: int64(b.Len())}, b)
	})
}
