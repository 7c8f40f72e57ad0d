//! Python: everything at once, and the page on Docker of each package manager.

use crate::facts::{Manager, PythonProject};

pub(super) fn files(python: &PythonProject) -> Vec<(&'static str, String)> {
    let base = format!("FROM python:{}-slim-trixie\nWORKDIR /app\n", python.version);
    let requirements: Vec<String> = python.install.requirements.iter().map(|file| format!("-r {file}")).collect();
    match python.install.manager {
        Some(Manager::Uv) => uv(&base, python.install.package.as_deref()),
        Some(Manager::Poetry) => poetry(&base),
        Some(Manager::Pip) if !requirements.is_empty() => pip(python, &base, &requirements.join(" ")),
        _ => Vec::new(),
    }
}

fn uv(base: &str, package: Option<&str>) -> Vec<(&'static str, String)> {
    let base = format!(
        "{base}COPY --from=ghcr.io/astral-sh/uv:latest /uv /bin/\n\
         ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_DEV=1 UV_PYTHON_DOWNLOADS=0\n"
    );
    // In a workspace the page installs no member at first, and asks for the lock alone.
    let (first, second) = match package {
        None => ("--locked --no-install-project".to_owned(), "--locked".to_owned()),
        Some(name) => {
            (format!("--frozen --no-install-workspace --package {name}"), format!("--locked --package {name}"))
        }
    };
    vec![
        ("copy", format!("{base}COPY . .\nRUN uv sync {second}\n")),
        (
            "guide",
            format!(
                "{base}RUN --mount=type=cache,target=/root/.cache/uv --mount=type=bind,source=uv.lock,target=uv.lock \
                 --mount=type=bind,source=pyproject.toml,target=pyproject.toml uv sync {first}\n\
                 COPY . .\nRUN --mount=type=cache,target=/root/.cache/uv uv sync {second}\n"
            ),
        ),
    ]
}

fn poetry(base: &str) -> Vec<(&'static str, String)> {
    let base = format!("{base}RUN pip install poetry==2.5.1\nENV POETRY_VIRTUALENVS_IN_PROJECT=1\n");
    let cache = "--mount=type=cache,target=/root/.cache/pypoetry";
    vec![
        ("copy", format!("{base}COPY . .\nRUN poetry install --only main\n")),
        (
            // Poetry's FAQ.
            "guide",
            format!(
                "{base}COPY pyproject.toml poetry.lock ./\n\
                 RUN {cache} poetry install --only main --no-root --no-directory\nCOPY . .\n\
                 RUN {cache} poetry install --only main\n"
            ),
        ),
    ]
}

fn pip(python: &PythonProject, base: &str, files: &str) -> Vec<(&'static str, String)> {
    // Docker's guides start with this line; it costs a build as much as half a second.
    let base = format!("# syntax=docker/dockerfile:1\n{base}");
    let binds = python.install.manifests.iter().map(|path| format!(" --mount=type=bind,source={path},target={path}"));
    let binds: String = binds.collect();
    vec![
        ("copy", format!("{base}COPY . .\nRUN pip install --no-cache-dir {files}\n")),
        (
            // Docker's guide for Python.
            "guide",
            format!(
                "{base}RUN --mount=type=cache,target=/root/.cache/pip{binds} \
                 pip install {files}\nCOPY . .\n"
            ),
        ),
    ]
}
