//! What metadata instructions leave behind for the instructions below.
//!
//! Input: one instruction after the other. Output: [`State`]. The one idea: BuildKit keeps the variables twice, those
//! in force (which `ARG` changes too, and whose order is part of every `RUN`'s key) and those of the image; a stage
//! built on a stage starts with the former and then sets the latter once more.

use crate::model::context::go_path::clean;

/// The variables, the directory, the user and the shell in force.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// The variables in force, in the order of their last assignments.
    pub(super) env: Vec<(String, String)>,
    /// The variables of the image, in the order of their first assignments.
    pub(super) image_env: Vec<(String, String)>,
    /// The working directory as it was spelled; `""` is the root.
    pub(super) cwd: String,
    /// The user; `""` for none.
    pub(super) user: String,
    /// The shell; `None` for the default.
    pub(super) shell: Option<Vec<String>>,
}

const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl State {
    /// What a stage starts with that is built on what this is the state of.
    pub(super) fn enter(&mut self) {
        if !self.image_env.iter().any(|(name, _)| name == "PATH") {
            self.image_env.push(("PATH".to_owned(), DEFAULT_PATH.to_owned()));
        }
        for (name, value) in self.image_env.clone() {
            self.assign(&name, &value);
        }
    }

    /// A variable in force.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.env.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    /// Sets a variable for what follows in this build, as `ARG` does.
    pub(super) fn assign(&mut self, name: &str, value: &str) {
        self.env.retain(|(key, _)| key != name);
        self.env.push((name.to_owned(), value.to_owned()));
    }

    /// Sets a variable of the image, as `ENV` does.
    pub(super) fn set_env(&mut self, name: &str, value: &str) {
        self.assign(name, value);
        match self.image_env.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.image_env.push((name.to_owned(), value.to_owned())),
        }
    }

    /// The working directory, `/` for none.
    pub(super) fn dir(&self) -> &str {
        if self.cwd.is_empty() { "/" } else { &self.cwd }
    }

    /// `WORKDIR path`.
    pub(super) fn enter_dir(&mut self, path: &str) {
        self.cwd = match path {
            "" => self.dir().to_owned(),
            path if path.starts_with('/') => path.to_owned(),
            path => clean(&format!("/{}/{path}", self.dir())),
        };
    }

    /// Where `path`, the destination of a `COPY`, lies; a final slash or `/.` stays.
    pub(super) fn dest(&self, path: &str) -> String {
        let path = if matches!(path, "." | "") { "./" } else { path };
        let mut dest = match path.starts_with('/') {
            true => clean(path),
            false => clean(&format!("/{}/{path}", self.dir())),
        };
        if path.ends_with('/') && !dest.ends_with('/') {
            dest.push('/');
        } else if path.ends_with("/.") {
            dest.push_str(if dest == "/" { "." } else { "/." });
        }
        dest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(env: &[(String, String)]) -> Vec<String> {
        env.iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    #[test]
    fn a_variable_stands_where_it_was_last_assigned() {
        let mut state = State::default();
        for (name, value) in [("A", "1"), ("B", "2"), ("A", "3")] {
            state.set_env(name, value);
        }
        assert_eq!(pairs(&state.env), ["B=2", "A=3"]);
        assert_eq!(pairs(&state.image_env), ["A=3", "B=2"]);
    }

    #[test]
    fn a_stage_on_a_stage_sets_the_variables_of_its_image_again() {
        let mut state = State::default();
        state.enter();
        state.set_env("A", "1");
        state.assign("X", "x");
        state.assign("A", "2");
        state.enter();
        assert_eq!(pairs(&state.env)[0], "X=x");
        assert_eq!(state.get("A").as_deref(), Some("1"));
    }

    #[test]
    fn destinations_are_resolved() {
        let mut state = State::default();
        assert_eq!((state.dest("."), state.dest("a")), ("/".to_owned(), "/a".to_owned()));
        state.enter_dir("/w");
        state.enter_dir("b/../c/");
        assert_eq!(state.dir(), "/w/c");
        for (path, dest) in [(".", "/w/c/"), ("./x", "/w/c/x"), ("x/", "/w/c/x/"), ("/y//z", "/y/z"), ("/y/.", "/y/.")]
        {
            assert_eq!(state.dest(path), dest);
        }
    }
}
