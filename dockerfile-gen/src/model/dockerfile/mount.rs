//! `RUN --mount=…` and `RUN --device=…`.
//!
//! Input: the value of the flag. Output: [`Mount`], [`Device`]. The one idea: the value is one line of CSV,
//! and each field's value may hold variables, except `from`, which decides what is built before.

mod device;
mod error;
mod values;

pub use device::Device;
pub use error::MountError;

use super::expand::ExpandError;
use super::keyword::nearest;
use values::{fields, number, size, switch, wrong};

/// What is mounted while a `RUN` runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mount {
    /// What kind of thing it is.
    pub kind: MountKind,
    /// The stage or image it comes from; without one the build context, or nothing for a cache.
    pub from: Option<String>,
    /// The path in there; for a secret another way to write `id`.
    pub source: Option<String>,
    /// The path in the container. A relative one counts from the working directory.
    pub target: Option<String>,
    /// Whether the command may not write into it. Not so by default for caches and temporary file systems.
    pub read_only: bool,
    /// The most bytes that a temporary file system may hold; `None` for no limit.
    pub size: Option<u64>,
    /// The name of the cache, secret or agent. See [`Mount::cache_id`].
    pub id: Option<String>,
    /// Who may use the cache at once.
    pub sharing: Option<Sharing>,
    /// Whether the build fails without the secret or agent.
    pub required: bool,
    /// The variable that gets the secret; empty for one named like the secret.
    pub env: Option<String>,
    /// Permissions.
    pub mode: Option<u32>,
    /// The user that owns it.
    pub uid: Option<u32>,
    /// The group that owns it.
    pub gid: Option<u32>,
}

/// The kinds of mounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MountKind {
    /// Files of the context, a stage or an image.
    #[default]
    Bind,
    /// A folder that outlives the build.
    Cache,
    /// A folder in memory.
    Tmpfs,
    /// A file that enters no layer.
    Secret,
    /// A socket of an ssh agent.
    Ssh,
}

/// Who may use a cache at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sharing {
    /// All.
    Shared,
    /// Each gets one of its own.
    Private,
    /// One after the other.
    Locked,
}

const FIELDS: [&str; 19] = [
    "type",
    "from",
    "source",
    "src",
    "target",
    "dst",
    "destination",
    "readonly",
    "ro",
    "readwrite",
    "rw",
    "required",
    "size",
    "id",
    "sharing",
    "mode",
    "uid",
    "gid",
    "env",
];

impl MountKind {
    /// The name as in `type=`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bind => "bind",
            Self::Cache => "cache",
            Self::Tmpfs => "tmpfs",
            Self::Secret => "secret",
            Self::Ssh => "ssh",
        }
    }
}

impl Sharing {
    /// The name as in `sharing=`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Private => "private",
            Self::Locked => "locked",
        }
    }
}

impl Mount {
    /// Reads the value of `--mount=`; `expand` puts the variables into the value of each field.
    ///
    /// ```
    /// use dockerfile_gen::dockerfile::{Mount, MountKind};
    /// let mount = Mount::parse("type=cache,target=/root/.cache", &mut |value| Ok(value.to_owned())).unwrap();
    /// assert_eq!((mount.kind, mount.cache_id()), (MountKind::Cache, "/root/.cache".to_owned()));
    /// ```
    ///
    /// # Errors
    /// [`MountError`] where BuildKit would stop.
    pub fn parse(value: &str, expand: &mut Expander<'_>) -> Result<Self, MountError> {
        check_unexpanded(value)?;
        let mut mount = Self::default();
        let mut read_only = None;
        for field in fields(value)? {
            let (key, value) = match field.split_once('=') {
                Some((key, value)) => (key.to_lowercase(), Some(expand(value)?)),
                None => (field.to_lowercase(), None),
            };
            match (key.as_str(), value) {
                ("readonly" | "ro", value) => read_only = Some(switch(&key, value)?),
                ("readwrite" | "rw", value) => read_only = Some(!switch(&key, value)?),
                ("required", value) if matches!(mount.kind, MountKind::Secret | MountKind::Ssh) => {
                    mount.required = switch(&key, value)?;
                }
                ("required", _) => return Err(mount.misplaced(&key)),
                (_, Some(value)) => mount.set(&key, value)?,
                (_, None) => return Err(MountError::NoValue(field)),
            }
        }
        let writable = matches!(mount.kind, MountKind::Cache | MountKind::Tmpfs);
        mount.read_only = read_only.unwrap_or(!writable);
        mount.check()?;
        Ok(mount)
    }

