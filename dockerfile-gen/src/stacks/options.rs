//! Options that not every stack has.
//!
//! Input: the configuration and what the rows say. Output: an error for an option that would do nothing. The one idea:
//! an option that a stack does not have is a mistake of whoever set it, and silence would hide it.

use crate::config::Config;
use crate::error::{Error, Result};

/// The name of an option, and whether a configuration sets it.
type Choice = (&'static str, fn(&Config) -> bool);

/// The options.
pub(super) const CHOICES: [Choice; 8] = [
    ("package", |config| config.package.is_some()),
    ("bin", |config| config.bin.is_some()),
    ("features", |config| !config.features.is_empty()),
    ("no-default-features", |config| config.no_default_features),
    ("profile", |config| config.profile.is_some()),
    ("incremental", |config| config.incremental),
    ("manifests", |config| config.manifests.is_some()),
    // Images for Rust and Go hold no program that could ask an endpoint.
    ("health", |config| config.health.is_some()),
];

/// The name of a stack, and the options that it has with what each means to it.
pub(super) type OfStack = (&'static str, &'static [(&'static str, &'static str)]);

/// Refuses options that the stack does not have.
///
/// # Errors
/// [`Error::Config`] for the first of them.
pub(super) fn check(stack: &str, stacks: &[OfStack], config: &Config) -> Result<()> {
    let own = stacks.iter().find(|(name, _)| *name == stack).map_or(&[][..], |(_, options)| options);
    let has = |option: &str| own.iter().any(|(name, _)| *name == option);
    match CHOICES.iter().find(|(option, is_set)| is_set(config) && !has(option)) {
        None => Ok(()),
        Some((option, _)) => Err(Error::Config {
            path: "configuration".into(),
            line: None,
            reason: format!("`{option}` is set, and an image for {stack} has no such option"),
            hint: format!("take it out: it means {}", meanings(option, stacks)),
        }),
    }
}

/// What an option means to the stacks that have it.
pub(super) fn meanings(option: &str, stacks: &[OfStack]) -> String {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for (stack, options) in stacks {
        for (_, meaning) in options.iter().filter(|(name, _)| *name == option) {
            match found.iter_mut().find(|(known, _)| known == meaning) {
                Some((_, names)) => names.push(stack),
                None => found.push((meaning, vec![stack])),
            }
        }
    }
    let found: Vec<String> =
        found.into_iter().map(|(meaning, stacks)| format!("{meaning} ({})", stacks.join(", "))).collect();
    found.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_without_effect_is_refused() {
        let stacks: [OfStack; 2] = [("one", &[("features", "extras")]), ("two", &[("bin", "a script")])];
        let config = Config { features: vec!["a".into()], ..Config::default() };
        assert!(check("one", &stacks, &config).is_ok());
        let error = check("two", &stacks, &config).unwrap_err();
        assert!(error.to_string().contains("`features` is set"), "{error}");
        assert_eq!(error.hint().unwrap(), "take it out: it means extras (one)");
    }
}
