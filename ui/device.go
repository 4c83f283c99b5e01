package ui

import "prelude/ui/wire"

// onMoved takes note that the training has lost its device and goes on.
func (a *App) onMoved(m wire.Moved) {
	if a.model.loaded != nil {
		a.model.loaded.Device, a.model.loaded.DeviceWhy = m.Device, m.Why
	}
	a.notices[atTrain] = notice{message: m.Message, hint: "Training goes on from its last checkpoint, on " + deviceTitle(m.Device) + "."}
}
