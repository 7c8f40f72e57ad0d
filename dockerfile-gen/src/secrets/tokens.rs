//! Secrets that are written out in text: in addresses, settings, commands.
//!
//! Input: text. Output: where a secret lies in it. The one idea: a token is known by its form, a password by its place
//! in an address, and anything else by the name that it is given to; a reference and a placeholder are none.

use std::borrow::Cow;
use std::ops::Range;

/// Forms of tokens: how it starts, how many letters, digits, `_` and `-` follow at least, and what it is.
///
/// The issuers' manuals describe the forms; the lengths are the shortest that ordinary words do not have.
const FORMS: &[(&str, usize, &str)] = &[
    ("ghp_", 5, "a token of GitHub"),
    ("gho_", 5, "a token of GitHub"),
    ("ghu_", 5, "a token of GitHub"),
    ("ghs_", 5, "a token of GitHub"),
    ("ghr_", 5, "a token of GitHub"),
    ("github_pat_", 5, "a token of GitHub"),
    ("glpat-", 5, "a token of GitLab"),
    ("gldt-", 16, "a token of GitLab"),
    ("glrt-", 16, "a token of GitLab"),
    ("glcbt-", 16, "a token of GitLab"),
    ("glptt-", 16, "a token of GitLab"),
    ("gloas-", 16, "a token of GitLab"),
    ("ATBB", 28, "a password of Bitbucket"),
    ("ATATT3", 40, "a token of Atlassian"),
    ("npm_", 36, "a token of npm"),
    ("pypi-", 16, "a token of PyPI"),
    ("cio", 32, "a token of crates.io"),
    ("rubygems_", 40, "a token of RubyGems"),
    ("dckr_pat_", 20, "a token of Docker Hub"),
    ("AKIA", 16, "a key of AWS"),
    ("ASIA", 16, "a key of AWS"),
    ("AIza", 30, "a key of Google"),
    ("GOCSPX-", 20, "a secret of Google"),
    ("ya29.", 20, "a token of Google"),
    ("sk_live_", 5, "a key of Stripe"),
    ("rk_live_", 5, "a key of Stripe"),
    ("sk_test_", 16, "a key of Stripe"),
    ("whsec_", 20, "a secret of Stripe"),
    ("xoxb-", 8, "a token of Slack"),
    ("xoxp-", 8, "a token of Slack"),
    ("xoxa-", 8, "a token of Slack"),
    ("xoxs-", 8, "a token of Slack"),
    ("xapp-", 8, "a token of Slack"),
    ("SG.", 40, "a key of SendGrid"),
    ("key-", 32, "a key of Mailgun"),
    ("hf_", 20, "a token of Hugging Face"),
    ("sk-ant-", 20, "a key of Anthropic"),
    ("sk-proj-", 20, "a key of OpenAI"),
    ("sk-", 40, "a key of OpenAI"),
    ("dop_v1_", 16, "a token of DigitalOcean"),
    ("doo_v1_", 16, "a token of DigitalOcean"),
    ("hvs.", 20, "a token of Vault"),
    ("hvb.", 20, "a token of Vault"),
    ("sntrys_", 20, "a token of Sentry"),
    ("sntryu_", 20, "a token of Sentry"),
    ("shpat_", 20, "a token of Shopify"),
    ("shpss_", 20, "a token of Shopify"),
    ("lin_api_", 20, "a key of Linear"),
    ("PMAK-", 30, "a key of Postman"),
    ("NRAK-", 20, "a key of New Relic"),
    ("glsa_", 20, "a token of Grafana"),
    ("dapi", 32, "a token of Databricks"),
    ("pscale_tkn_", 20, "a token of PlanetScale"),
    ("sbp_", 30, "a token of Supabase"),
    ("tskey-", 16, "a key of Tailscale"),
    ("pul-", 36, "a token of Pulumi"),
    ("AGE-SECRET-KEY-1", 40, "a key of age"),
    ("eyJhbGciOi", 40, "a signed token"),
];

/// A secret that is written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Where it lies in the text.
    pub at: Range<usize>,
    /// What it is.
    pub what: &'static str,
}

