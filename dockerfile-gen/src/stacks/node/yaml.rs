//! The few keys that are needed of pnpm-workspace.yaml, pnpm-lock.yaml and .yarnrc.yml.
//!
//! Input: YAML text. Output: scalars, lists and the keys of maps at the top level. The one idea: these files are written
//! by tools in block style, so lines and their indentation say enough; what is written otherwise counts as missing.

/// The text of a top-level scalar.
pub(crate) fn scalar<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let (value, _) = entry(text, key)?;
    (!value.is_empty()).then(|| unquote(value))
}

/// The items of a top-level list, in block or flow style.
pub(crate) fn list<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let Some((value, block)) = entry(text, key) else { return Vec::new() };
    if let Some(inner) = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return inner.split(',').map(|item| unquote(item.trim())).filter(|item| !item.is_empty()).collect();
    }
    block.filter_map(|line| line.trim_start().strip_prefix("- ")).map(|item| unquote(bare(item))).collect()
}

/// The keys and values of a top-level map of scalars.
pub(crate) fn map<'a>(text: &'a str, key: &str) -> Vec<(&'a str, &'a str)> {
    let Some((_, block)) = entry(text, key) else { return Vec::new() };
    block
        .filter_map(|line| line.trim().rsplit_once(": ").or_else(|| Some((line.trim().strip_suffix(':')?, ""))))
        .map(|(name, value)| (unquote(name), unquote(bare(value))))
        .collect()
}

/// The top-level keys.
pub(crate) fn keys(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.starts_with([' ', '\t', '#', '-']))
        .filter_map(|line| line.split_once(':').map(|(key, _)| unquote(key)))
}

/// The line of a top-level key, from 1.
pub(crate) fn line(text: &str, key: &str) -> Option<u32> {
    let position = text.lines().position(|line| value_of(line, key).is_some())?;
    Some(position as u32 + 1)
}

/// What follows a top-level key: the rest of its line, and the lines of its block.
fn entry<'a>(text: &'a str, key: &str) -> Option<(&'a str, impl Iterator<Item = &'a str> + use<'a>)> {
    let mut lines = text.lines();
    let value = lines.find_map(|line| value_of(line, key))?;
    let block = lines
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        .take_while(|line| line.starts_with([' ', '\t', '-']));
    Some((bare(value), block))
}

fn value_of<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(['"', '\'']).unwrap_or(line).strip_prefix(key)?;
    rest.strip_prefix(['"', '\'']).unwrap_or(rest).strip_prefix(':')
}

/// Without a comment and without space round it.
fn bare(value: &str) -> &str {
    let value = value.trim();
    if value.starts_with(['"', '\'']) {
        return value;
    }
    value.split(" #").next().unwrap_or(value).trim()
}

fn unquote(value: &str) -> &str {
    let value = value.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote) {
            return inner.split(quote).next().unwrap_or(inner);
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKSPACE: &str = "# members\npackages:\n  - 'apps/*' # all\n  # none\n  - \"!**/test\"\n- packages/ui\n\n\
        onlyBuiltDependencies: [esbuild, '@prisma/client']\nallowBuilds:\n  sharp: true\n  '@swc/core': false\nnodeLinker: \"hoisted\"\n";

    #[test]
    fn lists_maps_and_scalars() {
        assert_eq!(list(WORKSPACE, "packages"), ["apps/*", "!**/test", "packages/ui"]);
        assert_eq!(list(WORKSPACE, "onlyBuiltDependencies"), ["esbuild", "@prisma/client"]);
        assert_eq!(map(WORKSPACE, "allowBuilds"), [("sharp", "true"), ("@swc/core", "false")]);
        assert_eq!(scalar(WORKSPACE, "nodeLinker"), Some("hoisted"));
        assert_eq!(scalar(WORKSPACE, "missing"), None);
        assert_eq!(line(WORKSPACE, "allowBuilds"), Some(9));
        assert_eq!(
            keys(WORKSPACE).collect::<Vec<_>>(),
            ["packages", "onlyBuiltDependencies", "allowBuilds", "nodeLinker"]
        );
    }
}
