//! On Unix, relative to a file descriptor.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};

use super::opened::{Kind, Opened, unsupported};
use crate::tree::fault;

/// An open folder.
#[derive(Debug)]
pub(in crate::tree) struct Folder {
    handle: File,
    path: PathBuf,
}

/// A file for reading. A FIFO without a writer does not wait, and a terminal does not become ours.
fn reading() -> OFlags {
    OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY
}

impl Folder {
    /// Opens the folder at a path that the user named, so links to it are followed.
    pub(in crate::tree) fn open(path: &Path) -> io::Result<Self> {
        let handle = rustix::fs::open(path, reading() | OFlags::DIRECTORY, Mode::empty())?;
        Ok(Self { handle: handle.into(), path: path.to_owned() })
    }

    pub(in crate::tree) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the folder `name` in it; an error if that is a link.
    pub(in crate::tree) fn child(&self, name: &str) -> io::Result<Self> {
        fault::step()?;
        let flags = reading() | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        let handle = rustix::fs::openat(&self.handle, name, flags, Mode::empty())?;
        Ok(Self { handle: handle.into(), path: self.path.join(name) })
    }

    pub(in crate::tree) fn make_folder(&self, name: &str) -> io::Result<()> {
        fault::step()?;
        Ok(rustix::fs::mkdirat(&self.handle, name, Mode::from_raw_mode(0o777))?)
    }

