//! A read-only view of the project's files, as the build context will see them.
//!
//! Input: a folder, a map, or a commit. Output: [`Tree`]. The one idea: all file access of detection and
//! planning goes through here, so that the same project gives the same answer from a disk, from memory and
//! from history.

mod disk;
mod edited;
mod fault;
mod folder;
mod git_index;
mod gitignore;
mod memory;
pub(crate) mod read;
mod recorder;
mod rel_path;
mod view;
pub(crate) mod write;

pub(crate) use disk::Bulk;
pub use disk::DiskTree;
pub use edited::Edited;
pub use memory::MemTree;
pub use read::{MOST_IN_ALL, MOST_OF_A_FILE, MOST_OF_A_MANIFEST, named};
pub use recorder::Recorder;
pub use rel_path::RelPath;
pub(crate) use rel_path::within;
pub use view::{FileMeta, Tree};
pub(crate) use view::{content_id, missing};
