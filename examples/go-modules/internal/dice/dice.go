// Package dice reads and rolls dice written as "2d6".
package dice

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

const (
	maxCount = 100
	maxSides = 1000
)

// Dice is a handful of equal dice.
type Dice struct {
	Count, Sides int
}

// Roll is the outcome of one throw.
type Roll struct {
	Dice   string `json:"dice"`
	Values []int  `json:"values"`
	Total  int    `json:"total"`
}

// Parse reads "2d6"; "d6" is one die.
func Parse(text string) (Dice, error) {
	count, sides, found := strings.Cut(text, "d")
	if !found {
		return Dice{}, fmt.Errorf("%q is not of the form 2d6", text)
	}
	if count == "" {
		count = "1"
	}
	c, err := within(count, maxCount)
	if err != nil {
		return Dice{}, fmt.Errorf("count of %q: %w", text, err)
	}
	s, err := within(sides, maxSides)
	if err != nil {
		return Dice{}, fmt.Errorf("sides of %q: %w", text, err)
	}
	return Dice{Count: c, Sides: s}, nil
}

func within(text string, limit int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, err
	}
	if n < 1 || n > limit {
		return 0, fmt.Errorf("%d is not within 1 to %d", n, limit)
	}
	return n, nil
}

func (d Dice) String() string {
	return fmt.Sprintf("%dd%d", d.Count, d.Sides)
}

// Roll throws the dice once.
func (d Dice) Roll() Roll {
	roll := Roll{Dice: d.String(), Values: make([]int, d.Count)}
	for i := range roll.Values {
		roll.Values[i] = rand.IntN(d.Sides) + 1
		roll.Total += roll.Values[i]
	}
	return roll
}
