//! What the sources read, serve and listen on.
//!
//! Input: the `.rs` files of the workspace. Output: [`Scan`], and what must stay in the context. The one idea: paths
//! and ports stand in string literals next to a few well-known words; nothing is parsed that need not be.

use std::collections::BTreeMap;

use cargo_metadata::{Metadata, TargetKind};

use super::members::{Binary, Member};
use crate::facts::{Asset, Notes, Served};
use crate::tree::{RelPath, Tree};

/// What a scan of the sources found.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) runtime_files: Vec<Served>,
    pub(super) port: Option<u16>,
    pub(super) run_env: Vec<(String, String)>,
    pub(super) serves_path: bool,
    pub(super) runs_git: bool,
}

/// Macros and attributes that read a file at compile time, and whether the path is relative to the package's folder.
const EMBEDS: [(&str, bool); 11] = [
    ("include_str!", false),
    ("include_bytes!", false),
    ("include!", false),
    ("include_dir!", true),
    ("embed_migrations!", true),
    ("migrate!", true),
    ("#[folder", true),
    ("embed_file!", true),
    ("load_file!", true),
    ("static_dir!", true),
    ("query_file", true),
];

/// Calls whose path argument is read while the program runs.
const READS: [&str; 12] = [
    "ServeDir::new(",
    "ServeFile::new(",
    "Files::new(",
    "FileServer::from(",
    "FileServer::new(",
    "NamedFile::open(",
    "Tera::new(",
    "File::with_name(",
    "fs::read",
    "File::open(",
    ".join(",
    "from_dir(",
];

/// Folders of a package that are never read by the running program.
const NOT_RUNTIME: [&str; 10] =
    ["src", "tests", "benches", "examples", "target", "migrations", "docs", "crates", ".sqlx", "proto"];

/// Has the tree read what [`scan`] will ask for.
pub(super) fn warm(tree: &dyn Tree) {
    for path in tree.files().keys().filter(|path| path.as_str().ends_with(".rs")) {
        tree.scan(path.as_str());
    }
}

/// Scans the sources of the workspace.
pub(super) fn scan(
    tree: &dyn Tree,
    _metadata: &Metadata,
    members: &[Member<'_>],
    binary: &Binary,
    notes: &mut Notes,
) -> Scan {
    let mut scan = Scan::default();
    let mut runtime = BTreeMap::new();
    let main_dir = binary.dir.as_str();
    let paths: Vec<RelPath> = tree.files().keys().filter(|path| path.as_str().ends_with(".rs")).cloned().collect();
    for path in &paths {
        let text = tree.scan(path.as_str());
        let package = members
            .iter()
            .map(|member| &member.dir)
            .filter(|dir| dir.as_str().is_empty() || path.as_str().starts_with(&format!("{dir}/")))
            .max_by_key(|dir| dir.as_str().len());
        let Some(package) = package else { continue };
        embeds(tree, &text, path, package, notes);
        let inside = path.as_str()[package.as_str().len()..].trim_start_matches('/');
        let is_script = members.iter().filter(|member| member.dir == *package).any(|member| {
            let mut scripts =
                member.package.targets.iter().filter(|target| target.kind.contains(&TargetKind::CustomBuild));
            scripts.any(|script| script.src_path.as_str().replace('\\', "/").ends_with(&format!("/{path}")))
        });
        if is_script {
            scan.runs_git |= needs_git(&text);
            build_script(tree, &text, package, notes);
        }
        let of_main = package.as_str() == main_dir || depends(members, binary, package);
        if !inside.starts_with("src/") || !of_main {
            continue;
        }
        reads(tree, &text, path, package, &mut runtime, notes);
        if scan.port.is_none() || package.as_str() == main_dir {
            listen(&text, path, &mut scan, notes);
        }
    }
    templates(tree, members, notes);
    if scan.port.is_none() {
        configured_port(tree, &runtime, &mut scan, notes);
    }
    scan.runtime_files = runtime.into_iter().map(|(path, folder)| Served { path, folder }).collect();
    scan
}

/// Whether the binary's package uses the package in `dir` directly.
fn depends(members: &[Member<'_>], binary: &Binary, dir: &RelPath) -> bool {
    let main = members.iter().find(|member| member.package.name.as_str() == binary.package);
    let other = members.iter().find(|member| member.dir == *dir);
    match (main, other) {
        (Some(main), Some(other)) => main
            .package
            .dependencies
            .iter()
            .any(|dependency| dependency.path.is_some() && dependency.name == other.package.name.as_str()),
        _ => false,
    }
}

/// The first string literal in `text`.
fn literal(text: &str) -> Option<&str> {
    let start = text.find('"')? + 1;
    let end = start + text[start..].find('"')?;
    Some(&text[start..end])
}

/// The arguments of a macro or an attribute, up to the bracket that ends them.
fn call(text: &str) -> &str {
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    for (at, c) in text.char_indices().take(400) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth <= 1 => return &text[..at],
            ')' | ']' | '}' => depth -= 1,
            ';' => return &text[..at],
            _ => {}
        }
    }
    text.char_indices().nth(400).map_or(text, |(end, _)| &text[..end])
}

