//! The same image, written by hand and checked when the crate is compiled.

/// A misspelt stage, a file that is not there or a port that is none would not compile.
pub(crate) const DECLARED: &str = dockerfile_macros::dockerfile! {
    stage build from "rust:1-slim-trixie" {
        workdir "/app";
        /// Dependencies first: they change less often than the sources.
        copy ["Cargo.toml", "Cargo.lock"] => "./";
        run "mkdir src && echo 'fn main() {}' > src/main.rs && cargo build --release --locked" {
            cache: ["/usr/local/cargo/registry"],
            seconds: 60,
        };
        copy "src" => "./src/";
        run "touch src/main.rs && cargo build --release --locked" { cache: ["/usr/local/cargo/registry"] };
    }

    stage declared from "gcr.io/distroless/cc-debian13:nonroot" {
        copy "/app/target/release/declared" from build => "/usr/local/bin/" { link: true };
        user "65532:65532";
        expose 8080;
        entrypoint ["/usr/local/bin/declared"];
    }
};
