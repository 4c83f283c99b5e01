package session

import (
	"crypto/sha256"
	"fmt"
	"maps"

	"prelude/prefix/data"
	"prelude/ui/wire"
)

// The sides that may have a file of their own.
const (
	validationSide = "validation"
	testSide       = "test"
)

// heldFile is a file of one's own to validate on, or to test on.
type heldFile struct {
	side, name string
	content    []byte
	hash       string
}

// prefix stands before what is wrong with a line of the file; nil is the file of examples.
func (f *heldFile) prefix() string {
	if f == nil {
		return ""
	}
	return fmt.Sprintf("of the %s file %s: ", f.side, f.name)
}

// SetHeld takes a file of one's own to validate on ("validation"), or to test on ("test"), in
// place of a share of the examples; without a name it takes that file away. Where the file
// can't be used, what was there stays. It goes with the examples: other ones begin without.
func (s *Session) SetHeld(side, name string, content []byte) (wire.Dataset, error) {
	if s.examples == nil {
		return wire.Dataset{}, hint("Drop a file of examples first.", "there are no examples yet")
	}
	if side != validationSide && side != testSide {
		return wire.Dataset{}, hint("Choose validation or test.", "no side of a split is called %q", side)
	}
	e := &examples{name: s.examples.name, content: s.examples.content, hash: s.examples.hash, opts: s.examples.opts, held: maps.Clone(s.examples.held)}
	if name == "" {
		delete(e.held, side)
	} else {
		if e.held == nil {
			e.held = map[string]*heldFile{}
		}
		e.held[side] = &heldFile{side, name, content, fmt.Sprintf("%x", sha256.Sum256(content))}
	}
	d, err := s.read(e)
	if err != nil {
		return d, err
	}
	s.forgetAhead()
	s.examples = e
	return d, nil
}

// divide puts the examples on the sides of the split: those of files of their own, and the
// rest by the shares that are asked for. What asks the same as an example that is measured on
// is not trained on.
func (s *Session) divide(e *examples, all []data.Example, d *wire.Dataset) error {
	o := e.opts
	if o.ValShare < 0 || o.ValShare > mostVal {
		return hint("Set at most a third of the examples aside.", "a validation share of %g; it may be up to a third", o.ValShare)
	}
	if o.TestShare < 0 || o.TestShare > mostVal {
		return hint("Set at most a third of the examples aside.", "a test share of %g; it may be up to a third", o.TestShare)
	}
	var test, val []data.Example
	var notes []string
	note := func(more []string) { notes = append(notes, more...) }
	rest := all
	if f := e.held[testSide]; f != nil {
		var err error
		if test, err = s.parseHeld(e, f, d); err != nil {
			return err
		}
		d.TestFile = f.name
	} else if o.TestShare > 0 {
		rest, test, _ = data.Split(rest, o.TestShare, o.Seed+testStream)
		if len(test) == 0 {
			note([]string{"there are too few examples to set some aside for testing"})
		}
	}
	if f := e.held[validationSide]; f != nil {
		var err error
		if val, err = s.parseHeld(e, f, d); err != nil {
			return err
		}
		d.ValFile = f.name
		var more []string
		rest, more = data.Distinct(rest)
		note(more)
		rest, more = data.Apart(rest, val, validationSide)
		note(more)
	}
	if e.held[testSide] != nil {
		var more []string
		rest, more = data.Apart(rest, test, testSide)
		note(more)
		val, more = data.Apart(val, test, testSide)
		note(more)
	}
	if e.held[validationSide] == nil {
		var more []string
		rest, val, more = data.Split(rest, o.ValShare, o.Seed)
		note(more)
	}
	if len(rest) == 0 && len(all) > 0 {
		return hint("Bring a file to validate or test on that asks something else.", "no example is left to train on: all are in what is measured on")
	}
	if len(data.FewLabels(data.Answers(all))) == 1 {
		notes = append(notes, "all examples have the same answer: a prefix learns to say it, whatever is asked")
	}
	e.split.train, e.split.val, e.split.test = rest, val, test
	d.Notes = append(d.Notes, notes...)
	return nil
}

// testStream keeps what is set aside for testing from following what is for validation.
const testStream = 1 << 40

// parseHeld reads a file of one's own, which has the form of the examples.
func (s *Session) parseHeld(e *examples, f *heldFile, d *wire.Dataset) ([]data.Example, error) {
	of, all, err := s.parse(&examples{name: f.name, content: f.content, opts: e.opts})
	if err != nil {
		return nil, fmt.Errorf("%s%w", f.prefix(), err)
	}
	if len(all) == 0 {
		return nil, hint("Give both files the same form.", "the %s file %s holds no examples", f.side, f.name)
	}
	if of.Shape != d.Shape {
		return nil, hint("Give both files the same keys, so that their prompts are written alike.",
			"the %s file %s is read as %s, the examples as %s", f.side, f.name, of.Shape, d.Shape)
	}
	for _, bad := range of.Errors {
		d.Errors = append(d.Errors, wire.LineError{Line: bad.Line, Message: f.prefix() + bad.Message})
	}
	all, notes := data.Distinct(all)
	for _, n := range append(of.Notes, notes...) {
		d.Notes = append(d.Notes, f.prefix()+n)
	}
	return all, nil
}
