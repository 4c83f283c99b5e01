package ui

import (
	"fmt"
	"strings"
	"time"

	"prelude/ui/wire"
)

// study is a text that the person wants a prefix to know or to follow. While there is
// one, it stands in the place of the examples.
type study struct {
	file          *File
	bytes         Bytes  // what the file held, or
	typed         string // what was typed
	kind          string // "document" or "instruction"
	id            int    // the reading or writing under way, else 0
	progress      *wire.Progress
	read          *wire.TextRead
	status        runStatus    // of the writing
	written       wire.Written // the latest report
	said          []wire.Example
	conversations string
	slots         string
	paste         string // an instruction that is being typed

	kept      string // where the browser keeps the file, "" if it does not yet
	wrote     Bytes  // all that is written, for another worker; nil where nothing is
	wroteBy   string // fingerprint of the model that did
	wroteKept string // where the browser keeps that
	hash      string // of it, SHA-256
}

const defaultConversations = "64"

func (s *study) writing() bool { return s.status.active() }

func (s *study) stop() { s.id, s.progress, s.status = 0, nil, runNone }

// maxText is the longest text that the page reads: the worker's own limit.
const maxText = 1 << 20

// isText says whether a file is a text to learn, by its name.
func isText(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, ".txt") || strings.HasSuffix(name, ".md")
}

// examplesInside says whether a text file holds examples after all.
func examplesInside(content string) bool {
	content = strings.TrimLeft(content, "\ufeff \t\r\n")
	return strings.HasPrefix(content, "{") || strings.HasPrefix(content, "[")
}

// takeText puts a text in the place of the examples.
func (a *App) takeText(f File, b Bytes, kind string) {
	a.study = study{file: &f, bytes: b, kind: kind, conversations: defaultConversations, paste: a.study.paste}
	a.sendText()
}

// useInstruction takes the instruction in the box.
func (a *App) useInstruction() {
	delete(a.notices, atData)
	if strings.TrimSpace(a.study.paste) == "" {
		a.refuse(atData, say("study.the-box-is-empty"), say("study.paste-the-instruction-that"))
		return
	}
	a.data, a.live = examples{}, live{} // the sample's, with which the page opens
	text := a.study.paste
	a.study = study{file: &File{Name: say("study.your-instruction"), Size: int64(len(text))}, typed: text, kind: "instruction", conversations: defaultConversations, paste: text}
	a.sendText()
}

// sendText hands the text to the worker, once there is a model to read it.
func (a *App) sendText() {
	s := &a.study
	if s.file == nil || a.model.loaded == nil || a.engine != "ready" {
		return
	}
	if s.wroteBy != a.model.loaded.Fingerprint {
		s.wrote, s.wroteBy, s.wroteKept = nil, "", ""
	}
	s.read, s.written, s.said = nil, wire.Written{}, nil
	var blob any
	if s.bytes != nil {
		blob = s.bytes
	}
	s.id = a.ask(atData, func(id int) wire.Message {
		return wire.Text{ID: id, Name: s.file.Name, Kind: s.kind, Content: s.typed}
	}, blob)
}

// setKind says what the text is for, and has it read again.
func (a *App) setKind(kind string) {
	if a.study.kind != kind && !a.training() {
		a.study.kind, a.study.slots = kind, ""
		a.study.wrote, a.study.wroteBy, a.study.wroteKept = nil, "", ""
		a.sendText()
	}
}

func (a *App) dropText() {
	if !a.training() {
		a.study = study{}
		delete(a.notices, atData)
	}
}

func (a *App) onTextRead(m wire.TextRead) {
	if m.ID == a.study.id {
		delete(a.asked, m.ID)
		s := &a.study
		s.stop()
		if s.read = &m; s.slots == "" {
			s.slots = fmt.Sprint(m.Slots)
		}
		if s.wrote != nil {
			s.id = a.ask(atData, func(id int) wire.Message { return wire.Conversations{ID: id} }, s.wrote)
		}
	}
}

