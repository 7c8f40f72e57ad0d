//! Random small projects and random edits of them.
//!
//! Input: a seed. Output: [`Scenario`]. The one idea: a Dockerfile is kept as stages of lines, so that an edit can be
//! one of a line; all text holds a salt, so that no other build on the engine has anything in common with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

/// Two builds, the second after an edit.
pub(crate) struct Scenario {
    pub(crate) before: Side,
    pub(crate) after: Side,
}

/// One build.
#[derive(Clone)]
pub(crate) struct Side {
    files: BTreeMap<String, Entry>,
    pub(crate) dockerfile: String,
    pub(crate) options: Vec<String>,
}

#[derive(Clone, PartialEq, Eq)]
enum Entry {
    File(String, u32),
    Link(String),
    Dir,
}

/// A sequence of numbers that looks random (xorshift).
pub(crate) struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        (self.next() >> 11) as usize % sides
    }

    fn one_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == 0
    }

    fn pick<'a, T: ?Sized>(&mut self, things: &[&'a T]) -> &'a T {
        things[self.roll(things.len())]
    }
}

const PATHS: [&str; 14] = [
    "a",
    "b",
    "c.txt",
    "d/x",
    "d/y",
    "d/e/z",
    "src/m.c",
    "src/n.c",
    "src/sub/o.c",
    "lock.json",
    "package.json",
    "docs/r.md",
    "s/a/z1",
    "s/a/z2/c",
];
const SOURCES: [&str; 17] = [
    "a",
    "b",
    "c.txt",
    "d",
    "d/x",
    "d/e",
    "src",
    "src/*.c",
    "*.json",
    "*.txt",
    "lock.jso[n]",
    ".",
    "s/*",
    "./d/",
    "/a",
    "docs",
    "l",
];
const DESTS: [&str; 8] = ["/o/", "/o/k/", "./", "/t/x", "w/", "/o/${V}/", ".", "/q/"];
const IGNORES: [&str; 12] =
    ["docs", "**/*.md", "d/e", "*", "!src", "!a", ".dockerignore", "Dockerfile", "s/a/z2", "# c", "b", "!d/e/z"];

/// A stage and its lines behind the `FROM`.
#[derive(Clone)]
struct Stage {
    from: String,
    name: String,
    lines: Vec<String>,
}

struct Writer<'a> {
    dice: &'a mut Dice,
    salt: &'a str,
}

impl Scenario {
    /// The scenario that a seed stands for, with `salt` in all its texts.
    pub(crate) fn new(seed: u64, salt: &str) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            dice.next();
        }
        let mut writer = Writer { dice: &mut dice, salt };
        let files = writer.files();
        let stages = writer.stages(&files);
        let before = Side { files, dockerfile: print(&stages), options: writer.options() };
        let mut after = before.clone();
        let mut edited = stages;
        for _ in 0..1 + writer.dice.roll(2) {
            writer.edit(&mut after, &mut edited);
        }
        after.dockerfile =
            format!("{}{}", print(&edited), after.dockerfile.strip_prefix(&before.dockerfile).unwrap_or(""));
        Self { before, after }
    }
}

