//! An open folder, and what is done to the files in it by name.
//!
//! Input: a path that the user named. Output: [`Folder`]. The one idea: every name is looked up from the folder that is
//! open, so nobody can put a link on the way between a check and the use of what was checked.

#[cfg(unix)]
mod by_handle;
#[cfg(any(not(unix), test))]
mod by_path;
pub(super) mod opened;

#[cfg(unix)]
pub(super) use by_handle::{Folder, take_permissions};
#[cfg(not(unix))]
pub(super) use by_path::{Folder, take_permissions};
