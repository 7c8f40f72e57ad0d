//! The build context as BuildKit sees it.
//!
//! Input: a [`crate::Tree`] and the [`Dockerignore`] that holds for a Dockerfile. Output: [`BuildContext`], the files and
//! folders that `COPY` can find, and from [`match_sources`] which of them a `COPY` takes and where they land. The one
//! idea: every quirk here was seen on a real BuildKit (0.25) or read in its source, because a path that is wrongly
//! thought to be sent, or not, is a wrong answer about the cache.
//!
//! ```
//! use dockerfile_gen::MemTree;
//! use dockerfile_gen::context::{BuildContext, CopySpec, Dockerignore, match_sources};
//!
//! let tree = MemTree::from([("package.json", "{}"), ("src/main.js", ""), ("src/main.test.js", "")]);
//! let ignore = Dockerignore::parse(".dockerignore", "**/*.test.js\n")?;
//! assert_eq!(ignore.excludes("src/main.test.js").map(|line| line.number), Some(1));
//!
//! let context = BuildContext::new(&tree, &ignore);
//! let copy = CopySpec { sources: vec!["src".into()], dest: "/app/".into(), ..CopySpec::default() };
//! let found = &match_sources(&context, &copy)?[0];
//! let lands: Vec<String> = found.entries.iter().map(|selected| found.lands_at(selected)).collect();
//! assert_eq!(lands, ["/app", "/app/main.js"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod copy;
mod dockerignore;
mod entries;
pub(crate) mod go_path;
pub(crate) mod pattern;
mod sent;

pub use copy::{CopyFault, CopySpec, Selected, SourceMatch, match_sources};
pub use dockerignore::{Dockerignore, IgnoreLine, Verdict};
pub use entries::{BuildContext, Entry};