    /// The name of the cache: its `id`, or else its target without needless slashes and dots.
    pub fn cache_id(&self) -> String {
        match &self.id {
            Some(id) if !id.is_empty() => id.clone(),
            _ => clean_path(self.target.as_deref().unwrap_or_default()),
        }
    }

    fn set(&mut self, key: &str, value: String) -> Result<(), MountError> {
        match key {
            "type" => self.kind = kind(&value)?,
            "from" => self.from = filled(value),
            "source" | "src" => self.source = filled(value),
            "target" | "dst" | "destination" => self.target = filled(value),
            "size" if self.kind == MountKind::Tmpfs => self.size = Some(size(&value)?),
            "size" => return Err(self.misplaced(key)),
            "id" => self.id = filled(value),
            "sharing" => self.sharing = Some(sharing(&value)?),
            "mode" => self.mode = Some(number(key, &value, 8, "an octal number")?),
            "uid" => self.uid = Some(number(key, &value, 10, "a number")?),
            "gid" => self.gid = Some(number(key, &value, 10, "a number")?),
            "env" => self.env = Some(value),
            _ => return Err(MountError::UnknownField { field: key.into(), similar: nearest(key, FIELDS) }),
        }
        Ok(())
    }

    /// What can be said only when all fields are known, as `type` may come last.
    fn check(&self) -> Result<(), MountError> {
        if matches!(self.kind, MountKind::Bind | MountKind::Tmpfs) {
            let owned = [("mode", self.mode), ("uid", self.uid), ("gid", self.gid)];
            if let Some((field, _)) = owned.iter().find(|(_, value)| value.is_some()) {
                return Err(self.misplaced(field));
            }
        }
        if self.kind == MountKind::Secret {
            if self.from.is_some() {
                return Err(self.misplaced("from"));
            }
            if self.id.is_some() && self.source.is_some() {
                return Err(MountError::SecretNamedTwice);
            }
            if self.id.is_none() && self.source.is_none() && self.target.is_none() {
                return Err(MountError::SecretUnnamed);
            }
        }
        if self.sharing.is_some() && self.kind != MountKind::Cache {
            return Err(self.misplaced("sharing"));
        }
        Ok(())
    }

    fn misplaced(&self, field: &str) -> MountError {
        MountError::Misplaced { kind: self.kind.as_str(), field: field.into() }
    }
}

/// Puts variables into a value.
pub type Expander<'a> = dyn FnMut(&str) -> Result<String, ExpandError> + 'a;

/// What BuildKit checks of a mount before it knows any variable.
pub(super) fn check_unexpanded(value: &str) -> Result<(), MountError> {
    for field in fields(value)? {
        if let Some((key, value)) = field.split_once('=')
            && key.to_lowercase() == "from"
            && value.find('$').is_some_and(|at| at + 1 != value.len())
        {
            return Err(MountError::FromVariable(value.into()));
        }
    }
    Ok(())
}

/// BuildKit cannot tell an empty value from none.
fn filled(value: String) -> Option<String> {
    (!value.is_empty()).then_some(value)
}

fn kind(value: &str) -> Result<MountKind, MountError> {
    let kinds = [MountKind::Bind, MountKind::Cache, MountKind::Tmpfs, MountKind::Secret, MountKind::Ssh];
    let wanted = "`bind`, `cache`, `tmpfs`, `secret` or `ssh`";
    let name = value.to_lowercase();
    kinds.into_iter().find(|kind| kind.as_str() == name).ok_or_else(|| wrong("type", wanted, value))
}

fn sharing(value: &str) -> Result<Sharing, MountError> {
    let name = value.to_lowercase();
    let modes = [Sharing::Shared, Sharing::Private, Sharing::Locked];
    let found = modes.into_iter().find(|mode| mode.as_str() == name);
    found.ok_or_else(|| wrong("sharing", "`shared`, `private` or `locked`", value))
}