/// What a build script names of its package has to be in the context: it may read it.
fn build_script(tree: &dyn Tree, text: &str, package: &RelPath, notes: &mut Notes) {
    for literal in text.split('"').skip(1).step_by(2) {
        // `cargo::rerun-if-changed=docs/grammar.md`
        let named = literal.rsplit_once('=').map_or(literal, |(_, path)| path).trim_end_matches('/');
        let Some(found) = package.join(named).filter(|found| found != package) else { continue };
        let is_hidden = found.as_str().split('/').any(|part| part.starts_with('.'));
        if !is_hidden && (tree.has(found.as_str()) || tree.has_dir(found.as_str())) {
            notes.need(found.as_str());
        }
    }
}

fn line_at(text: &str, offset: usize) -> u32 {
    crate::config::line_of(text, offset)
}

/// Records what is read at compile time.
fn embeds(tree: &dyn Tree, text: &str, path: &RelPath, package: &RelPath, notes: &mut Notes) {
    for (word, of_package) in EMBEDS {
        for (offset, _) in text.match_indices(word) {
            let rest = call(&text[offset + word.len()..]);
            let Some(mut target) = literal(rest).map(str::to_owned) else { continue };
            let mut base = if of_package { package.clone() } else { RelPath::new(path.parent()).unwrap_or_default() };
            if rest.contains("CARGO_MANIFEST_DIR") {
                // concat!(env!("CARGO_MANIFEST_DIR"), "/x") and "$CARGO_MANIFEST_DIR/x"
                base = package.clone();
                let literals: Vec<&str> = rest.split('"').skip(1).step_by(2).collect();
                target = literals
                    .into_iter()
                    .map(|text| {
                        text.trim_start_matches("$CARGO_MANIFEST_DIR").trim_start_matches("${CARGO_MANIFEST_DIR}")
                    })
                    .find(|text| !text.is_empty() && *text != "CARGO_MANIFEST_DIR" && *text != "OUT_DIR")
                    .unwrap_or_default()
                    .trim_start_matches('/')
                    .to_owned();
            }
            if rest.contains("OUT_DIR") || target.is_empty() {
                continue;
            }
            let Some(found) = base.join(&target) else { continue };
            if tree.has(found.as_str()) || tree.has_dir(found.as_str()) {
                notes.need(found.as_str());
            }
            if word == "#[folder" || word == "include_dir!" || word == "embed_file!" {
                notes.found(path.as_str(), Some(line_at(text, offset)), format!("embeds `{found}`"));
                notes.assets.push(Asset { path: found, embedded: true });
            }
        }
    }
}

