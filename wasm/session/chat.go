package session

import (
	"prelude/models"
)

// parseTemplate reads the model's chat template.
func parseTemplate(m *models.Model) (template, error) { return nil, nil }
