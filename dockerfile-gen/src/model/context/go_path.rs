//! Paths as Go reads them, since BuildKit is written in Go.
//!
//! Input: the text of a path. Output: the path as Go's `path.Clean` writes it.

/// The shortest path that means the same, as Go's `path.Clean`: `.` for nothing, leading `..` kept.
pub(crate) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

/// `path` seen from the root of a file system that it cannot leave, without the leading slash; `""` is the root.
pub(crate) fn rooted(path: &str) -> String {
    clean(&format!("/{path}")).split_off(1)
}

/// Whether a star, a question mark or a class stands in `text`.
pub(crate) fn has_wildcard(text: &str) -> bool {
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => {
                chars.next();
            }
            '*' | '?' | '[' => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned() {
        let cases = [
            ("", "."),
            ("a//b/", "a/b"),
            ("./a", "a"),
            ("a/..", "."),
            ("../a", "../a"),
            ("a/../../b", "../b"),
            ("/", "/"),
            ("/../a", "/a"),
            ("//a", "/a"),
            ("../../a", "../../a"),
        ];
        for (path, cleaned) in cases {
            assert_eq!(clean(path), cleaned, "{path}");
        }
        assert_eq!(rooted("../../a/./b"), "a/b");
        assert_eq!(rooted("."), "");
    }
}
