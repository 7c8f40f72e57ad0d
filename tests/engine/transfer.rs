//! What moves between machines: layers in a push, and layers in a cache.

use std::fs;

use crate::harness::{Project, dependencies_cached, run};
use crate::laws::SOURCES;
use crate::need::skipped;

/// Law 5: what a push moves after a source edit are the application's own layers.
#[test]
#[ignore = "needs a docker engine"]
fn a_source_edit_moves_the_application_alone() {
    for (example, source, comment) in SOURCES {
        let project = Project::example(example);
        project.generate();
        project.build(&[]);
        let before = project.layers();
        project.append(source, comment);
        project.build(&[]);
        let after = project.layers();
        assert_eq!(before.len(), after.len(), "{example}");
        let first = before.iter().zip(&after).position(|(before, after)| before != after).unwrap_or(before.len());
        // Django's static files are collected from the sources.
        let own = if example == "django-pipfile" { 2 } else { 1 };
        assert!(before.len() - first <= own, "{example}: {} of {} layers moved", before.len() - first, before.len());
    }
}

/// A builder that has nothing but a layer cache, as in CI: it takes the dependencies from there.
#[test]
#[ignore = "needs a docker engine"]
fn the_dependencies_come_from_a_layer_cache_on_a_fresh_builder() {
    if std::env::var_os("ENGINE_MAY_PRUNE").is_none() {
        skipped("set ENGINE_MAY_PRUNE=1 where the engine's build cache may be emptied");
        return;
    }
    // One language each: all that is built before has to be built again afterwards.
    let chosen = SOURCES.into_iter().filter(|(example, ..)| !["vite-pnpm", "django-pipfile"].contains(example));
    let projects: Vec<(Project, &str, &str)> =
        chosen.map(|(example, source, comment)| (Project::example(example), source, comment)).collect();
    let cache = |project: &Project| project.root.with_extension("cache");
    for (project, ..) in &projects {
        project.generate();
        project.build(&["--cache-to", &format!("type=local,dest={},mode=max", cache(project).display())]);
    }
    run("docker", &["builder", "prune", "-af"]);
    for (project, source, comment) in &projects {
        project.append(source, comment);
        let (steps, log) =
            project.build_log(&["--cache-from", &format!("type=local,src={}", cache(project).display())]);
        fs::remove_dir_all(cache(project)).unwrap();
        dependencies_cached(&steps, "a build on a fresh builder");
        let compiled: Vec<&str> = log.lines().filter_map(|line| Some(line.split_once(" Compiling ")?.1)).collect();
        assert!(compiled.iter().all(|name| name.starts_with("shop-")), "{compiled:#?}");
    }
    // The engine now has two results for the same steps, and other tests compare digests.
    run("docker", &["builder", "prune", "-af"]);
}
