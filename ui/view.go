package ui

import "strings"

// A view is what the page shows below its head: the workbench or one panel. Its name is the
// fragment of the page's address, so that Back and links work; what is not shown is not built.
// A view changes nothing of the App: a training goes on behind it.
const (
	viewTrain  = "train"
	viewMethod = "method"
	viewRuns   = "runs"
	viewChat   = "compare"
	viewLens   = "lens"
	viewExport = "export-prefix"
	viewShare  = "share"
	viewPapers = "papers"
)

// viewAll is the address of all panels below each other, to search and to print. From there a
// panel's address is a place on the same page, and an empty one leads back to the workbench.
const viewAll = "all"

// views has for each view the places whose messages it shows.
var views = map[string][]place{
	viewTrain:  {atModel, atData, atTrain, atLive, atFinder},
	viewMethod: {},
	viewRuns:   {atRuns, atQueue},
	viewChat:   {atCompare},
	viewLens:   {atLens},
	viewExport: {atHome},
	viewShare:  {atShare},
	viewPapers: {atExperiments},
}

// viewOf is the view that an address shows, after a view: another fragment's than a view's is
// a place within the view that is there, such as the target of the link past the head.
func viewOf(address, now string) string {
	_, at, _ := strings.Cut(address, "#")
	_, known := views[at]
	switch {
	case at == "":
		return viewTrain
	case at == viewAll || now == viewAll:
		return viewAll
	case at == "tour":
		return viewTrain
	case strings.HasPrefix(at, "p="):
		return viewChat
	case known:
		return at
	}
	return now
}

// View is the name of what the page shows.
func (a *App) View() string { return a.view }

// shows says whether a view is on the page.
func (a *App) shows(view string) bool { return a.view == view || a.view == viewAll }

// visit goes to a view, by its address.
func (a *App) visit(view string) {
	if !a.shows(view) {
		a.host.Visit(view)
	}
}

// elsewhere are the places outside of the view that have something to say, in the page's order.
func (a *App) elsewhere() (list []place) {
	if a.view == viewAll {
		return nil
	}
	here := map[place]bool{atTop: true}
	for _, p := range views[a.view] {
		here[p] = true
	}
	for p := atTop; p <= atLens; p++ {
		if _, said := a.notices[p]; said && !here[p] {
			list = append(list, p)
		}
	}
	return list
}
