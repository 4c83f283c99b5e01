package ui

import "errors"

// A text to learn is kept with what the model has written about it: a run that learns it goes on
// only over the same conversations.

// studyRecord is the text of a sitting.
type studyRecord struct {
	Name          string `json:"name"`
	Kind          string `json:"kind"`
	Typed         string `json:"typed,omitempty"` // an instruction; it has no file
	File          string `json:"file,omitempty"`  // where the bytes are kept
	Conversations string `json:"conversations"`   // how many, as it stands in its box
	Slots         string `json:"slots,omitempty"`
	Wrote         string `json:"wrote,omitempty"` // where the conversations are kept,
	WroteBy       string `json:"wroteBy,omitempty"`
	Hash          string `json:"hash,omitempty"` // and their SHA-256
}

// files are the names of the files that the record says its bytes are in.
func (r *studyRecord) files() (all []string) {
	if r == nil {
		return nil
	}
	for _, name := range []string{r.File, r.Wrote} {
		if name != "" {
			all = append(all, name)
		}
	}
	return all
}

// keepStudy keeps the text, and gives what is recorded of it.
func (a *App) keepStudy() *studyRecord {
	s := &a.study
	if s.file == nil {
		return nil
	}
	if s.bytes != nil && s.kept == "" {
		s.kept = a.sitting.newFile()
		a.sitting.pen.write(s.kept, s.bytes)
	}
	if s.wrote != nil && s.wroteKept == "" {
		s.wroteKept = a.sitting.newFile()
		a.sitting.pen.write(s.wroteKept, s.wrote)
	}
	return &studyRecord{Name: s.file.Name, Kind: s.kind, Typed: s.typed, File: s.kept, Conversations: s.conversations, Slots: s.slots,
		Wrote: s.wroteKept, WroteBy: s.wroteBy, Hash: s.hash}
}

// restoreStudy puts the text back; the worker reads it when its model has come.
func (a *App) restoreStudy(r *studyRecord, files map[string]Bytes) {
	if r == nil {
		return
	}
	text := files[r.File]
	if text == nil && r.Typed == "" {
		a.sitting.cannotRead(r.File, errors.New(say("study.file-gone", r.Name)))
		return
	}
	size := int64(len(r.Typed))
	if text != nil {
		size = int64(text.Len())
	}
	a.study = study{file: &File{Name: r.Name, Size: size}, bytes: text, typed: r.Typed, kind: r.Kind, conversations: r.Conversations, slots: r.Slots, kept: r.File}
	if wrote := files[r.Wrote]; wrote != nil {
		a.study.wrote, a.study.wroteBy, a.study.wroteKept, a.study.hash = wrote, r.WroteBy, r.Wrote, r.Hash
	}
}
