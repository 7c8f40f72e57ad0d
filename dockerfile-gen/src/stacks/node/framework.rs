//! The framework that decides what a build makes and how it is served.
//!
//! Input: dependencies and configuration files. Output: [`Framework`]. The one idea: each framework has one place where it
//! says whether its output is static files or a server, and that place is read.

use super::manifest::Manifest;
use super::source;
use crate::facts::Notes;
use crate::tree::Tree;
use crate::tree::within;

/// A framework, as far as it matters for the image.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
#[non_exhaustive]
pub(crate) enum Framework {
    /// Next.js as a server; standalone output carries its own modules.
    Next {
        /// Whether `output: 'standalone'` is set.
        standalone: bool,
    },
    /// Nuxt 3 and later, whose `.output` carries its own modules.
    Nuxt,
    /// TanStack Start, SolidStart, Analog and others that write Nitro's `.output`.
    Nitro,
    /// React Router 7 as a server.
    ReactRouter,
    /// Remix 2 and its server.
    Remix,
    /// SvelteKit as a server.
    SvelteKit {
        /// Whether it is built for Node.
        node: bool,
    },
    /// Astro with the Node adapter.
    Astro,
    /// NestJS.
    Nest,
    /// Static files in a folder, relative to the package.
    Static {
        /// Such as `dist`.
        dir: String,
        /// Whether every path that is no file is the page of a single-page application.
        fallback: bool,
        /// What makes them, for messages.
        by: String,
    },
    /// A server that the project wrote itself.
    Server,
}

/// Server libraries: a package that depends on one is a service.
pub(crate) const SERVERS: [&str; 24] = [
    "express",
    "fastify",
    "koa",
    "hono",
    "@hono/node-server",
    "@hapi/hapi",
    "restify",
    "polka",
    "h3",
    "socket.io",
    "ws",
    "@nestjs/core",
    "@adonisjs/core",
    "sails",
    "@feathersjs/feathers",
    "@strapi/strapi",
    "apollo-server",
    "@apollo/server",
    "graphql-yoga",
    "moleculer",
    "elysia",
    "@trpc/server",
    "micro",
    "json-server",
];