/// The first token, private key, password of an address or of a header in `text`.
pub fn find(text: &str) -> Option<Token> {
    by_form(text).into_iter().chain(in_address(text)).chain(in_header(text)).min_by_key(|token| token.at.start)
}

/// `text` with a `…` in the place of each that [`find`] finds: what a message may show.
///
/// ```
/// use dockerfile_gen::secrets::tokens::conceal;
/// assert_eq!(conceal("`ghp_abcdef123456` is no version"), "`…` is no version");
/// ```
pub fn conceal(text: &str) -> Cow<'_, str> {
    const SHORTEST: usize = 9;
    let mut shown = Cow::Borrowed(text);
    if text.len() < SHORTEST {
        return shown;
    }
    while let Some(token) = find(&shown) {
        shown.to_mut().replace_range(token.at, "…");
    }
    shown
}

/// The first value of an `Authorization` header.
fn in_header(text: &str) -> Option<Token> {
    const NAME: &str = "authorization";
    const SCHEMES: [&str; 4] = ["bearer", "basic", "token", "apikey"];
    let lower = text.to_ascii_lowercase();
    let skip = |at: usize| text[at..].find(|c| !matches!(c, ' ' | '"' | '\'' | '\\' | ':' | '=')).map(|more| at + more);
    lower.match_indices(NAME).find_map(|(at, _)| {
        let mut at = at + NAME.len();
        let has_value = lower[at..].trim_start_matches(['"', '\'', '\\', ' ']).starts_with([':', '=']);
        at = skip(at).filter(|_| has_value)?;
        if let Some(scheme) = SCHEMES.iter().find(|scheme| lower[at..].starts_with(**scheme)) {
            at = skip(at + scheme.len())?;
        }
        let length = text[at..].bytes().take_while(|byte| is_token_byte(*byte) || b"+/=~".contains(byte)).count();
        let value = &text[at..at + length];
        let is_value = length >= 8 && value.bytes().any(|byte| byte.is_ascii_digit()) && is_literal(value);
        is_value.then(|| Token { at: at..at + length, what: "the value of a header" })
    })
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The first token that is known by its form.
fn by_form(text: &str) -> Option<Token> {
    let key = text.match_indices("-----BEGIN ").find(|(at, _)| {
        let title = text[at + 11..].split("-----").next().unwrap_or_default();
        title.len() < 40 && title.contains("PRIVATE KEY")
    });
    if let Some((at, _)) = key {
        return Some(Token { at: at..text.len(), what: "a private key" });
    }
    let mut first: Option<Token> = None;
    for (start, least, what) in FORMS {
        for (at, _) in text.match_indices(start) {
            let tail = &text.as_bytes()[at + start.len()..];
            let length = tail.iter().take_while(|byte| is_token_byte(**byte)).count();
            let tail = &text[at + start.len()..at + start.len() + length];
            // No word has an underscore, so one may end right before.
            let may_end = |byte: u8| start.ends_with('_') && matches!(byte, b'-' | b'.');
            let is_word = text[..at].bytes().next_back().is_none_or(|byte| !is_token_byte(byte) || may_end(byte));
            if is_word && length >= *least && is_random(start, tail) {
                let found = Token { at: at..at + start.len() + length, what };
                if first.as_ref().is_none_or(|first| found.at.start < first.at.start) {
                    first = Some(found);
                }
                break;
            }
        }
    }
    first
}

/// Whether what follows a start that words have too is no word.
fn is_random(start: &str, tail: &str) -> bool {
    match start {
        "AKIA" | "ASIA" => {
            tail.len() == 16 && tail.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        }
        "npm_" | "cio" | "dapi" | "key-" | "ATBB" | "hf_" => {
            tail.bytes().all(|byte| byte.is_ascii_alphanumeric()) && tail.bytes().any(|byte| byte.is_ascii_digit())
        }
        "sk-" | "pypi-" | "pul-" => {
            tail.bytes().any(|byte| byte.is_ascii_digit()) && tail.bytes().any(|byte| byte.is_ascii_alphabetic())
        }
        _ => !is_placeholder(tail),
    }
}

/// The first password or token in the user part of an address.
pub fn in_address(text: &str) -> Option<Token> {
    for (at, _) in text.match_indices("://") {
        let from = at + 3;
        let end =
            text[from..].find(|c: char| "/?#\"'<>`|,; \t\r\n\\)".contains(c)).map_or(text.len(), |end| from + end);
        let Some((user, _)) = text[from..end].rsplit_once('@') else { continue };
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        let found = match password {
            "" if is_token_user(name) => from..from + name.len(),
            password if is_literal(password) => from + name.len() + 1..from + user.len(),
            // The token stands in the place of the name: `https://TOKEN:x-oauth-basic@host`.
            "x-oauth-basic" if is_literal(name) => from..from + name.len(),
            _ => continue,
        };
        return Some(Token { at: found, what: "a password in an address" });
    }
    None
}

/// Whether the name in an address without password is a token and not the name of a person.
fn is_token_user(name: &str) -> bool {
    let has_form = FORMS.iter().any(|(start, least, _)| {
        *least <= 40 && start.len() > 3 && name.starts_with(start) && name.len() > start.len()
    });
    has_form || name.len() >= 20 && is_literal(name) && name.bytes().any(|byte| byte.is_ascii_digit())
}

/// An address without its user and password.
pub(crate) fn without_user(text: &str) -> String {
    let mut out = text.to_owned();
    while let Some(token) = in_address(&out) {
        let start = out[..token.at.start].rfind("://").map_or(0, |at| at + 3);
        let end = out[token.at.end..].find('@').map_or(out.len(), |at| token.at.end + at + 1);
        out.replace_range(start..end, "");
    }
    out
}

/// Whether a variable or setting of this name holds a secret.
pub fn is_secret_name(name: &str) -> bool {
    // What a front end shows to every browser is no secret, whatever its name says.
    const PUBLIC: [&str; 9] = [
        "VITE_",
        "NEXT_PUBLIC_",
        "REACT_APP_",
        "VUE_APP_",
        "GATSBY_",
        "NUXT_PUBLIC_",
        "PUBLIC_",
        "EXPO_PUBLIC_",
        "STORYBOOK_",
    ];
    const WORDS: [&str; 24] = [
        "PASSWORD",
        "PASSWD",
        "PASS",
        "PWD",
        "PASSPHRASE",
        "SECRET",
        "TOKEN",
        "APIKEY",
        "API_KEY",
        "SECRET_KEY",
        "ACCESS_KEY",
        "PRIVATE_KEY",
        "AUTH_KEY",
        "ENCRYPTION_KEY",
        "SIGNING_KEY",
        "MASTER_KEY",
        "KEY_BASE",
        "CREDENTIALS",
        "CREDENTIAL",
        "AUTHTOKEN",
        "_AUTH",
        "AUTH_IDENT",
        "SECRETKEY",
        "ACCESSKEY",
    ];
    let name = name.trim().trim_matches(['"', '\'']);
    let upper: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    if PUBLIC.iter().any(|start| upper.starts_with(start))
        || upper.contains("PUBLIC_KEY")
        || upper == "PWD"
        || upper == "OLDPWD"
    {
        return false;
    }
    let is_whole = |word: &str| {
        let before = upper.len() - word.len();
        let starts = before == 0 || word.starts_with('_') || upper.as_bytes()[before - 1] == b'_';
        // `authToken`: a capital letter starts the word.
        starts
            || name.is_char_boundary(before)
                && name[before..].starts_with(|c: char| c.is_ascii_uppercase())
                && !name[..before].ends_with(|c: char| c.is_ascii_uppercase())
    };
    WORDS.iter().any(|word| upper.ends_with(word) && is_whole(word))
}

/// Whether one of the words of a variable's name is one that names of secrets have. BuildKit warns of such a variable in
/// `ARG` and `ENV`: <https://docs.docker.com/reference/build-checks/secrets-used-in-arg-or-env/>.
pub(crate) fn is_suspicious_name(name: &str) -> bool {
    const WORDS: [&str; 10] =
        ["APIKEY", "AUTH", "CREDENTIAL", "CREDENTIALS", "KEY", "PASSWORD", "PWORD", "PASSWD", "SECRET", "TOKEN"];
    !name.split('_').any(|part| part == "PUBLIC") && name.split('_').any(|part| WORDS.contains(&part))
}

/// Whether a variable or setting says a secret: by its name, or by a name that secrets have, too, and a value that
/// nobody would choose for anything else.
pub fn is_secret(name: &str, value: &str) -> bool {
    // Keys of other kinds.
    const OTHER: [&str; 8] = ["CACHE", "SORT", "PRIMARY", "FOREIGN", "PARTITION", "SHARD", "FILE", "PATH"];
    let upper = name.to_ascii_uppercase().replace('-', "_");
    let is_named = || is_suspicious_name(&upper) && !upper.split('_').any(|part| OTHER.contains(&part));
    is_literal(value) && (is_secret_name(name) || is_named() && looks_random(value))
}

/// Whether a value has no blank and letters mixed with digits.
fn looks_random(value: &str) -> bool {
    let value = value.trim_matches(['"', '\'']);
    let has = |kind: fn(&u8) -> bool| value.bytes().filter(kind).count();
    value.len() >= 8
        && value.bytes().all(|byte| is_token_byte(byte) || b"+/=".contains(&byte))
        && has(u8::is_ascii_digit) >= 2
        && has(u8::is_ascii_alphabetic) >= 3
}

/// Whether a value is written out, and neither a reference to a variable nor a placeholder.
pub fn is_literal(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let is_reference = value.contains('$')
        || value.contains("{{")
        || value.starts_with(['<', '%', '@', '!', '*', '&', '…'])
        || value.starts_with("env:")
        || value.starts_with("file:")
        || value.starts_with("ENC[")
        || value.starts_with("process.env")
        || value.starts_with("os.environ");
    let is_path = value.starts_with(['/', '.', '~']) && !value.ends_with('=');
    let is_plain =
        matches!(value.to_ascii_lowercase().as_str(), "true" | "false" | "null" | "none" | "nil" | "yes" | "no");
    let is_number = value.len() < 6 && value.bytes().all(|byte| byte.is_ascii_digit());
    !(value.is_empty() || is_reference || is_path || is_plain || is_number || is_placeholder(value))
}

/// Words that stand in the place of a secret.
fn is_placeholder(value: &str) -> bool {
    const WORDS: [&str; 30] = [
        "changeme",
        "change_me",
        "change-me",
        "changeit",
        "password",
        "passwd",
        "pass",
        "secret",
        "token",
        "example",
        "sample",
        "placeholder",
        "dummy",
        "fake",
        "test",
        "testing",
        "dev",
        "development",
        "insecure",
        "build",
        "unused",
        "notset",
        "not-set",
        "todo",
        "redacted",
        "x-oauth-basic",
        "x",
        "key",
        "local",
        "ci",
    ];
    const PARTS: [&str; 12] = [
        "example",
        "placeholder",
        "changeme",
        "change-me",
        "change_me",
        "change me",
        "insecure",
        "dummy",
        "your_",
        "your-",
        "replace",
        "xxxx",
    ];
    let lower = value.to_ascii_lowercase();
    let is_one_letter = lower.bytes().all(|byte| Some(&byte) == lower.as_bytes().first());
    is_one_letter || WORDS.contains(&lower.as_str()) || PARTS.iter().any(|part| lower.contains(part))
}

/// The secret in a line `name = value` or `name: value`, or a token anywhere in it.
pub(crate) fn in_setting(line: &str) -> Option<Token> {
    let trimmed = line.trim_start();
    if trimmed.starts_with(['#', ';']) || trimmed.starts_with("//") && !trimmed.contains('=') {
        return None;
    }
    if let Some(token) = find(line) {
        return Some(token);
    }
    let at = line.find('=').or_else(|| line.find(": ").or_else(|| line.find(" \"")))?;
    let name = line[..at]
        .trim()
        .trim_start_matches("export ")
        .trim_start_matches("- ")
        .trim_end_matches('"')
        .rsplit([':', '"'])
        .next()?;
    let value = line[at + 1..].trim();
    if is_secret(name, value.trim_matches([',', '"', '\''])) {
        let start = line.len() - line[at + 1..].trim_start().len();
        return Some(Token { at: start..line.trim_end().len(), what: "a secret" });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(text: &str) -> Option<&str> {
        find(text).map(|token| &text[token.at])
    }

    #[test]
    fn tokens_are_known_by_their_form_or_place() {
        for (text, token) in [
            ("https://u:ghp_TOKEN@github.com/o/r", "ghp_TOKEN"),
            ("git+https://ghp_TOKEN@github.com/o/r.git#egg=r", "ghp_TOKEN"),
            ("https://user:hunter22@registry.example/simple", "hunter22"),
            ("https://0123456789abcdef0123@registry.example/", "0123456789abcdef0123"),
            ("run --key=AKIAABCDEFGHIJKLMNOP now", "AKIAABCDEFGHIJKLMNOP"),
            ("x glpat-abcdefghijklmnop", "glpat-abcdefghijklmnop"),
            ("-H \"Authorization: Bearer a1b2c3d4e5\"", "a1b2c3d4e5"),
            ("--header=authorization:Basic dXNlcjpwYXNz0w==", "dXNlcjpwYXNz0w=="),
        ] {
            assert_eq!(text_of(text), Some(token), "{text}");
        }
        assert_eq!(find("-----BEGIN OPENSSH PRIVATE KEY-----\nx").map(|token| token.what), Some("a private key"));
    }

    #[test]
    fn what_only_looks_like_a_token_is_none() {
        for text in [
            "https://jdoe@bitbucket.org/team/repo.git",
            "ssh://git@github.com/o/r.git",
            "git+ssh://git@github.com/o/r.git",
            "https://${TOKEN}@github.com/o/r.git",
            "https://x-access-token:$TOKEN@github.com/o/r.git",
            "https://user:password@example.com/",
            "https://<token>@github.com/",
            "npm_config_registry=https://registry.example",
            "npm_package_version",
            "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "sk-learn and task-sk-something-else-that-is-long-enough-to-be-a-token",
            "AKIAIOSFODNN7EXAMPLE1",
            "-----BEGIN CERTIFICATE-----",
            "pypi-server",
            "Authorization: Bearer $TOKEN",
            "Authorization: Bearer authentication",
            "authorization is done in 2 places",
        ] {
            assert_eq!(text_of(text), None, "{text}");
        }
        assert_eq!(without_user("https://u:ghp_TOKEN@github.com/o/r"), "https://github.com/o/r");
    }

    #[test]
    fn names_say_secret_and_values_say_otherwise() {
        for name in [
            "API_KEY",
            "DB_PASSWORD",
            "authToken",
            "npmAuthToken",
            "//registry.example/:_authToken",
            "SECRET_KEY",
            "_auth",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "KEYBOARD",
            "TOKEN_TTL",
            "PUBLIC_KEY",
            "NEXT_PUBLIC_API_KEY",
            "PASSWORD_FILE",
            "compass",
            "PWD",
            "AUTHOR",
            "CACHE_KEY",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
        for value in
            ["$TOKEN", "${TOKEN}", "changeme", "<token>", "/run/secrets/key", "true", "3600", "", "django-insecure-abc"]
        {
            assert!(!is_literal(value), "{value}");
        }
        for (name, value) in [("STRIPE_KEY", "a1b2c3d4"), ("AUTH", "x9y8z7w6"), ("api-key", "hunter22")] {
            assert!(is_secret(name, value), "{name}");
        }
        for (name, value) in [
            ("CACHE_KEY", "v1a2b3c4"),
            ("AUTH", "github"),
            ("SORT_KEY", "created4at2"),
            ("STRIPE_KEY", "$STRIPE_KEY"),
            ("AUTH_URL", "https://h.example"),
        ] {
            assert!(!is_secret(name, value), "{name}");
        }
        assert!(is_literal("hunter22") && in_setting("//registry.example/:_authToken=abcdef").is_some());
        assert!(in_setting("npmAuthToken: \"${NPM_TOKEN}\"").is_none() && in_setting("engine-strict=true").is_none());
    }
}