// startWriting lets the model write about the text.
func (a *App) startWriting() {
	s := &a.study
	n, err := number(say("study.questions-to-write"), s.conversations, 1, 1e5, true)
	if err != nil {
		a.refuse(atData, sentence(err.Error()), "")
		return
	}
	seed, err := number(say("all.seed"), a.set.seed, 0, 1<<52, true)
	if err != nil {
		a.refuse(atTrain, sentence(err.Error()), "")
		return
	}
	s.status = runGoing
	s.id = a.ask(atData, func(id int) wire.Message {
		return wire.Write{ID: id, Conversations: int(n), Seed: uint64(seed)}
	}, nil)
}

// mostSaid is how many of the model's own questions the page keeps to show.
const mostSaid = 8

func (a *App) onWritten(m wire.Written, blob any) {
	s := &a.study
	if m.ID != s.id {
		return
	}
	s.written = m
	s.said = append(s.said, m.Said...)
	s.said = s.said[max(0, len(s.said)-mostSaid):]
	if m.Done {
		delete(a.asked, m.ID)
		s.stop()
		if b, ok := blob.(Bytes); ok && (s.wrote == nil || s.hash != m.Hash) {
			s.wrote, s.wroteKept, s.hash, s.wroteBy = b, "", m.Hash, a.model.loaded.Fingerprint
		}
		a.compare.offer(s.said)
	}
}

// enough is how many conversations are worth learning from.
const enough = 5

// blocked says why the text can't be learned yet, "" where it can.
func (s *study) blocked() string {
	switch {
	case s.writing():
		return say("study.the-model-is-still")
	case s.id != 0 || s.read == nil:
		return say("study.the-text-is-still")
	case s.written.Count < enough:
		return say("study.let-the-model-write-some-questions")
	}
	return ""
}

// request adds the text to a training.
func (s *study) request(t wire.Train) (wire.Train, error) {
	if s.file == nil {
		return t, nil
	}
	t.Text = true
	n, err := number(say("study.length-of-the-prefix"), s.slots, 1, 512, true)
	t.Slots = int(n)
	return t, err
}

// writingTakes is how long so many questions take, by the trial or by what was written.
func (s *study) writingTakes() time.Duration {
	n, err := number("", s.conversations, 1, 1e5, true)
	if err != nil || s.read == nil || s.read.Round == 0 {
		return 0
	}
	left := max(0, int(n)-s.written.Count)
	rounds := (left + s.read.Round - 1) / s.read.Round
	return time.Duration(float64(rounds) * s.read.RoundMillis * float64(time.Millisecond))
}

// stepTakes is how long a step of learning takes, roughly: before anything is written, at
// a guess of what a question and its answer come to.
func (s *study) stepTakes(batch int) time.Duration {
	if s.read == nil {
		return 0
	}
	tokens := s.written.Tokens
	if tokens == 0 {
		tokens = 80
	}
	return time.Duration(float64(batch) * tokens * s.read.RowMillis * float64(time.Millisecond))
}

// difference is the summary of a run that learns a text.
func (r *run) difference() string {
	best, ok := r.best()
	if r.done != nil {
		best, ok = wire.Eval{Step: r.done.BestStep, Loss: r.done.BestLoss, Base: r.done.BaseLoss}, true
	}
	if !ok {
		if r.progress != nil {
			return told(r.progress.Stage)
		}
		return ""
	}
	s := say("study.on-questions-it-did", lossText(best.Loss), lossText(best.Base))
	switch {
	case r.done != nil:
		s += " " + say("study.best-at-step-ended", count(r.done.BestStep), plural(r.done.Steps, "step"), span(seconds(r.done.Seconds)), told(strings.TrimSuffix(r.done.Why, ".")))
	case r.status == runBroken:
		s += " " + say("all.interrupted", reason(r.ended))
	}
	return s
}
