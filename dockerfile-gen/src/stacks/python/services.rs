//! Distributions that only a service depends on.

use super::requirement;

/// Distributions that only a service depends on.
const SERVICES: &[&str] = &[
    "aiohttp",
    "apiflask",
    "blacksheep",
    "bottle",
    "chainlit",
    "channels",
    "connexion",
    "daphne",
    "dash",
    "django",
    "falcon",
    "fastapi",
    "fastmcp",
    "flask",
    "gradio",
    "granian",
    "gunicorn",
    "hypercorn",
    "litestar",
    "nicegui",
    "quart",
    "robyn",
    "sanic",
    "starlette",
    "streamlit",
    "tornado",
    "uvicorn",
    "uwsgi",
    "wagtail",
    "waitress",
];

/// Whether a line of a manifest names a distribution that only a service depends on.
pub(crate) fn serves(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches(['"', '\'']);
    let name = line.split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).next().unwrap_or_default();
    SERVICES.binary_search(&requirement::normalize(name).as_str()).is_ok()
}