/// The path without empty parts, `.`, and `..` where something stands before it.
fn clean_path(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    match (absolute, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".into(),
        (false, false) => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &str) -> Result<Mount, String> {
        Mount::parse(value, &mut |value| Ok(value.replace("$X", "x"))).map_err(|error| error.to_string())
    }

    #[test]
    fn a_bind_is_read_only_and_a_cache_is_not() {
        let bind = parse("source=a,target=/a").unwrap();
        assert_eq!((bind.kind, bind.read_only), (MountKind::Bind, true));
        assert!(!parse("type=bind,rw,target=/a").unwrap().read_only);
        assert!(!parse("target=/a,type=cache").unwrap().read_only);
        assert!(parse("type=cache,ro=true,target=/a").unwrap().read_only);
    }

    #[test]
    fn every_option_is_read() {
        let mount = parse("TYPE=Cache,from=base,src=/s,dst=/$X,id=a,sharing=Locked,mode=0750,uid=1,gid=2").unwrap();
        let expected = Mount {
            kind: MountKind::Cache,
            from: Some("base".into()),
            source: Some("/s".into()),
            target: Some("/x".into()),
            id: Some("a".into()),
            sharing: Some(Sharing::Locked),
            mode: Some(0o750),
            uid: Some(1),
            gid: Some(2),
            ..Mount::default()
        };
        assert_eq!(mount, expected);
        assert_eq!(parse("type=tmpfs,target=/t,size=1.5m").unwrap().size, Some(1_572_864));
        let secret = parse("type=secret,id=key,env=KEY,required").unwrap();
        assert_eq!((secret.env.as_deref(), secret.required), (Some("KEY"), true));
    }

    #[test]
    fn quoted_fields_may_hold_commas() {
        assert_eq!(parse("type=bind,\"target=/a,b\"\"c\"").unwrap().target.as_deref(), Some("/a,b\"c"));
        assert_eq!(parse("target=\"/a\"").unwrap_err(), "stray or missing `\"` in `target=\"/a\"`");
        assert!(parse("\"target=/a").is_err());
        assert!(parse("\"target=/a\"x").is_err());
    }

    #[test]
    fn the_id_of_a_cache_is_its_cleaned_target() {
        let id = |value: &str| parse(value).unwrap().cache_id();
        assert_eq!(id("type=cache,target=/a//b/../c/"), "/a/c");
        assert_eq!(id("type=cache,target=x/."), "x");
        assert_eq!(id("type=cache,target=/a,id=/b//"), "/b//");
    }

    #[test]
    fn wrong_mounts_are_refused_with_the_field() {
        for (value, error) in [
            ("", "nothing given"),
            ("from=$X,target=/a", "`from=$X`: variables mean nothing here"),
            ("type=foo", "`type` takes `bind`, `cache`, `tmpfs`, `secret` or `ssh`, found `foo`"),
            ("type=cache,target", "field `target` needs a value"),
            ("type=cache,traget=/a", "unknown field `traget`"),
            ("type=bind,uid=1", "a mount of type `bind` has no field `uid`"),
            ("type=secret", "a secret needs an `id`, a `source` or a `target`"),
            ("type=secret,id=a,source=b", "a secret takes `id` or `source`, not both"),
            ("type=secret,id=a,from=b", "a mount of type `secret` has no field `from`"),
            ("type=tmpfs,size=lots", "`size` takes a number of bytes such as `64m`, found `lots`"),
            ("type=cache,mode=9", "`mode` takes an octal number, found `9`"),
            ("type=cache,uid=+1", "`uid` takes a number, found `+1`"),
            ("type=cache,ro=yes", "`ro` takes `true` or `false`, found `yes`"),
            ("required,type=secret,id=a", "a mount of type `bind` has no field `required`"),
            ("type=bind,sharing=locked", "a mount of type `bind` has no field `sharing`"),
        ] {
            assert_eq!(parse(value).unwrap_err(), error, "{value}");
        }
    }
}
