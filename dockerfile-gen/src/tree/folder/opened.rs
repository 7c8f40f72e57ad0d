//! What looking up a name, or opening it, comes to.

use std::fs::File;
use std::io;

/// What lies under a name, without following a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tree) enum Kind {
    File,
    Link,
    Folder,
    /// A FIFO, a socket or a device.
    Other,
}

/// What came of opening a path below a folder.
#[derive(Debug)]
pub(in crate::tree) enum Opened {
    /// Not necessarily a regular file.
    Something(File),
    /// A link on the way, or at its end, leads out of the folder.
    LeadsOut,
}

/// Says that the file system, or the system, cannot do it.
pub(super) fn unsupported() -> io::Error {
    io::ErrorKind::Unsupported.into()
}
