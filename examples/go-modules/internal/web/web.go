// Package web serves the page and the JSON interface.
package web

import (
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"example.com/dicebox/internal/dice"
)

//go:embed static
var static embed.FS

// Handler is the whole service, without a socket.
func Handler() (http.Handler, error) {
	pages, err := fs.Sub(static, "static")
	if err != nil {
		return nil, err
	}
	router := chi.NewRouter()
	router.Use(middleware.Recoverer)
	router.Get("/health", health)
	router.Get("/api/roll", roll)
	router.Handle("/*", http.FileServerFS(pages))
	return router, nil
}

func health(w http.ResponseWriter, _ *http.Request) {
	w.Write([]byte("ok\n"))
}

func roll(w http.ResponseWriter, r *http.Request) {
	text := r.URL.Query().Get("dice")
	if text == "" {
		text = "1d6"
	}
	parsed, err := dice.Parse(text)
	if err != nil {
		respond(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	respond(w, http.StatusOK, parsed.Roll())
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}