fn print(stages: &[Stage]) -> String {
    let mut text = "ARG G=g\n".to_owned();
    for stage in stages {
        text.push_str(&format!("FROM {} AS {}\n", stage.from, stage.name));
        for line in &stage.lines {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

impl Writer<'_> {
    fn text(&mut self) -> String {
        format!("{} {}\n", self.dice.roll(6), self.salt)
    }

    fn files(&mut self) -> BTreeMap<String, Entry> {
        let mut files = BTreeMap::new();
        for path in PATHS {
            if !self.dice.one_in(7) {
                let mode = if self.dice.one_in(6) { 0o755 } else { 0o644 };
                files.insert(path.to_owned(), Entry::File(self.text(), mode));
            }
        }
        let target = self.dice.pick(&["a", "d", "src/m.c"]);
        files.insert("l".to_owned(), Entry::Link(target.to_owned()));
        if self.dice.one_in(3) {
            files.insert("d/l".to_owned(), Entry::Link("x".to_owned()));
        }
        if self.dice.one_in(3) {
            files.insert("empty".to_owned(), Entry::Dir);
        }
        if self.dice.one_in(2) {
            files.insert(".dockerignore".to_owned(), Entry::File(self.ignore(), 0o644));
        }
        files
    }

    fn ignore(&mut self) -> String {
        (0..1 + self.dice.roll(3)).map(|_| format!("{}\n", self.dice.pick(&IGNORES))).collect()
    }

    fn options(&mut self) -> Vec<String> {
        let mut options = Vec::new();
        if self.dice.one_in(3) {
            options.push(format!("--build-arg=X={}", self.dice.roll(3)));
        }
        if self.dice.one_in(12) {
            options.push("--network=none".to_owned());
        }
        options
    }

    fn stages(&mut self, files: &BTreeMap<String, Entry>) -> Vec<Stage> {
        let first = Stage {
            from: "debian:trixie-slim".to_owned(),
            name: "base".to_owned(),
            lines: vec![format!("RUN echo {} > /salt", self.salt)],
        };
        let mut stages = vec![first];
        for number in 0..1 + self.dice.roll(4) {
            let from = match self.dice.roll(8) {
                0 => "scratch".to_owned(),
                1..=4 => "base".to_owned(),
                _ => stages[self.dice.roll(stages.len())].name.clone(),
            };
            let is_bare = is_bare(&stages, &from);
            let name = format!("s{number}");
            let mut stage = Stage { from, name, lines: Vec::new() };
            for _ in 0..1 + self.dice.roll(5) {
                let line = self.line(&stages, is_bare, files);
                stage.lines.push(line);
            }
            if self.dice.one_in(2) && !is_bare {
                stage
                    .lines
                    .push(format!("RUN mkdir -p /out/{number} && echo {} > /out/{number}/app", self.dice.roll(2)));
            }
            stages.push(stage);
        }
        // The last one takes something of each, so that all are built.
        let last = stages.len() - 1;
        for number in 1..last {
            let line = self.copy_from(&stages[..=number]);
            stages[last].lines.push(line);
        }
        stages
    }

    fn line(&mut self, stages: &[Stage], is_bare: bool, files: &BTreeMap<String, Entry>) -> String {
        match self.dice.roll(if is_bare { 8 } else { 20 }) {
            0..=3 => self.copy(files),
            4 => self.copy_from(stages),
            5 => self.metadata(),
            // On an empty image nothing else would set it apart from other builds on the engine.
            6 => format!("COPY <<EOF /doc/{}\n{} $V {}\nEOF", self.dice.roll(2), self.dice.roll(3), self.salt),
            7 if is_bare => format!("WORKDIR /{}/{}", self.salt, self.dice.pick(&["w", "v", ".", "w/${V}"])),
            7 => format!("WORKDIR {}", self.dice.pick(&["/w", "v", "/o", "/", "/w/${V}"])),
            8..=10 => self.metadata(),
            11 => format!("RUN <<EOF\necho {} > /h\n# $V\nEOF", self.dice.roll(3)),
            12..=14 => self.mounted(stages),
            _ => self.run(),
        }
    }

    fn run(&mut self) -> String {
        let number = self.dice.roll(3);
        match self.dice.roll(5) {
            0 => format!("RUN echo {number} > /r{number}"),
            1 => "RUN ls -R /o /w > /list 2>&1; true".to_owned(),
            2 => format!("RUN mkdir -p /out && echo {number} > /out/app && ls /o > /out/log; true"),
            3 => format!("RUN [\"/bin/sh\", \"-c\", \"echo {number} > /r{number}\"]"),
            _ => format!("RUN echo a && \\\n  # why\n  echo {number} > /r{number}"),
        }
    }

    fn mounted(&mut self, stages: &[Stage]) -> String {
        let number = self.dice.roll(3);
        let from = &stages[self.dice.roll(stages.len())].name;
        let mount = match self.dice.roll(9) {
            0 => "type=bind,target=/m".to_owned(),
            1 => "type=bind,source=src,target=/m".to_owned(),
            2 => "source=a,target=/m/a".to_owned(),
            3 => format!("from={from},source=/,target=/m"),
            4 => format!("type=cache,target=/c{number}"),
            5 => format!("type=cache,target=/c,id=i{number}{}", self.salt),
            6 => format!("type=cache,target=/c,sharing={}", self.dice.pick(&["locked", "private", "shared"])),
            7 => format!("type=tmpfs,target=/tm,size={}m", 1 + number),
            _ => format!("type=secret,id=k{number}"),
        };
        let second = match self.dice.roll(4) {
            0 => " --mount=type=cache,target=/c2,uid=1000",
            1 => " --mount=type=bind,source=d,target=d,rw",
            _ => "",
        };
        format!("RUN --mount={mount}{second} echo {number} > /r{number}")
    }

    fn metadata(&mut self) -> String {
        let number = self.dice.roll(3);
        match self.dice.roll(10) {
            0 => format!("ENV V={number}"),
            1 => format!("ENV A={number} B=$V"),
            2 => format!("ARG X={number}"),
            3 => "ARG G".to_owned(),
            4 => format!("LABEL l={number}"),
            5 => format!("CMD [\"{number}\"]"),
            6 => format!("USER {}", self.dice.pick(&["root", "0", "0:0"])),
            7 => "SHELL [\"/bin/bash\", \"-c\"]".to_owned(),
            8 => "ARG TARGETARCH".to_owned(),
            _ => format!("EXPOSE {}", 80 + number),
        }
    }

    fn copy(&mut self, files: &BTreeMap<String, Entry>) -> String {
        let mut sources: BTreeSet<&str> = BTreeSet::new();
        let is_there = |source: &str| {
            let path = source.trim_start_matches(['.', '/']).trim_end_matches('/');
            source.contains(['*', '['])
                || path.is_empty()
                || files.keys().any(|file| file == path || file.starts_with(&format!("{path}/")))
        };
        while sources.is_empty() {
            for _ in 0..1 + self.dice.roll(2) {
                let source = self.dice.pick(&SOURCES);
                if is_there(source) {
                    sources.insert(source);
                }
            }
        }
        let flag = match self.dice.roll(14) {
            0 => "--chown=1:2 ",
            1 => "--chmod=0755 ",
            2 => "--exclude=*.md ",
            3 => "--exclude=**/x ",
            4 => "--link ",
            _ => "",
        };
        let sources: Vec<&str> = sources.into_iter().collect();
        let keyword = if self.dice.one_in(8) { "ADD" } else { "COPY" };
        let mut dest = self.dice.pick(&DESTS);
        // A file where a folder is wanted later, or the other way round, is a failure of the copying and not of a key.
        if dest == "/t/x" && !(sources.len() == 1 && ["a", "b", "c.txt", "d/x"].contains(&sources[0])) {
            dest = "/t/";
        }
        format!("{keyword} {flag}{} {dest}", sources.join(" "))
    }

    /// Copies something that is surely there.
    fn copy_from(&mut self, stages: &[Stage]) -> String {
        let stage = &stages[self.dice.roll(stages.len())];
        let dest = self.dice.pick(&["/f/", "/o/", "./", "/o/k/"]);
        let from = if self.dice.one_in(5) {
            format!("{}", stages.iter().position(|other| other.name == stage.name).unwrap())
        } else {
            stage.name.clone()
        };
        let path = match self.dice.roll(6) {
            0 => "/",
            1 => "/o*",
            2 => "/[o]*",
            3 if !is_bare(stages, &stage.name) => "/etc/passwd",
            4 if !is_bare(stages, &stage.name) => "/salt",
            _ => match stage.lines.iter().rev().find_map(|line| line.split_once(" > /out/").map(|(_, path)| path)) {
                Some(path) => {
                    return format!("COPY --from={from} /out/{} {dest}", path.split([' ', ';']).next().unwrap());
                }
                None => "/[ow]",
            },
        };
        format!("COPY --from={from} {path} {dest}")
    }

    fn edit(&mut self, side: &mut Side, stages: &mut [Stage]) {
        let paths: Vec<String> = side.files.keys().cloned().collect();
        let path = paths[self.dice.roll(paths.len())].clone();
        match self.dice.roll(16) {
            0..=4 => self.edit_file(side, &path),
            5 => {
                side.files.remove(&path);
            }
            6 => {
                if let Some(entry) = side.files.remove(&path) {
                    side.files.insert(format!("{}2", path), entry);
                }
            }
            7 => {
                let dir = self.dice.pick(&["d", "src", "docs", "s/a", "new"]);
                let text = self.text();
                side.files.insert(format!("{dir}/n{}.c", self.dice.roll(3)), Entry::File(text, 0o644));
            }
            8 => {
                side.files.insert("d/empty".to_owned(), Entry::Dir);
            }
            9 => {
                let text = self.ignore();
                side.files.insert(".dockerignore".to_owned(), Entry::File(text, 0o644));
            }
            10 => side.options = self.options(),
            11 => side.dockerfile.push_str("# a comment\n"),
            _ => self.edit_stage(side, stages),
        }
    }

    fn edit_file(&mut self, side: &mut Side, path: &str) {
        let text = format!("{} more {}\n", self.dice.roll(4), self.salt);
        match side.files.get_mut(path) {
            Some(Entry::File(_, mode)) if self.dice.one_in(5) => *mode ^= 0o111,
            Some(Entry::File(old, _)) => *old = text,
            Some(Entry::Link(target)) => *target = "b".to_owned(),
            _ => {}
        }
    }

    fn edit_stage(&mut self, side: &Side, stages: &mut [Stage]) {
        let number = 1 + self.dice.roll(stages.len() - 1);
        let (above, here) = stages.split_at_mut(number);
        let is_bare = is_bare(above, &here[0].from);
        let lines = &mut here[0].lines;
        let at = self.dice.roll(lines.len().max(1));
        match self.dice.roll(5) {
            0 => lines.insert(at, self.line(above, is_bare, &side.files)),
            1 if lines.len() > 1 && !lines[at].contains("/out/") => {
                lines.remove(at);
            }
            2 if lines.len() > 1 => lines.swap(at, 0),
            3 => {
                if let Some(line) = lines.get_mut(at) {
                    *line = line.replace("echo 1", "echo  1").replace("V=1", "V=2").replace("/r2", "/r3");
                }
            }
            _ => lines.insert(at, self.metadata()),
        }
    }
}

/// Whether there is no shell in the stage.
fn is_bare(stages: &[Stage], name: &str) -> bool {
    match stages.iter().find(|stage| stage.name == name) {
        Some(stage) if stage.from == "scratch" => true,
        Some(stage) => is_bare(stages, &stage.from),
        None => name == "scratch",
    }
}

impl Side {
    /// Makes the folder hold these files and no others. What did not change is not touched.
    pub(crate) fn write(&self, dir: &Path) {
        let mut all = self.files.clone();
        all.insert("Dockerfile".to_owned(), Entry::File(self.dockerfile.clone(), 0o644));
        clear(dir, dir, &all);
        for (path, entry) in &all {
            let full = dir.join(path);
            fs::create_dir_all(full.parent().unwrap()).unwrap();
            match entry {
                Entry::Dir => fs::create_dir_all(&full).unwrap(),
                Entry::Link(target) => {
                    if fs::read_link(&full).ok().as_deref() != Some(Path::new(target)) {
                        let _ = fs::remove_file(&full);
                        symlink(target, &full).unwrap();
                    }
                }
                Entry::File(text, mode) => {
                    if fs::read_to_string(&full).ok().as_ref() != Some(text) {
                        fs::write(&full, text).unwrap();
                    }
                    fs::set_permissions(&full, fs::Permissions::from_mode(*mode)).unwrap();
                }
            }
        }
    }
}

/// Removes what is not to be there.
fn clear(root: &Path, dir: &Path, wanted: &BTreeMap<String, Entry>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.map(Result::unwrap) {
        let path = entry.path();
        let inside = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let is_dir = entry.file_type().unwrap().is_dir();
        let holds = wanted.keys().any(|path| path.starts_with(&format!("{inside}/")));
        match (is_dir, wanted.get(&inside)) {
            (true, Some(Entry::Dir)) => {}
            (true, None) if holds => clear(root, &path, wanted),
            (true, _) => fs::remove_dir_all(&path).unwrap(),
            (false, Some(Entry::File(..))) if entry.file_type().unwrap().is_file() => {}
            (false, Some(Entry::Link(_))) if entry.file_type().unwrap().is_symlink() => {}
            (false, _) => fs::remove_file(&path).unwrap(),
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = (&self.before, &self.after);
        writeln!(f, "---- before {:?}\n{}", before.options, before.dockerfile)?;
        writeln!(f, "---- after {:?}\n{}", after.options, after.dockerfile)?;
        let paths: BTreeSet<&String> = before.files.keys().chain(after.files.keys()).collect();
        for path in paths {
            let show = |entry: Option<&Entry>| match entry {
                None => "-".to_owned(),
                Some(Entry::Dir) => "folder".to_owned(),
                Some(Entry::Link(target)) => format!("-> {target}"),
                Some(Entry::File(text, mode)) => format!("{mode:o} {text:?}"),
            };
            let (one, two) = (before.files.get(path), after.files.get(path));
            let mark = if one == two { " " } else { "*" };
            writeln!(f, "{mark} {path}: {} {}", show(one), if one == two { String::new() } else { show(two) })?;
        }
        Ok(())
    }
}
