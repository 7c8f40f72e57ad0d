//! Compile-time Dockerfiles.
//!
//! - [`dockerfile!`] gives the text that `cargo dockerfile` would write, or the text of an image that you declare.
//! - [`dockerignore!`] gives the .dockerignore that goes with it.
//! - [`check_dockerfile!`] makes a stale committed file a compile error.
//!
//! None of them writes a file. Each is expanded again when a file changes that it read; a file that was not there
//! cannot be waited for, so a first `dockerfile.toml` is noticed when the crate is next compiled.
//!
//! # Options
//! The first two take the options that `dockerfile.toml` has, under the same names with `_` for `-`, and `folder`, the
//! project's folder seen from the package's own; without it, it is the folder of the workspace.
//!
//! ```
//! const IMAGE: &str = dockerfile_macros::dockerfile! {
//! #   folder: "../examples/axum-workspace",
//!     stack: rust,
//!     bin: "shop-server",
//!     port: 8080,
//!     packages: ["libpq5"],
//!     env: { RUST_LOG: "info" },
//! };
//! # fn main() {
//! assert!(IMAGE.contains("libpq5") && IMAGE.contains("EXPOSE 8080\n"));
//! # }
//! ```
//!
//! # Declaring an image
//! Instead of options, [`dockerfile!`] takes stages. What a build would only find out after minutes is found when the
//! crate is compiled: a stage that is not there, a source that the build context does not have (or that the
//! .dockerignore leaves out), a port or user that is none. Sources that are copied before the dependencies are
//! installed are a warning that says what they cost.
//!
//! ```
//! const IMAGE: &str = dockerfile_macros::dockerfile! {
//! #   folder "../examples/macro";
//!     stage build from "rust:1.95-slim-trixie" {
//!         workdir "/src";
//!         /// Changes seldom, so it stands above the sources.
//!         copy ["Cargo.toml"] => "./";
//!         run "cargo fetch" { cache: ["/usr/local/cargo/registry"], seconds: 20 };
//!         copy "src" => "./src/";
//!         run "cargo build --release" { cache: ["/usr/local/cargo/registry"] };
//!     }
//!     stage server from "gcr.io/distroless/cc-debian13:nonroot" {
//!         copy "/src/target/release/server" from build => "/usr/local/bin/" { link: true };
//!         user "65532:65532";
//!         expose 8080;
//!         entrypoint ["/usr/local/bin/server"];
//!     }
//! };
//! # fn main() {
//! assert!(IMAGE.contains("COPY --link --from=build /src/target/release/server /usr/local/bin/\n"));
//! # }
//! ```
//!
//! | step | |
//! |---|---|
//! | `copy "a" => "dest/";` `copy ["a", "b"] => "dest/";` | from the build context; `{ link: true, owner: "1:1" }` may follow |
//! | `copy "/a" from build => "dest";` | from a stage above (a name) or an image (a string) |
//! | `run "command" { … };` | `cache: ["/path"]`, `locked: true`, `secret: { id: "/path" }`, `secret_env: { id: "NAME" }`, `ssh: true`, `bind: { "source": "/path" }`, `seconds: 60`, all optional |
//! | `arg NAME;` `arg NAME = "default";` `env { NAME: "value" }` | |
//! | `workdir "/path";` `user "1:1";` `expose 8080;` `stopsignal "SIGQUIT";` | |
//! | `entrypoint ["…"];` `cmd ["…"];` `healthcheck ["…"];` `label { "key": "value" }` | |
//! | `independent { … }` | its steps do not need each other: they are put into the order that costs least; `{ …; … }` inside keeps a chain together |
//!
//! All other steps stay in the order in which they were written. A `///` comment above a stage or a step becomes a
//! comment of the Dockerfile. `folder "..";` before the first stage names the folder of the build context.

mod args;
mod declare;
mod expand;
mod project;
mod tokens;
mod value;

use dockerfile_gen::build_script::Place;
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{ParseStream, Parser};

use args::Options;

/// The text of a Dockerfile: the one that `cargo dockerfile` writes for these options, or one that is declared here.
///
/// See the [crate's documentation](crate) for both forms.
#[proc_macro]
pub fn dockerfile(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let place = proc_macro::Span::call_site().file();
    finish(
        |input| if declare::is_declaration(input) { declare::expand(input, &place) } else { text(input, "Dockerfile") },
        tokens,
    )
}

/// The text of the .dockerignore that `cargo dockerfile` writes for these options.
///
/// ```
/// const IGNORE: &str = dockerfile_macros::dockerignore! {
/// #   folder: "../examples/go-modules",
///     ignore: ["data"],
/// };
/// # fn main() {
/// assert!(IGNORE.contains("\ndata\n"));
/// # }
/// ```
#[proc_macro]
pub fn dockerignore(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    finish(|input| text(input, ".dockerignore"), tokens)
}

/// A compile error with the difference and the command to run, if the committed Dockerfile or .dockerignore is not what
/// `cargo dockerfile` writes for these options.
///
/// Where nobody could act on it (inside `docker build`, in a package from a registry, on docs.rs) and with
/// `DOCKERFILE_GEN=off` in the environment, it checks nothing.
///
/// ```ignore
/// dockerfile_macros::check_dockerfile!();
/// ```
#[proc_macro]
pub fn check_dockerfile(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    finish(check, tokens)
}

fn finish(
    expand: impl FnOnce(ParseStream<'_>) -> syn::Result<TokenStream>,
    tokens: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    expand.parse(tokens).unwrap_or_else(syn::Error::into_compile_error).into()
}

fn text(input: ParseStream<'_>, name: &str) -> syn::Result<TokenStream> {
    let options: Options = input.parse()?;
    let (_, generated, beside) = project::generate(&options)?;
    Ok(beside.text(project::text(&generated.files, name)))
}

fn check(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let options: Options = input.parse()?;
    // Read by the compiler as well, so that cargo compiles again when the variable changes.
    let switch = quote! { const _: ::core::option::Option<&str> = ::core::option_env!("DOCKERFILE_GEN"); };
    let is_off = std::env::var("DOCKERFILE_GEN").is_ok_and(|value| matches!(value.as_str(), "off" | "0" | "false"));
    let folder = options.folder.as_ref().map(|folder| folder.path.as_path());
    if is_off || !matches!(Place::of(project::package()?, folder), Place::Checkout(_)) {
        return Ok(switch);
    }
    let (root, generated, mut beside) = project::generate(&options)?;
    beside.files.extend(project::check(&root, &generated.files, &options)?);
    let items = beside.items();
    Ok(quote! { #switch #items })
}