/// Template folders that derive macros read at compile time.
fn templates(tree: &dyn Tree, members: &[Member<'_>], notes: &mut Notes) {
    for member in members {
        let uses = |name: &str| member.package.dependencies.iter().any(|dependency| dependency.name == name);
        if ["askama", "rinja", "sailfish", "ructe"].into_iter().any(uses) {
            let folder = member.dir.join("templates").unwrap_or_default();
            if tree.has_dir(folder.as_str()) {
                notes.need(folder.as_str());
            }
        }
    }
}

/// Records what is read when the program runs: literals that name a folder or file of the package or the workspace.
fn reads(
    tree: &dyn Tree,
    text: &str,
    path: &RelPath,
    package: &RelPath,
    runtime: &mut BTreeMap<RelPath, bool>,
    notes: &mut Notes,
) {
    // Tests read files that no image has.
    let end = text.find("#[cfg(test)]").unwrap_or(text.len());
    for word in READS {
        for (offset, _) in text[..end].match_indices(word) {
            let line = text[..offset].rsplit('\n').next().unwrap_or_default();
            if line.trim_start().starts_with("//") {
                continue;
            }
            let rest: String =
                text[offset + word.len()..].chars().take(120).take_while(|c| *c != ';' && *c != '\n').collect();
            for target in rest.split('"').skip(1).step_by(2) {
                let target = target.split(['*', '{']).next().unwrap_or_default().trim_end_matches('/');
                let Some(found) = RelPath::new(target).filter(|found| !found.as_str().is_empty()) else { continue };
                let first = found.as_str().split('/').next().unwrap_or_default();
                // What cargo and other tools read names their user's files, not their own.
                let of_tools =
                    found.as_str().split('/').any(|part| part.starts_with('.') || part.starts_with("Cargo."));
                if NOT_RUNTIME.contains(&first) || of_tools {
                    continue;
                }
                let bases = [RelPath::default(), package.clone()];
                let there = bases.iter().filter_map(|base| base.join(found.as_str())).find(|full| {
                    tree.has_dir(full.as_str()) || tree.has(full.as_str()) && !full.as_str().ends_with(".rs")
                });
                match there {
                    Some(full) if !runtime.contains_key(&full) => {
                        runtime.insert(full.clone(), tree.has_dir(full.as_str()));
                        notes.need(full.as_str());
                        notes.found(path.as_str(), Some(line_at(text, offset)), format!("reads `{full}` when it runs"));
                    }
                    Some(_) => {}
                    None if word.starts_with("Serve") || word.starts_with("File") => {
                        notes.assets.push(Asset { path: found, embedded: false });
                    }
                    None => {}
                }
            }
        }
    }
}

/// The port that a configuration file, read when the program runs, gives the application itself.
fn configured_port(tree: &dyn Tree, runtime: &BTreeMap<RelPath, bool>, scan: &mut Scan, notes: &mut Notes) {
    const OWN: [&str; 7] = ["", "application", "app", "server", "http", "web", "api"];
    let files = runtime.keys().flat_map(|path| {
        let below = tree.under(path.as_str()).map(|(file, _)| file);
        below.chain(tree.files().get_key_value(path).map(|(file, _)| file)).collect::<Vec<_>>()
    });
    for file in files.filter(|file| [".yaml", ".yml", ".toml"].iter().any(|end| file.as_str().ends_with(end))) {
        let mut section = String::new();
        for (index, line) in tree.scan(file.as_str()).lines().enumerate() {
            let nested = line.starts_with([' ', '\t']);
            let Some((key, value)) = line.split_once([':', '=']) else {
                section = line.trim_matches(['[', ']', ' ']).to_owned();
                continue;
            };
            let (key, value) = (key.trim(), value.trim().trim_matches('"'));
            if value.is_empty() && !nested {
                section = key.to_owned();
            } else if ["address", "bind", "listen", "addr"].contains(&key)
                && OWN.contains(&if nested || file.as_str().ends_with(".toml") { section.as_str() } else { "" })
                && let Some(port) = port_in(value)
            {
                let number = index as u32 + 1;
                scan.port = Some(port);
                notes.found(file.as_str(), Some(number), format!("listens on port {port}"));
                if value.starts_with("127.") || value.starts_with("localhost") {
                    notes.warn(format!(
                        "{file}:{number} says {value}, which nothing outside the container reaches: let it be 0.0.0.0 there"
                    ));
                }
                return;
            } else if key == "port"
                && OWN.contains(&if nested || file.as_str().ends_with(".toml") { section.as_str() } else { "" })
            {
                let Some(port) = leading_port(value) else { continue };
                scan.port = Some(port);
                notes.found(file.as_str(), Some(index as u32 + 1), format!("listens on port {port}"));
                return;
            }
        }
    }
}

/// Ports and addresses.
fn listen(text: &str, path: &RelPath, scan: &mut Scan, notes: &mut Notes) {
    let lines: Vec<&str> = text.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let number = index as u32 + 1;
        let trimmed = line.trim_start();
        if trimmed.starts_with("//") {
            continue;
        }
        if trimmed.starts_with("#[cfg(test)]") {
            break;
        }
        if !scan.serves_path && serves_path(&lines, index) {
            scan.serves_path = true;
            notes.found(path.as_str(), Some(number), "serves the folder that its first argument names");
        }
        if scan.port.is_none()
            && let Some(port) = port_in(line).or_else(|| port_variable(&lines, index))
        {
            scan.port = Some(port);
            notes.found(path.as_str(), Some(number), format!("listens on port {port}"));
            if line.contains("127.0.0.1") || line.contains("localhost") {
                notes.warn(format!(
                    "{path}:{number} listens on 127.0.0.1, which nothing outside the container reaches: let it listen on 0.0.0.0 there"
                ));
            }
        }
    }
    if text.contains("rocket::")
        && scan.run_env.is_empty()
        && (text.contains("rocket::build") || text.contains("#[launch]"))
    {
        scan.run_env.push(("ROCKET_ADDRESS".into(), "0.0.0.0".into()));
        scan.port = scan.port.or(Some(8000));
        notes.found(path.as_str(), None, "Rocket listens on 127.0.0.1:8000 unless ROCKET_ADDRESS says otherwise");
    }
}

