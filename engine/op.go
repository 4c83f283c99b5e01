package engine

import "reflect"

// Op is one operation: a struct of buffers and attributes. Devices switch on its type.
// The methods of [Program] build operations and check shapes.
type Op interface {
	// ports lists the buffers that the operation reads and writes; absent ones are None.
	ports() (in, out []*Buffer)
	// backward appends to g's program what turns the gradients of the outputs into
	// gradients of the inputs that need one.
	backward(g *Grads)
	// cost counts the work of one run with all rows live.
	cost(p *Program) Cost
}

// Cost is an operation's work: floating-point operations (a multiply-add is two)
// and bytes read and written, weights as stored.
type Cost struct{ FLOPs, Bytes float64 }

// Inputs lists the buffers that op reads, without None.
func Inputs(op Op) []Buffer { in, _ := op.ports(); return present(in) }

// Outputs lists the buffers that op writes, without None.
func Outputs(op Op) []Buffer { _, out := op.ports(); return present(out) }

func present(all []*Buffer) []Buffer {
	var some []Buffer
	for _, b := range all {
		if *b != None {
			some = append(some, *b)
		}
	}
	return some
}

// Name is an operation's name, for messages and statistics.
func Name(op Op) string { return reflect.TypeOf(op).Elem().Name() }

// Cost is the work of one run of the whole program with all rows live.
func (p *Program) Cost() Cost {
	var sum Cost
	for _, op := range p.ops {
		c := p.OpCost(op)
		sum.FLOPs += c.FLOPs
		sum.Bytes += c.Bytes
	}
	return sum
}

// OpCost is the work of one operation. Its bytes are those of its buffers unless the
// operation counts them itself.
func (p *Program) OpCost(op Op) Cost {
	c := op.cost(p)
	if c.Bytes == 0 {
		for _, b := range append(Inputs(op), Outputs(op)...) {
			c.Bytes += float64(p.Spec(b).Bytes())
		}
	}
	return c
}

// clone copies op; the copy shares no buffer list with op.
func clone(op Op) Op {
	v := reflect.New(reflect.TypeOf(op).Elem())
	v.Elem().Set(reflect.ValueOf(op).Elem())
	for i := range v.Elem().NumField() {
		if f := v.Elem().Field(i); f.Type() == reflect.TypeFor[[]Buffer]() && f.Len() > 0 {
			c := reflect.MakeSlice(f.Type(), f.Len(), f.Len())
			reflect.Copy(c, f)
			f.Set(c)
		}
	}
	return v.Interface().(Op)
}

func refs(list []Buffer) []*Buffer {
	r := make([]*Buffer, len(list))
	for i := range list {
		r[i] = &list[i]
	}
	return r
}
