package session

import "context"

// recover moves the session to the device that Recover gives for the failure: it loads
// the model again, unless it is the same one. What it returns ends the training.
func (s *Session) recover(ctx context.Context, failure error) error {
	dev, ok := s.Recover(ctx, failure)
	if !ok {
		return failure
	}
	if dev == s.Device { // what it holds is still there
		s.abandon(nil)
		return nil
	}
	files, err := s.files.Again(ctx)
	if err != nil {
		return err
	}
	old, kept := s.Device, s.shelf
	s.Device, s.shelf, s.tuned = dev, nil, nil
	for _, t := range kept {
		t.close()
	}
	if err := s.Load(ctx, files, s.loading); err != nil {
		return err
	}
	old.Close()
	return s.alloc(ctx, kept)
}

// alloc lays finished prefixes on the shelf of another device, out of the values that
// their methods hold.
func (s *Session) alloc(ctx context.Context, kept []*tuned) (err error) {
	for _, t := range kept {
		if t.origin == training {
			continue
		}
		if t.tensors, err = t.method.Alloc(ctx, s.Device); err != nil {
			return err
		}
		if t.origin == blend {
			if err := t.method.Blend(ctx, t.tensors, t.share); err != nil {
				return err
			}
		}
		s.shelf = append(s.shelf, t)
	}
	return nil
}
