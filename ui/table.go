package ui

// Table is a Parquet table as the page's reader gives it (wasm/parquet).
type Table struct {
	Lines    Bytes  // its rows as JSON Lines; nil where it can't be read
	Rows, Of int    // how many rows were read, and how many it has
	Why      string // by name, or as the reader says it, why not
}

// parquetMagic is how Parquet tables begin.
const parquetMagic = "PAR1"

// readFile reads a file of examples, a Parquet table as JSON Lines. What is in the way is told, and
// given to failed.
func (a *App) readFile(f File, done func(Bytes), failed func(notice)) {
	a.host.Read(f, func(b Bytes) {
		switch {
		case b == nil:
			failed(notice{message: say("all.could-not-be-read", f.Name), hint: say("all.it-may-have-been")})
		case !b.Starts(parquetMagic):
			done(b)
		default:
			a.unpacking = f.Name
			a.host.Table(b, func(t Table) {
				a.unpacking = ""
				if t.Lines == nil {
					failed(t.refused(f))
					return
				}
				if !a.readable(f) { // a training was begun meanwhile
					return
				}
				done(t.Lines)
				if t.Rows < t.Of {
					a.data.late = &notice{message: say("table.part", f.Name, count(t.Rows), count(t.Of)), hint: say("table.part-hint")}
				}
			})
		}
	})
}

// refused says why a table can't be read.
func (t Table) refused(f File) notice {
	switch t.Why {
	case "columns", "group", "slow":
		return notice{message: say("table.large", f.Name), hint: say("table.elsewhere")}
	case "brotli":
		return notice{message: say("table.brotli", f.Name), hint: say("table.elsewhere")}
	case "elsewhere":
		return notice{message: say("table.encrypted", f.Name), hint: say("table.elsewhere")}
	case "empty":
		return notice{message: say("all.is-empty", f.Name), hint: say("data.a-file-of-examples")}
	}
	return notice{message: say("table.broken", f.Name, t.Why), hint: say("table.again")}
}
