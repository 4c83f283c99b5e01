package ui

import "prelude/ui/wire"

// onMoved takes note that the training has lost its device and goes on.
func (a *App) onMoved(m wire.Moved) {
	if a.model.loaded != nil {
		a.model.loaded.Device, a.model.loaded.DeviceWhy = m.Device, m.Why
	}
	a.notices[atTrain] = notice{message: m.Message, hint: say("device.training-goes-on-from", deviceTitle(m.Device)), worker: true}
}