    /// Opens what lies at `path` below it. Links are followed as long as they stay below.
    pub(in crate::tree) fn open_below(&self, path: &str) -> io::Result<Opened> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some(opened) = self.open_beneath(path) {
            return opened;
        }
        self.open_resolved(path)
    }

    /// Has the kernel resolve the path; `None` if it cannot, or if an absolute link is on the way.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn open_beneath(&self, path: &str) -> Option<io::Result<Opened>> {
        use rustix::fs::ResolveFlags;
        use rustix::io::Errno;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        // The kernel gives up when somebody renames folders meanwhile.
        for _ in 0..16 {
            match rustix::fs::openat2(&self.handle, path, reading(), Mode::empty(), resolve) {
                Ok(file) => return Some(Ok(Opened::Something(file.into()))),
                Err(Errno::AGAIN | Errno::INTR) => {}
                // A system call filter says `EPERM` for a call that it does not know.
                Err(Errno::XDEV | Errno::NOSYS | Errno::PERM | Errno::INVAL) => return None,
                Err(error) => return Some(Err(error.into())),
            }
        }
        None
    }

    /// Resolves the links of the path first, and then goes that way without following any.
    fn open_resolved(&self, path: &str) -> io::Result<Opened> {
        let real = fs::canonicalize(self.path.join(path))?;
        let Ok(inside) = real.strip_prefix(fs::canonicalize(&self.path)?) else { return Ok(Opened::LeadsOut) };
        let mut parts = inside.components().filter_map(|part| match part {
            Component::Normal(name) => Some(name),
            _ => None,
        });
        let Some(last) = parts.next_back() else { return Ok(Opened::Something(self.handle.try_clone()?)) };
        let mut folder = self.handle.try_clone()?;
        for part in parts {
            let flags = reading() | OFlags::DIRECTORY | OFlags::NOFOLLOW;
            folder = rustix::fs::openat(&folder, part, flags, Mode::empty())?.into();
        }
        let file = rustix::fs::openat(&folder, last, reading() | OFlags::NOFOLLOW, Mode::empty())?;
        Ok(Opened::Something(file.into()))
    }

    /// Opens the file `name` in it; an error if that is a link.
    pub(in crate::tree) fn open_here(&self, name: &str) -> io::Result<File> {
        fault::step()?;
        Ok(rustix::fs::openat(&self.handle, name, reading() | OFlags::NOFOLLOW, Mode::empty())?.into())
    }

    /// Makes the file `name`, which must not exist, with the permissions that the process gives new files, or fewer.
    pub(in crate::tree) fn create(&self, name: &str) -> io::Result<File> {
        fault::step()?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&self.handle, name, flags, Mode::from_raw_mode(0o666))?.into())
    }

    /// What lies under `name`; `None` for nothing.
    pub(in crate::tree) fn kind(&self, name: &str) -> io::Result<Option<Kind>> {
        fault::step()?;
        match rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => Kind::File,
                FileType::Symlink => Kind::Link,
                FileType::Directory => Kind::Folder,
                _ => Kind::Other,
            })),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The names in it that are UTF-8.
    pub(in crate::tree) fn names(&self) -> io::Result<Vec<String>> {
        fault::step()?;
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.handle)? {
            names.extend(entry?.file_name().to_str().ok().map(str::to_owned));
        }
        Ok(names)
    }

    /// Renames, over what is there.
    pub(in crate::tree) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fault::step()?;
        Ok(rustix::fs::renameat(&self.handle, from, &self.handle, to)?)
    }

    /// Renames; an error of the kind `AlreadyExists` if something is there.
    pub(in crate::tree) fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        fault::step()?;
        match self.rename_with(from, to, Rename::New) {
            Err(error) if is_unknown(&error) => {}
            done => return done,
        }
        match rustix::fs::linkat(&self.handle, from, &self.handle, to, AtFlags::empty()) {
            Ok(()) => self.remove(from),
            // A file system without links, such as FAT, leaves a moment between the look and the rename.
            Err(error) if is_unknown(&error.into()) => match self.kind(to)? {
                None => self.rename(from, to),
                Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Lets two names change places; an error of the kind `Unsupported` where that cannot be done at once.
    pub(in crate::tree) fn exchange(&self, one: &str, other: &str) -> io::Result<()> {
        fault::step()?;
        match self.rename_with(one, other, Rename::Exchange) {
            Err(error) if is_unknown(&error) => Err(unsupported()),
            done => done,
        }
    }

    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    fn rename_with(&self, from: &str, to: &str, how: Rename) -> io::Result<()> {
        let flags = match how {
            Rename::New => rustix::fs::RenameFlags::NOREPLACE,
            Rename::Exchange => rustix::fs::RenameFlags::EXCHANGE,
        };
        Ok(rustix::fs::renameat_with(&self.handle, from, &self.handle, to, flags)?)
    }

    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    fn rename_with(&self, _from: &str, _to: &str, _how: Rename) -> io::Result<()> {
        Err(unsupported())
    }

    pub(in crate::tree) fn remove(&self, name: &str) -> io::Result<()> {
        fault::step()?;
        Ok(rustix::fs::unlinkat(&self.handle, name, AtFlags::empty())?)
    }

    /// Keeps other runs out until it is dropped; `false` while another run is in. The lock of a killed run ends with it,
    /// whatever container it ran in.
    pub(in crate::tree) fn lock(&self) -> io::Result<bool> {
        match self.handle.try_lock() {
            Ok(()) => Ok(true),
            Err(fs::TryLockError::WouldBlock) => Ok(false),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// Has the disk keep the names.
    pub(in crate::tree) fn flush(&self) -> io::Result<()> {
        fault::step()?;
        self.handle.sync_all()
    }
}

/// Gives `file` the permissions of `old`, but no right to run as somebody else.
pub(in crate::tree) fn take_permissions(file: &File, old: &fs::Metadata) -> io::Result<()> {
    fault::step()?;
    file.set_permissions(fs::Permissions::from_mode(old.mode() & 0o777))
}

#[derive(Clone, Copy)]
enum Rename {
    New,
    Exchange,
}

/// Whether the kernel or the file system does not know this kind of rename.
fn is_unknown(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let number = Errno::from_io_error(error);
    error.kind() == io::ErrorKind::Unsupported
        || matches!(number, Some(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP | Errno::PERM))
}
