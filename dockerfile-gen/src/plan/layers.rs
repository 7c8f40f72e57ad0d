//! What a build costs and why it reruns: the one joint between our plan and any Dockerfile.
//!
//! Input: a [`Plan`]. Output: [`Layers`]. The one idea: ordering, linting and simulation need four things of a
//! step (inputs, cost, change rate, needs) and nothing else, so they see nothing else.

use crate::config::Config;
use crate::plan::{Base, Input, Plan, Stage};

/// One step, as ordering and simulation see it.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Layer {
    /// The step's name.
    pub id: String,
    /// What it reads.
    pub inputs: Vec<Input>,
    /// Seconds that it takes when it runs.
    pub cost: f64,
    /// Probability that a commit changes what it reads.
    pub change: f64,
    /// Positions, in the same stage, of what must come before it.
    pub needs: Vec<usize>,
}

/// The layers of one stage.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct StageLayers {
    /// The stage's name.
    pub name: String,
    /// What it starts from.
    pub base: Base,
    /// Its layers, in order.
    pub layers: Vec<Layer>,
}

/// The layers of a Dockerfile, stage by stage.
pub type Layers = Vec<StageLayers>;

impl Plan {
    /// What the plan costs and why it reruns.
    pub fn layers(&self, config: &Config) -> Layers {
        self.stages.iter().map(|stage| stage_layers(stage, config)).collect()
    }
}

fn stage_layers(stage: &Stage, config: &Config) -> StageLayers {
    let position = |id: &String| stage.steps.iter().position(|step| step.id == *id);
    let layers = stage
        .steps
        .iter()
        .map(|step| {
            let (prior, class) = step.change.prior();
            let by_path = step.reads.iter().find_map(|read| match read {
                Input::Context(path) => config.rates.get(path),
                Input::Stage { .. } | Input::Image { .. } => None,
            });
            let change = by_path.or_else(|| config.rates.get(class)).copied().unwrap_or(prior);
            let needs = step.needs.iter().flatten().filter_map(position).collect();
            Layer { id: step.id.clone(), inputs: step.reads.clone(), cost: step.seconds, change, needs }
        })
        .collect();
    StageLayers { name: stage.name.clone(), base: stage.base.clone(), layers }
}
