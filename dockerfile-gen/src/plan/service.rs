//! The end of every final stage: what the container runs, as whom, and what it tells the world.
//!
//! Input: a [`Service`]. Output: the steps of a final stage that move no bytes. The one idea: metadata rebuilds
//! nothing that comes before it, so it stands last, and every stack ends the same way.

use std::collections::BTreeMap;

use super::{Stage, Step};
use crate::config::Config;

/// What a final image runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Service {
    /// The program; empty where `command` alone is run.
    pub entrypoint: Vec<String>,
    /// Its default arguments, or the whole command.
    pub command: Vec<String>,
    /// The port that it listens on.
    pub port: Option<u16>,
    /// The path of its health endpoint.
    pub health: Option<String>,
    /// Program and first arguments of a probe that takes a URL as its last argument, where the image has one.
    pub probe: Vec<String>,
    /// `USER` of the image.
    pub user: String,
    /// What labels say, from the manifest.
    pub labels: BTreeMap<String, String>,
}

/// Ends `stage` with `USER`, `EXPOSE`, `HEALTHCHECK`, `ENTRYPOINT`, `CMD` and `LABEL`, in this order;
/// what the configuration says wins.
pub fn finish(stage: &mut Stage, service: &Service, config: &Config) {
    stage.push(Step::user(config.user.as_deref().unwrap_or(&service.user)).why("not root"));
    let port = config.port.or(service.port);
    stage.maybe(port.map(Step::expose));
    let health = config.health.as_ref().or(service.health.as_ref());
    if let (Some(path), Some(port), false) = (health, port, service.probe.is_empty()) {
        let url = format!("http://127.0.0.1:{port}{path}");
        let argv = service.probe.iter().map(|word| word.replace("{url}", &url));
        stage.push(Step::healthcheck(argv).why("the project has a health endpoint"));
    }
    match &config.command {
        Some(command) => {
            stage.push(Step::cmd(command.iter().cloned()).why("from the configuration"));
        }
        None => {
            if !service.entrypoint.is_empty() {
                stage.push(Step::entrypoint(service.entrypoint.iter().cloned()));
            }
            if !service.command.is_empty() {
                stage.push(Step::cmd(service.command.iter().cloned()));
            }
        }
    }
    let mut labels = service.labels.clone();
    labels.extend(config.labels.clone());
    if !labels.is_empty() {
        stage.push(Step::label(labels).why("labels last: changing them rebuilds nothing"));
    }
}
