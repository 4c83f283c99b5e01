package conformance

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"prelude/engine"
	"prelude/engine/cpu"
)

// Every operation of the engine is in some case's program.
func TestEveryOpHasACase(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Cases() {
		b := newBuilder(c)
		b.finish()
		if err := b.Err(); err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		for _, op := range b.Ops() {
			seen[engine.Name(op)] = true
		}
	}
	found := 0
	methods(t, "ports", func(f *ast.FuncDecl) {
		found++
		if op := f.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name; !seen[op] {
			t.Errorf("operation %s has no conformance case", op)
		}
	})
	if found < 20 {
		t.Errorf("only %d operations found in the engine's source", found)
	}
}

// Every bound that an operation declares is broken by some case, from below and from above.
func TestEveryBoundHasACase(t *testing.T) {
	names := ""
	for _, c := range InvalidCases() {
		names += c.Name + "\n"
	}
	found := 0
	methods(t, "bounds", func(f *ast.FuncDecl) {
		ast.Inspect(f.Body, func(n ast.Node) bool {
			if x, ok := n.(*ast.BasicLit); ok && x.Kind == token.STRING {
				found++
				if use := strings.Trim(x.Value, "\""); !strings.Contains(names, strings.Split(use, ":")[0]+":") {
					t.Errorf("no case breaks the bound %q", use)
				}
			}
			return true
		})
	})
	if found < 10 {
		t.Errorf("only %d bounds found in the engine's source", found)
	}
}

func TestFloat32Reference(t *testing.T) { Test(t, cpu.New[float32](), 1e-5) }

// The loss along a random direction of every parameter changes as the gradient
// says: central differences in float64, elementwise.
func TestGradients(t *testing.T) {
	for _, c := range Cases() {
		if c.NoDiff {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			b := newBuilder(c)
			if len(b.train) == 0 || len(b.loss) == 0 {
				t.Skip("nothing trains in this case")
			}
			b.finish()
			if err := b.Err(); err != nil {
				t.Fatal(err)
			}
			checkGradients(t, b)
		})
	}
}

func checkGradients(t *testing.T, b *Builder) {
	ctx := context.Background()
	dev := cpu.New[float64]()
	total := b.Temp("total", engine.AllRows, 1)
	sum := b.loss[0]
	for _, l := range b.loss[1:] {
		sum = b.Add(sum, l)
	}
	b.CopyTo(sum, total)
	b.Keep("total loss", total)
	bind := map[string]engine.Tensor{}
	for name, s := range b.Tensors() {
		x, err := dev.Alloc(s)
		if err != nil {
			t.Fatal(err)
		}
		bind[name] = x
		if raw := b.init[name]; raw != nil {
			if err := x.Write(ctx, 0, raw); err != nil {
				t.Fatal(err)
			}
		}
	}
	plan, err := dev.Compile(ctx, b.Program, bind)
	if err != nil {
		t.Fatal(err)
	}
	data := func(name string) []float64 { return bind[name].(*cpu.Tensor[float64]).Data() }
	loss := func() float64 {
		if err := plan.Run(ctx, b.Args); err != nil {
			t.Fatal(err)
		}
		return data("total loss")[0]
	}
	for _, name := range b.train {
		loss() // the gradient at the unperturbed point
		x, g := data(name), append([]float64(nil), data("d "+name)...)
		diff := make([]float64, len(x))
		step := 1 + len(x)/24 // a sample of large parameters
		for i := 0; i < len(x); i += step {
			at, eps := x[i], 1e-5*max(1, math.Abs(x[i]))
			// Fourth order: (8(f₁−f₋₁) − (f₂−f₋₂)) / 12ε, so that the formula's own
			// error is far below the bound.
			f := func(k float64) float64 { x[i] = at + k*eps*20; return loss() }
			diff[i] = (8*(f(1)-f(-1)) - (f(2) - f(-2))) / (12 * 20 * eps)
			x[i] = at
		}
		for i := range g {
			if i%step != 0 {
				g[i] = 0
			}
		}
		if e := Error(g, diff); !(e <= 1e-6) && !allTiny(g, diff) {
			t.Errorf("d %s: differs by %.3g from central differences", name, e)
		}
	}
}

// allTiny is for gradients that are zero but for rounding.
func allTiny(a, b []float64) bool {
	for i := range a {
		if math.Abs(a[i]) > 1e-9 || math.Abs(b[i]) > 1e-9 {
			return false
		}
	}
	return true
}

func TestErrorFindsDifferences(t *testing.T) {
	for _, c := range []struct {
		x, y []float64
		want float64
	}{
		{[]float64{1, 2}, []float64{1, 2}, 0},
		{[]float64{1, 2.2}, []float64{1, 2}, 0.1},
		{[]float64{0, 0}, []float64{0, 1e-3}, 1},
	} {
		if e := Error(c.x, c.y); math.Abs(e-c.want) > 1e-9 {
			t.Errorf("Error(%v, %v) = %g, want %g", c.x, c.y, e, c.want)
		}
	}
	if e := Error([]float64{math.NaN()}, []float64{1}); !math.IsNaN(e) {
		t.Errorf("a NaN has error %g", e)
	}
	if !strings.HasPrefix(Cases()[0].Name, "linear") {
		t.Error("cases are out of order")
	}
}

// methods calls do with every method of that name in the engine's source.
func methods(t *testing.T, name string, do func(f *ast.FuncDecl)) {
	t.Helper()
	files, err := filepath.Glob("../*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == name && f.Recv != nil {
				do(f)
			}
		}
	}
}
