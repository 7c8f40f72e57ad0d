//! Private registries and the tokens for them.
//!
//! Input: .npmrc and .yarnrc.yml. Output: credentials to mount. The one idea: a token that is named is mounted, a token
//! that is written out is reported and its file kept out of the build context.

use crate::error::{Error, Result};
use crate::facts::{Credential, Notes};
use crate::secrets::is_harmless;
use crate::tree::{Tree, within};

/// Looks for tokens; the second value says whether .npmrc itself may be part of the build.
pub(crate) fn detect(tree: &dyn Tree, root: &str, notes: &mut Notes) -> Result<(Vec<Credential>, bool)> {
    let mut credentials = Vec::new();
    let mut keeps_npmrc = false;
    let path = within(root, ".npmrc");
    if let Some(text) = tree.text(&path)? {
        keeps_npmrc = true;
        if !is_harmless(&path, &text) {
            keeps_npmrc = false;
            add(&mut credentials, Credential::File { id: "npmrc".into(), target: "/root/.npmrc".into() });
        }
        for (line, number) in text.lines().zip(1u32..) {
            let Some((key, value)) = line.split_once('=') else { continue };
            let secret = ["_authToken", "_auth", "_password"].iter().any(|name| key.trim().ends_with(name));
            if !secret || line.trim_start().starts_with(['#', ';']) {
                continue;
            }
            match variable(value.trim()) {
                Some(name) => {
                    notes.found(&path, Some(number), format!("a private registry, whose token is in `{name}`"));
                    add(&mut credentials, Credential::Env { id: name.to_owned(), variable: name.to_owned() });
                }
                None => {
                    notes.warn(format!(
                        "{path}:{number} holds a token: the file is kept out of the image and is given to the build with \
                         `docker build --secret id=npmrc,src={path}`; better write `${{NPM_TOKEN}}` there"
                    ));
                    keeps_npmrc = false;
                    add(&mut credentials, Credential::File { id: "npmrc".into(), target: "/root/.npmrc".into() });
                }
            }
        }
    }
    if !keeps_npmrc {
        // What the whole file says comes with the secret.
        credentials.retain(|credential| matches!(credential, Credential::File { .. }));
    }
    let path = within(root, ".yarnrc.yml");
    if let Some(text) = tree.text(&path)? {
        for (line, number) in text.lines().zip(1u32..) {
            let Some((key, value)) = line.trim().split_once(':') else { continue };
            if !matches!(key, "npmAuthToken" | "npmAuthIdent") {
                continue;
            }
            match variable(value.trim().trim_matches(['"', '\''])) {
                Some(name) => {
                    notes.found(&path, Some(number), format!("a private registry, whose token is in `{name}`"));
                    add(&mut credentials, Credential::Env { id: name.to_owned(), variable: name.to_owned() });
                }
                None => {
                    return Err(Error::Unsupported {
                        reason: format!("{path}:{number} holds a token that would get into the image"),
                        hint: "write `${NPM_TOKEN-}` in its place and change the token, which is in the history".into(),
                    });
                }
            }
        }
    }
    Ok((credentials, keeps_npmrc))
}

fn add(credentials: &mut Vec<Credential>, credential: Credential) {
    if !credentials.contains(&credential) {
        credentials.push(credential);
    }
}

/// The name in `${NAME}`, `${NAME-}` or `$NAME`.
fn variable(value: &str) -> Option<&str> {
    let value = value.trim_matches('"').strip_prefix('$')?;
    let inner = value.strip_prefix('{').and_then(|inner| inner.split_once('}')).map_or(value, |(inner, _)| inner);
    let name = inner.split([':', '-', '?']).next().unwrap_or_default();
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (plain && !name.is_empty()).then_some(name)
}