/// The port that a line names beside an address or the word `port`.
fn port_in(line: &str) -> Option<u16> {
    for address in ["0.0.0.0:", "127.0.0.1:", "[::]:", "[::1]:", "localhost:"] {
        if let Some((_, rest)) = line.split_once(address)
            && let Some(port) = leading_port(rest)
            && !line.contains("://")
        {
            return Some(port);
        }
    }
    if line.contains("[0, 0, 0, 0]") || line.contains("[127, 0, 0, 1]") || line.contains("UNSPECIFIED") {
        let rest = line.rsplit_once("],").or_else(|| line.rsplit_once("UNSPECIFIED")).map(|(_, rest)| rest)?;
        // `UNSPECIFIED.into(), 8080)`, `UNSPECIFIED), 8080)`
        let rest = rest.rsplit_once(", ").map_or(rest, |(_, rest)| rest);
        return leading_port(rest.trim_start());
    }
    let lower = line.to_ascii_lowercase();
    if lower.contains("port")
        && (lower.contains("unwrap_or") || lower.contains("default_value") || lower.contains("const "))
    {
        let digits = lower.split(|c: char| !c.is_ascii_digit()).filter(|part| (4..=5).contains(&part.len()));
        return digits.filter_map(|part| part.parse().ok()).find(|port| *port >= 1000);
    }
    None
}

/// The default of a variable such as `PORT`, or of an argument `--port`, on its line or those around it.
fn port_variable(lines: &[&str], index: usize) -> Option<u16> {
    let line = lines.get(index)?;
    let number = |line: &&str| {
        let words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let numbers = words.filter_map(|word| word.trim_end_matches("u16").trim_end_matches('_').parse::<u16>().ok());
        numbers.into_iter().find(|port| *port >= 1000)
    };
    let before = &lines[index.saturating_sub(4)..index];
    let default = before.iter().rev().filter(|line| line.contains("default_value")).find_map(number);
    if line.contains("port: u16") {
        return default;
    }
    let named = line.contains("PORT\"") && !line.contains("EXPORT") || line.contains("long = \"port\"");
    named.then(|| default.or_else(|| lines[index..].iter().take(8).find_map(number))).flatten()
}