/// Reads the framework of a package. `serves` says whether the package's own start script is a server.
pub(crate) fn detect(tree: &dyn Tree, package: &Manifest, serves: bool, notes: &mut Notes) -> Framework {
    let config = |stem: &str| config(tree, package, stem);
    let has = |name: &str| package.any_dependency(name).is_some();
    let spa = |dir: &str, by: &str| Framework::Static { dir: dir.into(), fallback: true, by: by.into() };
    let site = |dir: &str, by: &str| Framework::Static { dir: dir.into(), fallback: false, by: by.into() };
    let say = |notes: &mut Notes, name: &str, what: &str| notes.found(&package.path, package.line(name), what);
    if has("next") {
        let (path, text) = config("next.config");
        let output = source::setting(&text, "output");
        let dist = source::setting(&text, "distDir");
        if dist.is_some() && output.is_none() {
            notes.warn(format!("{path}: `distDir` is not followed; the image expects `.next`"));
        }
        return match output.as_deref() {
            Some("export") => {
                notes.found(path, None, "Next.js, exported as static files");
                site(dist.as_deref().unwrap_or("out"), "Next.js")
            }
            Some("standalone") => {
                notes.found(path, None, "Next.js with standalone output");
                Framework::Next { standalone: true }
            }
            _ => {
                say(notes, "next", "Next.js without standalone output");
                Framework::Next { standalone: false }
            }
        };
    }
    if has("nuxt") || has("nuxt3") {
        let generates = package.script("build").is_some_and(|script| script.contains("generate"));
        say(notes, "nuxt", "Nuxt");
        return if generates { site(".output/public", "Nuxt") } else { Framework::Nuxt };
    }
    if has("@react-router/dev") || has("@remix-run/dev") {
        let (path, text) = config("react-router.config");
        let static_only =
            compact(&text).contains("ssr:false") || compact(&config("vite.config").1).contains("ssr:false");
        if static_only {
            notes.found(path, None, "React Router without server rendering: static files");
            return spa("build/client", "React Router");
        }
        if !serves || package.dependency("@react-router/serve").or(package.dependency("@remix-run/serve")).is_some() {
            let router = has("@react-router/dev");
            say(notes, if router { "@react-router/dev" } else { "@remix-run/dev" }, "a React Router or Remix server");
            return if router { Framework::ReactRouter } else { Framework::Remix };
        }
        return Framework::Server;
    }
    if has("@sveltejs/kit") {
        return svelte(tree, package, notes);
    }
    if has("astro") {
        let text = config("astro.config").1;
        if has("@astrojs/node") && !compact(&text).contains("output:'static'") {
            say(notes, "@astrojs/node", "Astro with the Node adapter");
            return Framework::Astro;
        }
        say(notes, "astro", "Astro, which writes static files");
        let dir = source::setting(&text, "outDir").and_then(|dir| relative(&dir));
        return site(dir.as_deref().unwrap_or("dist"), "Astro");
    }
    if ["@tanstack/react-start", "@tanstack/solid-start", "@solidjs/start", "vinxi", "nitropack", "nitro"]
        .iter()
        .any(|name| has(name))
        && package.script("build").is_some()
    {
        say(notes, "scripts", "a server built by Nitro");
        return Framework::Nitro;
    }
    if has("@nestjs/core") {
        say(notes, "@nestjs/core", "NestJS");
        return Framework::Nest;
    }
    if serves || package.script("build").is_none() {
        return Framework::Server;
    }
    client(tree, package, notes).unwrap_or(Framework::Server)
}

/// The folder that a browser program or a site is built into.
pub(crate) fn client(tree: &dyn Tree, package: &Manifest, notes: &mut Notes) -> Option<Framework> {
    let has = |name: &str| package.any_dependency(name).is_some();
    let made =
        |dir: &str, fallback: bool, by: &str| Some(Framework::Static { dir: dir.into(), fallback, by: by.into() });
    let say = |notes: &mut Notes, name: &str, what: &str| notes.found(&package.path, package.line(name), what);
    if has("react-scripts") || has("@craco/craco") {
        say(notes, "react-scripts", "Create React App, static files in build");
        return made("build", true, "Create React App");
    }
    if has("@angular/core") && has("@angular/cli") {
        let dir = angular(tree, package);
        say(notes, "@angular/core", &format!("Angular, static files in {dir}"));
        return made(&dir, true, "Angular");
    }
    for (name, dir, by) in [
        ("vitepress", ".vitepress/dist", "VitePress"),
        ("@docusaurus/core", "build", "Docusaurus"),
        ("gatsby", "public", "Gatsby"),
        ("@11ty/eleventy", "_site", "Eleventy"),
    ] {
        if has(name) {
            say(notes, name, &format!("{by}, static files in {dir}"));
            return made(dir, false, by);
        }
    }
    if has("@vue/cli-service") {
        let text = config(tree, package, "vue.config").1;
        let dir = source::setting(&text, "outputDir").and_then(|dir| relative(&dir)).unwrap_or_else(|| "dist".into());
        say(notes, "@vue/cli-service", &format!("Vue CLI, static files in {dir}"));
        return made(&dir, true, "Vue CLI");
    }
    let builds =
        |tool: &str| package.scripts().any(|name| package.script(name).is_some_and(|text| text.contains(tool)));
    if has("vite") || has("rolldown-vite") || has("@rsbuild/core") || has("parcel") && builds("parcel build") {
        let by = if has("@rsbuild/core") {
            "Rsbuild"
        } else if has("parcel") {
            "Parcel"
        } else {
            "Vite"
        };
        let dir = vite_output(tree, package);
        say(notes, if by == "Vite" { "vite" } else { "scripts" }, &format!("{by}, static files in {dir}"));
        return made(&dir, true, by);
    }
    if has("webpack") && (tree.has_dir(&within(&package.dir, "public")) || has("html-webpack-plugin")) {
        say(notes, "webpack", "webpack, static files in dist");
        return made("dist", true, "webpack");
    }
    None
}

