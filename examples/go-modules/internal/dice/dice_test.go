package dice

import "testing"

func TestParse(t *testing.T) {
	for text, want := range map[string]Dice{"2d6": {2, 6}, "d20": {1, 20}, "100d1000": {100, 1000}} {
		if got, err := Parse(text); err != nil || got != want {
			t.Errorf("Parse(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "6", "2d", "0d6", "2d0", "101d6", "-1d6", "twod6"} {
		if got, err := Parse(text); err == nil {
			t.Errorf("Parse(%q) = %v; want an error", text, got)
		}
	}
}

func TestRollStaysWithinTheDice(t *testing.T) {
	roll := Dice{Count: 50, Sides: 4}.Roll()
	total := 0
	for _, value := range roll.Values {
		if value < 1 || value > 4 {
			t.Errorf("rolled %d with four sides", value)
		}
		total += value
	}
	if len(roll.Values) != 50 || roll.Total != total {
		t.Errorf("%d values with total %d, sum %d", len(roll.Values), roll.Total, total)
	}
}
