//! How long steps take.
//!
//! Input: the text of a step, or what a real build printed. Output: seconds. The one idea: what was measured counts; a
//! guess is there only so that a download or a compilation weighs more than a `COPY`.

use std::collections::BTreeMap;

use crate::model::dockerfile::Keyword;

/// Words that tell what a `RUN` does, and the seconds that it is guessed to take.
const GUESSES: [(&[&str], f64); 6] = [
    (&["cargo build", "cargo install", "cargo chef cook", "mvn ", "gradle", "dotnet publish", "xx-cargo"], 90.0),
    (&["npm ci", "npm install", "pnpm install", "yarn install", "bun install", "poetry install", "uv sync"], 40.0),
    (&["pip install", "go mod download", "bundle install", "composer install", "cargo fetch"], 30.0),
    (&["go build", "go install", "xx-go", "npm run build", "pnpm build", "yarn build", "tsc", "make"], 30.0),
    (&["apt-get", "apk add", "dnf ", "yum ", "microdnf"], 15.0),
    (&["curl", "wget", "git clone"], 5.0),
];

/// A guess at the seconds of a step, from its text.
pub fn estimate(keyword: Keyword, text: &str) -> f64 {
    match keyword {
        Keyword::Run => {
            let guess = |words: &&[&str]| words.iter().any(|word| text.contains(word));
            GUESSES.iter().find(|(words, _)| guess(words)).map_or(2.0, |(_, seconds)| *seconds)
        }
        Keyword::Copy | Keyword::Add => 0.3,
        _ => 0.1,
    }
}

/// The seconds of each step that ran, by name, from what `docker build --progress=rawjson` printed. Lines that are no
/// JSON are passed over.
pub fn measured(text: &str) -> BTreeMap<String, f64> {
    let mut seconds = BTreeMap::new();
    for line in text.lines() {
        let Ok(status) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        for vertex in status.get("vertexes").and_then(serde_json::Value::as_array).into_iter().flatten() {
            let text = |name: &str| vertex.get(name).and_then(serde_json::Value::as_str);
            let is_cached = vertex.get("cached").and_then(serde_json::Value::as_bool).unwrap_or_default();
            if let (Some(name), Some(started), Some(completed), false) =
                (text("name"), text("started").and_then(clock), text("completed").and_then(clock), is_cached)
            {
                // Of several times the last is that of the work.
                seconds.insert(name.to_owned(), (completed - started).rem_euclid(86_400.0));
            }
        }
    }
    seconds
}

/// The seconds since midnight of `2026-01-02T03:04:05.678Z`.
fn clock(time: &str) -> Option<f64> {
    let (_, time) = time.split_once('T')?;
    let time = time.split(['Z', '+']).next()?;
    let mut parts = time.splitn(3, ':');
    let mut part = || parts.next()?.parse::<f64>().ok();
    Some(part()? * 3600.0 + part()? * 60.0 + part()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_is_read() {
        let text = "noise\n{\"vertexes\":[{\"name\":\"[1/2] RUN x\",\"started\":\"2026-01-02T23:59:59.5Z\",\
                    \"completed\":\"2026-01-03T00:00:01Z\"},{\"name\":\"[2/2] RUN y\",\"cached\":true,\
                    \"started\":\"2026-01-02T00:00:00Z\",\"completed\":\"2026-01-02T00:00:00Z\"}]}\n";
        assert_eq!(measured(text), BTreeMap::from([("[1/2] RUN x".to_owned(), 1.5)]));
    }

    #[test]
    fn a_compilation_weighs_more_than_a_copy() {
        assert!(estimate(Keyword::Run, "RUN cargo build --release") > 10.0 * estimate(Keyword::Copy, "COPY . ."));
    }
}
