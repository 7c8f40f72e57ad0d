//! Scripts, console scripts and modules.
//!
//! Input: a [`Scene`] without an application object. Output: [`Start`]. The one idea: a script is run as its author runs it.

use crate::error::Result;
use crate::facts::Notes;
use crate::facts::slug;
use crate::tree::RelPath;

use super::super::sources::{Source, line_with};
use super::super::target::target;
use super::ports::{last_number, port_of};
use super::{Scene, Start, words};

impl Scene<'_> {
    pub(super) fn streamlit(&self, notes: &mut Notes) -> Result<Option<Start>> {
        if !self.deps.has("streamlit") {
            return Ok(None);
        }
        let imports = |source: &&Source| {
            let text = &source.text;
            line_with(text, &["import streamlit", "from streamlit"]).is_some()
                && !source.path.as_str().contains("pages/")
        };
        let usual = ["streamlit_app.py", "app.py", "main.py", "Home.py", "home.py", "Hello.py"];
        let rank = |source: &&Source| {
            let name = source.path.file_name();
            let depth = source.path.as_str().matches('/').count();
            (depth, usual.iter().position(|usual| *usual == name).unwrap_or(usual.len()))
        };
        let Some(source) = self.sources.files.iter().filter(imports).min_by_key(rank) else { return Ok(None) };
        let config = self.tree.scan(&self.at(".streamlit/config.toml"));
        let found = config.lines().find_map(|line| line.trim().strip_prefix("port")?.trim_start().strip_prefix('='));
        let port = self.port(found.and_then(last_number), 8501);
        let file = source.path.as_str();
        notes.found(
            self.at(file),
            line_with(&source.text, &["import streamlit", "from streamlit"]),
            "a Streamlit script",
        );
        Ok(Some(Start {
            framework: Some("Streamlit".into()),
            command: words(&[
                "streamlit",
                "run",
                file,
                "--server.address=0.0.0.0",
                &format!("--server.port={port}"),
                "--server.headless=true",
                "--browser.gatherUsageStats=false",
            ]),
            port: Some(port),
            health: Some("/_stcore/health".into()),
            ..Start::default()
        }))
    }

    /// The console script that is the only one, is called as the project, or like a server.
    pub(super) fn script_of_project(&self, notes: &mut Notes) -> Option<Start> {
        let like_server =
            |name: &str| ["serve", "server", "start", "web", "api"].iter().any(|word| name.ends_with(word));
        let own = self.scripts.iter().find(|(name, _)| slug(name) == slug(self.name));
        let serving = self.scripts.iter().find(|(name, _)| like_server(name));
        let only = self.scripts.first().filter(|_| self.scripts.len() == 1);
        let (name, target) = serving.or(own).or(only)?;
        let pyproject = self.pyproject?;
        notes.found(&pyproject.path, pyproject.line(name), format!("the console script `{name}` is `{target}`"));
        let others: Vec<&str> =
            self.scripts.iter().map(|(name, _)| name.as_str()).filter(|other| other != name).collect();
        if !others.is_empty() {
            notes.warn(format!("the image runs `{name}`; `bin` chooses another script: {}", others.join(", ")));
        }
        let module = target.split(':').next().unwrap_or_default().replace('.', "/");
        let files = [
            format!("{module}.py"),
            format!("src/{module}.py"),
            format!("{module}/__init__.py"),
            format!("src/{module}/__init__.py"),
        ];
        let source = files.iter().find_map(|file| self.sources.get(file));
        let port = source.and_then(|source| port_of(&source.text));
        Some(Start { command: words(&[name]), port: self.config.port.or(port), own_script: true, ..Start::default() })
    }

    /// A package with `__main__`, or a script.
    pub(super) fn plain_script(&self, notes: &mut Notes) -> Option<Start> {
        let usual =
            ["main.py", "app.py", "server.py", "run.py", "bot.py", "start.py", "index.py", "__main__.py", "cli.py"];
        let same = |source: &Source| source.path.file_name() == format!("{}.py", self.name.replace('-', "_"));
        let is_script = |source: &&Source| {
            let name = source.path.file_name();
            let runs = source.text.contains("__main__") || source.path.parent().is_empty() || name == "__main__.py";
            // Further down lie the scripts of other services.
            let deepest = if name == "__main__.py" { 2 } else { 1 };
            runs && (usual.contains(&name) || same(source)) && source.path.as_str().matches('/').count() <= deepest
        };
        let rank = |source: &&Source| {
            let name = source.path.file_name();
            (source.path.as_str().matches('/').count(), usual.iter().position(|usual| *usual == name).unwrap_or(0))
        };
        let mut at_top = self
            .sources
            .files
            .iter()
            .filter(|source| source.path.parent().is_empty() && source.path.file_name() != "setup.py");
        let only = at_top.next().filter(|_| at_top.next().is_none());
        let source = self.sources.files.iter().filter(is_script).min_by_key(rank).or(only)?;
        let mut start = self.file(source.path.as_str());
        if self.deps.has("gradio") && self.sources.find(&["import gradio"], |_| true).is_some() {
            start.framework = Some("Gradio".into());
            start.port = Some(self.port(port_of(&source.text), 7860));
            start.env.insert("GRADIO_SERVER_NAME".into(), "0.0.0.0".into());
        }
        self.say_local(source, notes);
        notes.found(self.at(source.path.as_str()), None, "the script that the image runs");
        Some(start)
    }

    /// Runs a file, as a module where it is a package's `__main__`.
    pub(super) fn file(&self, path: &str) -> Start {
        let source = self.sources.get(path);
        let port = self.config.port.or_else(|| port_of(&source?.text));
        if let (Some(source), true) = (source, path.ends_with("/__main__.py"))
            && let Some(module) = target(self.tree, self.dir, source)
        {
            let package = module.module.trim_end_matches(".__main__").to_owned();
            let python_path = Some(module.root).filter(|root| !root.as_str().is_empty());
            return Start { command: words(&["python", "-m", &package]), port, python_path, ..Start::default() };
        }
        // A script's own folder is on its path; what it imports from the top is not.
        let from_top = source.is_some_and(|source| {
            target(self.tree, self.dir, source).is_some_and(|found| found.root.as_str() != source.path.parent())
        });
        let python_path = (from_top && path.contains('/')).then(RelPath::default);
        Start { command: words(&["python", path]), port, python_path, ..Start::default() }
    }

    pub(super) fn say_local(&self, source: &Source, notes: &mut Notes) {
        let local = ["host=\"127.0.0.1\"", "host='127.0.0.1'", "host=\"localhost\"", "host='localhost'"];
        if let Some(line) = line_with(&source.text, &local) {
            let path = self.at(source.path.as_str());
            notes.warn(format!(
                "{path}:{line} listens on the container's own address only, so no port can be published: use 0.0.0.0"
            ));
        }
    }
}
