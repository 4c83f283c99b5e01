package ui

import (
	"fmt"
	"strings"

	"prelude/ui/wire"
)

// JudgeRanking shows how a candidate's labels, ranked by likelihood, stand to the true ones.
type JudgeRanking struct {
	Name    string
	Ranking *wire.Ranking
	Open    bool
}

func (c *JudgeRanking) title() string { return say("judge-ranking.labels-as-ranks-them", c.Name) }

// count leaves cells empty that count nothing.
func (c *JudgeRanking) count(n int) string {
	if n == 0 {
		return ""
	}
	return count(n)
}

// heat is a cell's class: how much of its row is in it, in fifths, right or wrong.
func (c *JudgeRanking) heat(i, k int) string {
	sum := 0
	for _, n := range c.Ranking.Counts[i] {
		sum += n
	}
	n := c.Ranking.Counts[i][k]
	if n == 0 {
		return "heat"
	}
	kind := "wrong"
	if i == k {
		kind = "right"
	}
	return fmt.Sprintf("heat %s heat-%d", kind, 1+4*(n-1)/max(sum-1, 1))
}

// bar is a bin that is not empty, in the drawing's units.
type bar struct {
	x, y, height float64
	count        string
}

func (c *JudgeRanking) bars() (all []bar) {
	for i, b := range c.Ranking.Bins {
		if b.Count > 0 {
			h := max(150*b.Right, 1)
			all = append(all, bar{x: 36 + 21*float64(i) + 2, y: 164 - h, height: h, count: count(b.Count)})
		}
	}
	return all
}

// spoken is the drawing in words.
func (c *JudgeRanking) spoken() string {
	var all []string
	for _, b := range c.Ranking.Bins {
		if b.Count > 0 {
			all = append(all, say("judge-ranking.rows-with-a-probability", count(b.Count), short(b.Sure, 2), short(b.Right, 2)))
		}
	}
	return say("judge-ranking.reliability", strings.Join(all, "; "))
}
