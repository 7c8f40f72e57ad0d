//! Where there are no file descriptors of folders: every name is looked at before it is used.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::opened::{Kind, Opened, unsupported};

/// A folder that was there.
#[derive(Debug)]
pub(in crate::tree) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(in crate::tree) fn open(path: &Path) -> io::Result<Self> {
        match fs::metadata(path)?.is_dir() {
            true => Ok(Self { path: path.to_owned() }),
            false => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    pub(in crate::tree) fn path(&self) -> &Path {
        &self.path
    }

    pub(in crate::tree) fn child(&self, name: &str) -> io::Result<Self> {
        match self.kind(name)? {
            Some(Kind::Folder) => Ok(Self { path: self.path.join(name) }),
            Some(_) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(in crate::tree) fn make_folder(&self, name: &str) -> io::Result<()> {
        fs::create_dir(self.path.join(name))
    }

    pub(in crate::tree) fn open_below(&self, path: &str) -> io::Result<Opened> {
        let real = fs::canonicalize(self.path.join(path))?;
        if !real.starts_with(fs::canonicalize(&self.path)?) {
            return Ok(Opened::LeadsOut);
        }
        // Opening a FIFO would wait.
        regular(&real)?;
        Ok(Opened::Something(File::open(real)?))
    }

    pub(in crate::tree) fn open_here(&self, name: &str) -> io::Result<File> {
        let path = self.path.join(name);
        regular(&path)?;
        File::open(path)
    }

    pub(in crate::tree) fn create(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).open(self.path.join(name))
    }

    pub(in crate::tree) fn kind(&self, name: &str) -> io::Result<Option<Kind>> {
        match fs::symlink_metadata(self.path.join(name)) {
            Ok(meta) if meta.is_symlink() => Ok(Some(Kind::Link)),
            Ok(meta) if meta.is_file() => Ok(Some(Kind::File)),
            Ok(meta) if meta.is_dir() => Ok(Some(Kind::Folder)),
            Ok(_) => Ok(Some(Kind::Other)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(in crate::tree) fn names(&self) -> io::Result<Vec<String>> {
        let names = fs::read_dir(&self.path)?.flatten();
        Ok(names.filter_map(|entry| entry.file_name().into_string().ok()).collect())
    }

    pub(in crate::tree) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    pub(in crate::tree) fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        match fs::hard_link(self.path.join(from), self.path.join(to)) {
            Ok(()) => self.remove(from),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            // A file system without links leaves a moment between the look and the rename.
            Err(_) => match self.kind(to)? {
                None => self.rename(from, to),
                Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
            },
        }
    }

    pub(in crate::tree) fn exchange(&self, _one: &str, _other: &str) -> io::Result<()> {
        Err(unsupported())
    }

    pub(in crate::tree) fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    pub(in crate::tree) fn lock(&self) -> io::Result<bool> {
        Err(unsupported())
    }

    pub(in crate::tree) fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

fn regular(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path)?.is_file() {
        true => Ok(()),
        false => Err(io::Error::other("it is not a regular file")),
    }
}

pub(in crate::tree) fn take_permissions(file: &File, old: &fs::Metadata) -> io::Result<()> {
    file.set_permissions(old.permissions())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_at_before_they_are_used() {
        let root = std::env::temp_dir().join(format!("dockerfile-gen-by-path-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("in")).unwrap();
        let folder = Folder::open(&root).unwrap();
        assert!(folder.lock().is_err() && folder.exchange("a", "b").is_err() && folder.flush().is_ok());
        take_permissions(&folder.create("a").unwrap(), &fs::metadata(root.join("in")).unwrap()).unwrap();
        assert_eq!(folder.create("a").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!((folder.kind("a").unwrap(), folder.kind("in").unwrap()), (Some(Kind::File), Some(Kind::Folder)));
        assert!(folder.child("a").is_err() && folder.child("none").is_err() && folder.make_folder("in").is_err());
        assert_eq!(folder.child("in").unwrap().path(), root.join("in"));
        folder.rename_new("a", "b").unwrap();
        folder.create("a").unwrap();
        assert_eq!(folder.rename_new("a", "b").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        folder.rename("a", "b").unwrap();
        assert!(folder.open_here("b").is_ok() && folder.open_here("in").is_err());
        assert!(matches!(folder.child("in").unwrap().open_below("../b"), Ok(Opened::LeadsOut)));
        assert!(matches!(folder.open_below("in/../b"), Ok(Opened::Something(_))) && folder.open_below("in").is_err());
        folder.remove("b").unwrap();
        assert_eq!(folder.names().unwrap(), ["in"]);
        fs::remove_dir_all(root).unwrap();
    }
}
