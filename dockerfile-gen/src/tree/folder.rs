//! An open folder, and what is done to the files in it by name.
//!
//! Input: a path that the user named. Output: [`Folder`]. The one idea: every name is looked up from the folder that is
//! open, so nobody can put a link on the way between a check and the use of what was checked.

#[cfg(unix)]
mod by_handle;
#[cfg(any(not(unix), test))]
mod by_path;

#[cfg(unix)]
pub(super) use by_handle::{Folder, take_permissions};
#[cfg(not(unix))]
pub(super) use by_path::{Folder, take_permissions};

use std::fs::File;
use std::io;

/// What lies under a name, without following a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Link,
    Folder,
    /// A FIFO, a socket or a device.
    Other,
}

/// What came of opening a path below a folder.
#[derive(Debug)]
pub(super) enum Opened {
    /// Not necessarily a regular file.
    Something(File),
    /// A link on the way, or at its end, leads out of the folder.
    LeadsOut,
}

/// Says that the file system, or the system, cannot do it.
fn unsupported() -> io::Error {
    io::ErrorKind::Unsupported.into()
}
