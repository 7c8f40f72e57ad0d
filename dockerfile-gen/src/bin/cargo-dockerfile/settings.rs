//! Rates in `dockerfile.toml`.
//!
//! Input: the file's text and the rates. Output: the text with these rates and no others. The one idea: the file is its
//! owner's, so it is edited as a document: whatever spelling the rates have stays, and so does every comment.

use std::collections::BTreeMap;
use std::path::Path;

use dockerfile_gen::output::update;
use dockerfile_gen::{ConfigLayer, Error, MemTree, RelPath, Status, configure};
use toml_edit::{DocumentMut, Item, Table, TableLike, value};

/// The settings file.
pub(crate) const NAME: &str = "dockerfile.toml";

/// The table of rates in it.
const RATES: &str = "rates";

/// Puts `rates` into the settings of the project in `root`, and keeps a backup of what was there.
pub(crate) fn write_rates(root: &Path, rates: &BTreeMap<String, f64>) -> Result<Status, Error> {
    let path = RelPath::new(NAME).unwrap_or_default();
    update(root, &path, &mut |text| with_rates(text, rates))
}

/// Puts `rates` into the text of a `dockerfile.toml`, in place of those that are there. All else stays as it is.
fn with_rates(old: &str, rates: &BTreeMap<String, f64>) -> Result<String, Error> {
    let (mark, body) = old.strip_prefix('\u{feff}').map_or(("", old), |body| ("\u{feff}", body));
    let wrong = |reason: String| Error::Manifest { path: NAME.into(), line: None, reason };
    let mut document: DocumentMut = body.parse().map_err(|error: toml_edit::TomlError| {
        let before = error.span().and_then(|span| body.get(..span.start));
        let line = before.and_then(|text| u32::try_from(1 + text.matches('\n').count()).ok());
        Error::Manifest { path: NAME.into(), line, reason: error.message().trim().replace('\n', ", ") }
    })?;
    let is_windows = body.contains("\r\n");
    match document.get_mut(RATES) {
        Some(item) => {
            let table = item.as_table_like_mut().ok_or_else(|| wrong(format!("`{RATES}` is not a table")))?;
            set(table, rates);
        }
        None => add(&mut document, rates),
    }
    let mut text = document.to_string();
    if is_windows {
        text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    let text = format!("{mark}{text}");
    read_back(old, &text, rates)?;
    Ok(text)
}

/// Changes the values of a table that is there.
fn set(table: &mut dyn TableLike, rates: &BTreeMap<String, f64>) {
    let gone: Vec<String> =
        table.iter().map(|(key, _)| key.to_owned()).filter(|key| !rates.contains_key(key)).collect();
    let mut comments = String::new();
    for (name, rate) in rates {
        match table.get_mut(name).and_then(Item::as_value_mut) {
            Some(old) if old.as_float() == Some(*rate) => {}
            Some(old) => {
                let decor = old.decor().clone();
                *old = (*rate).into();
                *old.decor_mut() = decor;
            }
            None => append(table, name, *rate),
        }
    }
    for key in gone {
        comments.push_str(&comments_of(table, &key));
        table.remove(&key);
    }
    let first = table.iter().next().map(|(key, _)| key.to_owned());
    if let Some(mut key) = first.and_then(|first| table.key_mut(&first)).filter(|_| !comments.is_empty()) {
        let decor = key.leaf_decor_mut();
        let before = decor.prefix().and_then(|raw| raw.as_str()).unwrap_or_default().to_owned();
        let separator = if before.is_empty() || before.starts_with(['\n', '\r', '#']) { "" } else { "\n" };
        decor.set_prefix(format!("{comments}{separator}{before}"));
    }
}

/// Adds an entry behind the last. The blank before a closing brace stays there.
fn append(table: &mut dyn TableLike, name: &str, rate: f64) {
    let mut entry = toml_edit::Value::from(rate);
    if let Some(last) =
        table.iter_mut().last().and_then(|(_, item)| item.as_value_mut().map(toml_edit::Value::decor_mut))
    {
        let blank = last.suffix().and_then(|raw| raw.as_str()).filter(|text| text.trim().is_empty()).map(str::to_owned);
        if let Some(blank) = blank {
            last.set_suffix("");
            entry.decor_mut().set_suffix(blank);
        }
    }
    table.insert(name, Item::Value(entry));
}

/// The comments above and behind an entry, a line each.
fn comments_of(table: &mut dyn TableLike, key: &str) -> String {
    let above = table.key(key).and_then(|key| key.leaf_decor().prefix()?.as_str()).unwrap_or_default().to_owned();
    let behind = table.get(key).and_then(Item::as_value).and_then(|value| value.decor().suffix()?.as_str());
    let lines = above.lines().chain(behind.unwrap_or_default().lines());
    lines.map(str::trim).filter(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect()
}

/// Adds a table at the end.
fn add(document: &mut DocumentMut, rates: &BTreeMap<String, f64>) {
    let mut table = Table::new();
    for (name, rate) in rates {
        table.insert(name, value(*rate));
    }
    // A comment at the end of the file belongs to what stands above it.
    let trailing = document.trailing().as_str().unwrap_or_default().trim_end().to_owned();
    let is_empty = document.is_empty() && trailing.is_empty();
    let mut space = if is_empty { String::new() } else { "\n".to_owned() };
    if !trailing.is_empty() {
        space = format!("{trailing}\n\n");
    }
    document.set_trailing("");
    table.decor_mut().set_prefix(space);
    let last = document.iter().filter_map(|(_, item)| last_position(item)).max();
    table.set_position(last.map(|last| last + 1));
    document.insert(RATES, Item::Table(table));
}

fn last_position(item: &Item) -> Option<isize> {
    let below = |table: &Table| table.iter().filter_map(|(_, item)| last_position(item)).chain(table.position()).max();
    match item {
        Item::Table(table) => below(table),
        Item::ArrayOfTables(tables) => tables.iter().filter_map(below).max(),
        Item::None | Item::Value(_) => None,
    }
}

/// Reads the new text as every run will, before it takes the place of the old: all settings but the rates are the same.
fn read_back(old: &str, new: &str, rates: &BTreeMap<String, f64>) -> Result<(), Error> {
    let load = |text: &str| configure(&MemTree::from([(NAME, text)]), ConfigLayer::default());
    let (mut expected, found) = (load(old)?, load(new)?);
    expected.rates.clone_from(rates);
    match expected == found {
        true => Ok(()),
        false => Err(Error::Unsupported {
            reason: format!("`{NAME}` would say something else with the new rates, so it is left as it is"),
            hint: "put the rates of `--print` into it by hand, and report this".into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &str) -> String {
        let rates = BTreeMap::from([("proto/".to_owned(), 0.02), ("source".to_owned(), 0.75)]);
        with_rates(text, &rates).unwrap_or_else(|error| panic!("{text:?}: {error}"))
    }

    #[test]
    fn rates_replace_those_that_are_there_in_the_spelling_that_is_there() {
        for (text, expected) in [
            ("", "[rates]\n\"proto/\" = 0.02\nsource = 0.75\n"),
            ("port = 80\n", "port = 80\n\n[rates]\n\"proto/\" = 0.02\nsource = 0.75\n"),
            ("port = 80", "port = 80\n\n[rates]\n\"proto/\" = 0.02\nsource = 0.75\n"),
            ("# only a comment", "# only a comment\n\n[rates]\n\"proto/\" = 0.02\nsource = 0.75\n"),
            (
                "[env]\nA = \"1\"\n# the end\n",
                "[env]\nA = \"1\"\n# the end\n\n[rates]\n\"proto/\" = 0.02\nsource = 0.75\n",
            ),
            (
                "[rates] # learned in May\nsource = 0.5 # often\n\n[env]\nA = \"1\" # x\n",
                "[rates] # learned in May\nsource = 0.75 # often\n\"proto/\" = 0.02\n\n[env]\nA = \"1\" # x\n",
            ),
            ("[ rates ]\nsource = 0.5\n", "[ rates ]\nsource = 0.75\n\"proto/\" = 0.02\n"),
            ("rates.source = 0.5\n", "rates.source = 0.75\nrates.\"proto/\" = 0.02\n"),
            ("\"rates\" = { source = 0.5 }\n", "\"rates\" = { source = 0.75, \"proto/\" = 0.02 }\n"),
            ("[rates]\r\nsource = 0.5\r\n", "[rates]\r\nsource = 0.75\r\n\"proto/\" = 0.02\r\n"),
            (
                "[rates]\n# why\nbase = 0.1 # seldom\nsource = 1\n\"proto/\" = 0.02\n",
                "[rates]\n# why\n# seldom\nsource = 0.75\n\"proto/\" = 0.02\n",
            ),
        ] {
            assert_eq!(edited(text), expected, "{text:?}");
            assert_eq!(edited(expected), expected, "twice is once");
        }
    }

    #[test]
    fn every_spelling_can_be_read_again() {
        for text in [
            "rates = {\n  source = 0.5,\n}\nport = 3000\n",
            "rates = {\n  # why\n  source = 0.5, # often\n}\nport = 3000\n",
            "rates = {}\nport = 3000\n",
            "'rates'.'source' = 0.5\nport = 3000\n",
            "port = 3000\n[\"rates\"]\n\"source\" = 1e-1\n\"old/path\" = 0.5 # gone\n",
            "port = 3000\n[[steps]]\nname = \"a\"\nrun = \"true\"\n\n[rates]\n\n# end\n",
            "\u{feff}port = 3000\n[rates]\nlockfile = 0.5\n",
            "port = 3000\n[env]\nA = \"\"\"\n[rates] source = 0.5\"\"\"\n",
        ] {
            let new = edited(text);
            for comment in ["# why", "# often", "# gone", "# end"] {
                assert_eq!(new.contains(comment), text.contains(comment), "{text:?} became {new:?}");
            }
            assert_eq!(edited(&new), new, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_table_is_an_error() {
        assert!(with_rates("rates = 3\n", &BTreeMap::new()).is_err());
        let error = with_rates("port = 1\nrates = [\n", &BTreeMap::new()).unwrap_err();
        assert!(error.to_string().starts_with("dockerfile.toml:"), "{error}");
    }
}
