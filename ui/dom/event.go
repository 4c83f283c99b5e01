package dom

import (
	"github.com/vugu/vugu"
	"github.com/vugu/vugu/js"
)

// event is a browser's event as Vugu's handlers take it. Properties are read
// when asked for.
type event struct {
	at  js.Value // the element whose handler runs
	raw js.Value
	env vugu.EventEnv
}

var _ vugu.DOMEvent = event{}

func (e event) Prop(keys ...string) any {
	v := e.raw
	for _, k := range keys {
		if v.Type() != js.TypeObject && v.Type() != js.TypeFunction {
			return nil
		}
		v = v.Get(k)
	}
	switch v.Type() {
	case js.TypeString:
		return v.String()
	case js.TypeNumber:
		return v.Float()
	case js.TypeBoolean:
		return v.Bool()
	}
	return nil
}

func (e event) PropString(keys ...string) string   { s, _ := e.Prop(keys...).(string); return s }
func (e event) PropFloat64(keys ...string) float64 { f, _ := e.Prop(keys...).(float64); return f }
func (e event) PropBool(keys ...string) bool       { b, _ := e.Prop(keys...).(bool); return b }

// EventSummary is empty: nothing is copied ahead of being asked for.
func (e event) EventSummary() map[string]any   { return nil }
func (e event) JSEvent() js.Value              { return e.raw }
func (e event) JSEventTarget() js.Value        { return e.raw.Get("target") }
func (e event) JSEventCurrentTarget() js.Value { return e.at }
func (e event) EventEnv() vugu.EventEnv        { return e.env }
func (e event) PreventDefault()                { e.raw.Call("preventDefault") }
func (e event) StopPropagation()               { e.raw.Call("stopPropagation") }