/// The folder that Vite writes: of the build script's `--outDir`, else of the configuration.
pub(crate) fn vite_output(tree: &dyn Tree, package: &Manifest) -> String {
    let script = package.script("build").unwrap_or_default();
    let mut words = script.split_whitespace();
    while let Some(word) = words.next() {
        let named = word.strip_prefix("--outDir=").or_else(|| (word == "--outDir").then(|| words.next()).flatten());
        if let Some(dir) = named.and_then(relative) {
            return dir;
        }
    }
    let text = config(tree, package, "vite.config").1;
    source::setting(&text, "outDir").and_then(|dir| relative(&dir)).unwrap_or_else(|| "dist".into())
}

/// A folder as a clean path; `../` in front is kept, because a front end may build into its server's folder.
fn relative(dir: &str) -> Option<String> {
    let dir = dir.trim_start_matches("./").trim_end_matches('/');
    (!dir.is_empty() && !dir.starts_with('/') && dir != "..").then(|| dir.to_owned())
}

fn angular(tree: &dyn Tree, package: &Manifest) -> String {
    let text = tree.scan(&within(&package.dir, "angular.json"));
    let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let projects = json.get("projects").and_then(|projects| projects.as_object());
    let named = json.get("defaultProject").and_then(|name| name.as_str());
    let project = projects.and_then(|all| match named {
        Some(name) => all.get_key_value(name),
        None => all.iter().find(|(_, project)| project.get("projectType").is_none_or(|kind| kind == "application")),
    });
    let Some((name, project)) = project else { return "dist".into() };
    let build = project.get("architect").or_else(|| project.get("targets")).and_then(|targets| targets.get("build"));
    let path = build.and_then(|build| build.get("options")?.get("outputPath"));
    let base = path
        .and_then(|path| path.as_str().or_else(|| path.get("base")?.as_str()))
        .and_then(relative)
        .unwrap_or_else(|| format!("dist/{name}"));
    let builder = build.and_then(|build| build.get("builder")?.as_str()).unwrap_or_default();
    // The builders since Angular 17 put what a browser gets into a folder of its own.
    let own = builder.ends_with(":application") && !path.is_some_and(|path| path.get("browser") == Some(&"".into()));
    if own { format!("{base}/browser") } else { base }
}

fn svelte(tree: &dyn Tree, package: &Manifest, notes: &mut Notes) -> Framework {
    let (path, text) = config(tree, package, "svelte.config");
    let used = |adapter: &str| text.contains(adapter) && package.any_dependency(adapter).is_some();
    if used("@sveltejs/adapter-static") {
        notes.found(path, None, "SvelteKit with the static adapter");
        let fallback = text.contains("fallback");
        return Framework::Static { dir: "build".into(), fallback, by: "SvelteKit".into() };
    }
    let node = used("@sveltejs/adapter-node");
    if node {
        notes.found(path, None, "SvelteKit with the Node adapter");
    }
    Framework::SvelteKit { node }
}

/// The path and the text of a configuration file, whatever its ending.
pub(crate) fn config(tree: &dyn Tree, package: &Manifest, stem: &str) -> (String, String) {
    for ending in ["ts", "js", "mjs", "cjs", "mts"] {
        let path = within(&package.dir, &format!("{stem}.{ending}"));
        if tree.has(&path) {
            let text = tree.scan(&path);
            return (path, text);
        }
    }
    (package.path.clone(), String::new())
}

/// Text without space, with one kind of quote.
fn compact(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).map(|c| if c == '"' { '\'' } else { c }).collect()
}
