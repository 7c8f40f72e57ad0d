//! Private package indexes.
//!
//! Input: index addresses from manifests. Output: [`Credential`]s to mount. The one idea: a credential reaches the install
//! through a mount under the name that the package manager reads by itself, and is optional for an index that turns out
//! to be public.

use crate::error::{Error, Result};
use crate::facts::Credential;

/// An index that a manifest names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// The name, where it has one.
    pub(crate) name: Option<String>,
    /// The address.
    pub(crate) url: String,
    /// The file.
    pub(crate) path: String,
    /// The line.
    pub(crate) line: Option<u32>,
}

/// How a package manager takes the password of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passing {
    /// From `PREFIX_NAME_USERNAME` and `PREFIX_NAME_PASSWORD`.
    Variables(&'static str),
    /// From ~/.netrc.
    Netrc,
}

/// The credentials of the indexes that are not public.
///
/// # Errors
/// [`Error::Unsupported`] for a literal password in a manifest, which the build needs and must not see.
pub(crate) fn credentials(indexes: &[Index], passing: Passing) -> Result<Vec<Credential>> {
    let mut credentials = Vec::new();
    for index in indexes {
        let variables = variables(&index.url);
        if variables.is_empty() && has_password(&index.url) {
            return Err(Error::Unsupported {
                reason: format!(
                    "{}{} holds a literal password of a package index, and the build would copy it",
                    index.path,
                    index.line.map(|line| format!(":{line}")).unwrap_or_default()
                ),
                hint: "write `${INDEX_PASSWORD}` in its place and change the password, which is in the history".into(),
            });
        }
        if is_public(&index.url) {
            continue;
        }
        match (passing, &index.name) {
            _ if !variables.is_empty() => credentials.extend(variables.into_iter().map(|name| variable(&name))),
            (Passing::Variables(prefix), Some(name)) => {
                let name: String = name
                    .chars()
                    .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
                    .collect();
                credentials.push(variable(&format!("{prefix}_{name}_USERNAME")));
                credentials.push(variable(&format!("{prefix}_{name}_PASSWORD")));
            }
            _ => credentials.push(Credential::File { id: "netrc".into(), target: "/root/.netrc".into() }),
        }
    }
    credentials.sort();
    credentials.dedup();
    Ok(credentials)
}

fn variable(name: &str) -> Credential {
    Credential::Env { id: name.to_ascii_lowercase(), variable: name.to_owned() }
}

/// The user and password part of an address.
fn user_info(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    authority.rsplit_once('@').map(|(user, _)| user)
}

fn has_password(url: &str) -> bool {
    user_info(url)
        .is_some_and(|user| user.split_once(':').is_some_and(|(_, password)| !password.is_empty()) || user.len() > 16)
}

/// The names in `${NAME}`.
fn variables(url: &str) -> Vec<String> {
    let names = url.split("${").skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name));
    let plain = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    names.filter(plain).map(str::to_owned).collect()
}

/// Whether an index is one that everybody may read: the public one, and the one with PyTorch's builds.
fn is_public(url: &str) -> bool {
    let labels = labels(url);
    is_default(url) || matches!(labels[..], [_, "pytorch", "org"]) || labels.last() == Some(&"")
}

/// Whether an index is the one that every package manager asks without being told.
pub(crate) fn is_default(url: &str) -> bool {
    labels(url) == ["pypi", "org"]
}

/// The parts of the host's name.
fn labels(url: &str) -> Vec<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or_default().split('.').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(name: Option<&str>, url: &str) -> Index {
        Index { name: name.map(str::to_owned), url: url.to_owned(), path: "pyproject.toml".into(), line: Some(3) }
    }

    #[test]
    fn each_manager_gets_what_it_reads() {
        let url = "https://registry.example/simple";
        let names = |found: Vec<Credential>| -> Vec<String> {
            let name = |one| match one {
                Credential::Env { variable, .. } => variable,
                Credential::File { target, .. } => target,
                Credential::Ssh => "ssh".into(),
            };
            found.into_iter().map(name).collect()
        };
        let uv = credentials(&[index(Some("my-co"), url)], Passing::Variables("UV_INDEX")).unwrap();
        assert_eq!(names(uv), ["UV_INDEX_MY_CO_PASSWORD", "UV_INDEX_MY_CO_USERNAME"]);
        assert_eq!(names(credentials(&[index(None, url)], Passing::Netrc).unwrap()), ["/root/.netrc"]);
        let own = index(None, "https://${USER_NAME}:${TOKEN}@registry.example/simple");
        assert_eq!(names(credentials(&[own], Passing::Netrc).unwrap()), ["TOKEN", "USER_NAME"]);
    }

    #[test]
    fn a_literal_password_stops_the_build() {
        let error =
            credentials(&[index(None, "https://me:secret@registry.example/simple")], Passing::Netrc).unwrap_err();
        assert!(error.to_string().contains("pyproject.toml:3") && !error.to_string().contains("secret@"));
    }
}
