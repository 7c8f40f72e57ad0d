//! Paths inside a project.

use std::borrow::Borrow;
use std::fmt;

/// A path inside the project: relative, forward slashes, no `.` or `..`; the root is `""`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct RelPath(String);

impl RelPath {
    /// Cleans `path`, resolving `.` and `..`; `None` if it is absolute or leaves the project.
    ///
    /// ```
    /// use dockerfile_gen::RelPath;
    /// assert_eq!(RelPath::new("./web//src/../dist/").unwrap().as_str(), "web/dist");
    /// assert!(RelPath::new("../shared").is_none());
    /// assert!(RelPath::new("/etc/passwd").is_none());
    /// ```
    pub fn new(path: &str) -> Option<Self> {
        if path.starts_with('/') {
            return None;
        }
        let mut parts: Vec<&str> = Vec::new();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop()?;
                }
                part => parts.push(part),
            }
        }
        Some(Self(parts.join("/")))
    }

    /// Takes a path that is known to be clean.
    pub(crate) fn new_unchecked(path: String) -> Self {
        Self(path)
    }

    /// The path as text, without a leading or trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last component; `""` for the root.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The folder that holds it; `""` for what lies in the root.
    pub fn parent(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(dir, _)| dir)
    }

    /// The path `rest`, seen from here; `None` if that leaves the project.
    pub fn join(&self, rest: &str) -> Option<Self> {
        if rest.starts_with('/') {
            return None;
        }
        Self::new(format!("{}/{rest}", self.0).trim_start_matches('/'))
    }
}

impl Borrow<str> for RelPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A path inside a folder; the root is `""`.
pub(crate) fn within(dir: &str, path: &str) -> String {
    if dir.is_empty() { path.to_owned() } else { format!("{dir}/{path}") }
}
