package ui

// share is the section where a prefix becomes public, on an explicit press.
type share struct{}

func (s *share) openLink(a *App) bool { return false }
