//! What shows that a file, whose name says secret, holds none.
//!
//! Input: its text. Output: whether it is harmless. The one idea: a file is harmless if all of it is understood and none
//! of it is a secret; what is not understood stays a secret.

use super::tokens;

/// A test of a file's text.
#[derive(Debug)]
pub(super) struct Harmless {
    /// Whether the text is harmless.
    pub(super) test: fn(&str) -> bool,
    /// What the file is then.
    pub(super) what: &'static str,
}

pub(super) const PUBLIC_KEY: Harmless =
    Harmless { test: public_key, what: "holds a certificate or a public key alone" };
pub(super) const SETTINGS: Harmless = Harmless { test: settings, what: "holds settings without a secret" };
pub(super) const JSON: Harmless = Harmless { test: json, what: "holds JSON without a secret" };
pub(super) const NO_AGE_KEY: Harmless = Harmless { test: no_age_key, what: "holds text without a key" };
pub(super) const NO_CLUSTER_LOGIN: Harmless = Harmless { test: no_cluster_login, what: "holds no login" };
pub(super) const SCRIPT: Harmless = Harmless { test: script, what: "holds no secret" };

/// Certificates and public keys, and nothing private.
fn public_key(text: &str) -> bool {
    let titles = text.split("-----BEGIN ").skip(1).chain(text.split("---- BEGIN ").skip(1));
    let titles: Vec<&str> = titles.map(|rest| rest.split("--").next().unwrap_or_default().trim()).collect();
    let is_public = |title: &&str| {
        !title.contains("PRIVATE")
            && ["CERTIFICATE", "PUBLIC KEY", "CRL", "PARAMETERS", "SIGNATURE", "PKCS7", "SIGNED MESSAGE"]
                .iter()
                .any(|word| title.contains(word))
    };
    let ssh = ["ssh-rsa ", "ssh-ed25519 ", "ecdsa-sha2-", "ssh-dss ", "sk-ssh-", "sk-ecdsa-"];
    let mut lines = text.lines().filter(|line| !line.trim().is_empty()).peekable();
    let only_ssh = lines.peek().is_some() && lines.all(|line| ssh.iter().any(|kind| line.starts_with(kind)));
    only_ssh || !titles.is_empty() && titles.iter().all(is_public)
}

/// Settings of which each is understood, and none of which is a secret: `key = value`, `key: value`, lists, sections.
fn settings(text: &str) -> bool {
    let understood = |line: &str| {
        let line = line.trim();
        let is_list = line.starts_with('-') || line.starts_with(['[', ']', '{', '}', '"', '<']);
        line.is_empty()
            || line.starts_with(['#', ';', '!'])
            || is_list
            || line.split_once(['=', ':']).is_some_and(|(key, _)| !key.trim().is_empty())
            // Yarn's first settings have a blank between name and value.
            || line.split_once(' ').is_some_and(|(key, value)| !key.is_empty() && value.trim().starts_with('"'))
    };
    text.lines().all(understood) && text.lines().all(|line| tokens::in_setting(line).is_none())
}

/// JSON without a key or token.
fn json(text: &str) -> bool {
    fn plain(value: &serde_json::Value) -> bool {
        const SECRET: [&str; 16] = [
            "private_key",
            "privatekey",
            "client_secret",
            "refresh_token",
            "access_token",
            "http-basic",
            "github-oauth",
            "gitlab-oauth",
            "gitlab-token",
            "bitbucket-oauth",
            "bearer",
            "auths",
            "api_key",
            "apikey",
            "secret_key",
            "token",
        ];
        match value {
            serde_json::Value::Object(map) => map.iter().all(|(key, value)| {
                let is_named = SECRET.contains(&key.to_ascii_lowercase().as_str());
                let is_text = |value: &serde_json::Value| {
                    value.as_str().is_some_and(|text| tokens::is_literal(text) && !text.trim().contains(' '))
                        || value.as_object().is_some_and(|map| !map.is_empty())
                        || value.as_str().is_some_and(|text| text.contains("PRIVATE KEY"))
                };
                !(is_named && is_text(value)) && plain(value)
            }),
            serde_json::Value::Array(list) => list.iter().all(plain),
            serde_json::Value::String(text) => tokens::find(text).is_none(),
            _ => true,
        }
    }
    serde_json::from_str::<serde_json::Value>(text).is_ok_and(|value| !value.is_string() && plain(&value))
}

/// Text that is no key of age, for names that many files have.
fn no_age_key(text: &str) -> bool {
    let has_prose = text.lines().filter(|line| line.trim().contains(' ')).count() * 2 > text.lines().count();
    !text.contains("AGE-SECRET-KEY-") && has_prose
}

/// A list of clusters without the login of one.
fn no_cluster_login(text: &str) -> bool {
    const LOGIN: [&str; 5] = ["client-key", "token:", "password:", "client-certificate-data", "auth-provider"];
    settings(text) && !LOGIN.iter().any(|word| text.contains(word))
}

/// A script that sets no secret.
fn script(text: &str) -> bool {
    text.contains(['\n', ' ']) && text.lines().all(|line| tokens::in_setting(line).is_none())
}
