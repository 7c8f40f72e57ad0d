//! Go: everything at once, and Docker's guide.

use crate::facts::GoProject;

pub(super) fn files(go: &GoProject) -> Vec<(&'static str, String)> {
    let cgo = u8::from(go.cgo);
    let dir = if go.dir.is_empty() { String::new() } else { format!("/{}", go.dir) };
    let main = go.mains[0].dir.strip_prefix(&go.dir).unwrap_or_default().trim_start_matches('/');
    let base = format!(
        "# syntax=docker/dockerfile:1\nFROM golang:{}-trixie AS build\nWORKDIR /src\nENV CGO_ENABLED={cgo}\n",
        go.version
    );
    let image = if go.cgo { "gcr.io/distroless/base-debian13" } else { "gcr.io/distroless/static-debian13" };
    let end = format!("FROM {image}\nCOPY --from=build /out /app\nENTRYPOINT [\"/app\"]\n");
    let build = format!("go build -C /src{dir} -o /out ./{main}");
    let prefix = dir.trim_start_matches('/').to_owned() + if dir.is_empty() { "" } else { "/" };
    vec![
        ("copy", format!("{base}COPY . .\nRUN {build}\n{end}")),
        (
            // Docker's guide for Go, with both caches mounted.
            "guide",
            format!(
                "{base}COPY {prefix}go.mod {prefix}go.sum* ./{prefix}\nRUN --mount=type=cache,target=/go/pkg/mod \
                 go -C /src{dir} mod download\nCOPY . .\n\
                 RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build {build}\n{end}"
            ),
        ),
    ]
}