/// Whether a line declares the optional positional argument of a program that serves a folder. Some refuse to serve
/// the current folder unless it is named.
fn serves_path(lines: &[&str], index: usize) -> bool {
    let field = lines[index].trim_start().trim_start_matches("pub ");
    if !["path: Option<PathBuf>", "dir: Option<PathBuf>", "root: Option<PathBuf>"]
        .iter()
        .any(|name| field.starts_with(name))
    {
        return false;
    }
    let above = lines[..index].iter().rev().take_while(|line| !line.trim().is_empty());
    let above: Vec<&str> = above.map(|line| line.trim_start()).collect();
    let documented = above.iter().any(|line| line.starts_with("///") && line.to_ascii_lowercase().contains("serve"));
    documented
        && !above.iter().any(|line| !line.starts_with("///") && (line.contains("long") || line.contains("short")))
}

/// Whether a build script runs git and does not plainly go on where there is none. The build context holds no .git, so
/// all that git could do there is to exist.
fn needs_git(text: &str) -> bool {
    text.match_indices("Command::new(\"git\")").any(|(at, _)| {
        let (before, rest) = text.split_at(at);
        let ran = [".output()", ".status()"].iter().filter_map(|call| Some(rest.find(call)? + call.len())).min();
        let Some(then) = ran.and_then(|end| rest.get(end..)).map(str::trim_start) else { return true };
        let statement = then.split(';').next().unwrap_or_default();
        if then.starts_with(".ok()") {
            return statement.contains(".unwrap()") || statement.contains(".expect(");
        }
        if then.starts_with('{') {
            let head = before.rsplit([';', '{', '}']).next().unwrap_or_default();
            return !head.contains("match ") && !head.contains("let Ok(");
        }
        let name = before.rsplit("let ").next().and_then(|rest| rest.split([':', '=', ' ']).next()).unwrap_or_default();
        let looks = [format!("match {name} {{"), format!(") = {name} {{"), format!(") = {name} else")];
        !then.starts_with(';') || name.is_empty() || !looks.iter().any(|look| text.contains(look))
    })
}

fn leading_port(text: &str) -> Option<u16> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|port| *port >= 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_is_needed_unless_the_script_goes_on_without() {
        let git = "Command::new(\"git\").args([\"rev-parse\", \"HEAD\"])";
        for fine in [
            format!("let output = {git}.output();\n    match output {{ Ok(_) => {{}} Err(_) => {{}} }}"),
            format!("if let Ok(output) = {git}\n        .output() {{ print(output) }}"),
            format!("match {git}.status() {{ Ok(_) => {{}} Err(_) => {{}} }}"),
            format!("let hash = {git}.output().ok().filter(|o| o.status.success());"),
            "println!(\"git\")".to_owned(),
        ] {
            assert!(!needs_git(&fine), "{fine}");
        }
        for needs in [
            format!("let output = {git}.output().expect(\"git\");"),
            format!("let output = {git}.output()?;"),
            format!("let output = {git}.output();\n    let output = output.unwrap();"),
            format!("let hash = {git}.output().ok().map(text).unwrap();"),
            format!("let mut command = {git};"),
        ] {
            assert!(needs_git(&needs), "{needs}");
        }
    }

    #[test]
    fn ports_are_read_where_they_are_said() {
        assert_eq!(port_in(r#"let listener = TcpListener::bind("0.0.0.0:3000").await?;"#), Some(3000));
        assert_eq!(port_in("let addr = SocketAddr::from(([127, 0, 0, 1], 8080));"), Some(8080));
        assert_eq!(port_in(r#"let port = env::var("PORT").unwrap_or_else(|_| "8081".into());"#), Some(8081));
        assert_eq!(port_in(r#"#[arg(short, long = "port", default_value = "9000")]"#), Some(9000));
        assert_eq!(port_in(r#"redis_uri: "redis://127.0.0.1:6379""#), None);
        assert_eq!(
            port_variable(&["match env::var(\"PORT\") {", "Ok(v) => v.parse()?,", "Err(_) => 8080,"], 0),
            Some(8080)
        );
        assert_eq!(port_variable(&["#[arg(", "default_value = \"8080\",", "env = \"APP_PORT\"", ")]"], 2), Some(8080));
        assert_eq!(port_in("SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 8088);"), Some(8088));
        assert_eq!(port_in("SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8089)"), Some(8089));
        assert_eq!(port_in("let report = summarise(1000);"), None);
    }
}
