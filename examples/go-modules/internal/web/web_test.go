package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/dicebox/internal/dice"
)

func get(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	handler, err := Handler()
	if err != nil {
		t.Fatal(err)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
	return recorder
}

func TestHealth(t *testing.T) {
	if got := get(t, "/health"); got.Code != http.StatusOK || got.Body.String() != "ok\n" {
		t.Errorf("%d %q", got.Code, got.Body)
	}
}

func TestPageIsEmbedded(t *testing.T) {
	if got := get(t, "/"); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "<h1>Dice</h1>") {
		t.Errorf("%d %q", got.Code, got.Body)
	}
}

func TestRoll(t *testing.T) {
	got := get(t, "/api/roll?dice=3d6")
	var roll dice.Roll
	if err := json.Unmarshal(got.Body.Bytes(), &roll); err != nil {
		t.Fatal(err)
	}
	if got.Code != http.StatusOK || roll.Dice != "3d6" || len(roll.Values) != 3 {
		t.Errorf("%d %+v", got.Code, roll)
	}
	if got := get(t, "/api/roll?dice=many"); got.Code != http.StatusBadRequest {
		t.Errorf("bad dice answered with %d", got.Code)
	}
}
