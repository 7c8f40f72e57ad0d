//! A Python project that is installed into its environment and writes into its own folder.

use crate::harness::{Project, in_stages};

const FILES: [(&str, &str); 6] = [
    ("dockerfile.toml", "packages = [\"tini\"]\n"),
    (
        "pyproject.toml",
        r#"[project]
name = "shop"
version = "1.0.0"
description = "A shop"
requires-python = ">=3.12"
dependencies = ["django==5.2", "gunicorn==23.0.0"]

[build-system]
requires = ["flit_core==3.12.0"]
build-backend = "flit_core.buildapi"
"#,
    ),
    (
        "manage.py",
        r#"import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
from django.core.management import execute_from_command_line
import sys

execute_from_command_line(sys.argv)
"#,
    ),
    ("shop/__init__.py", "\"\"\"A shop.\"\"\"\n"),
    (
        "shop/settings.py",
        r#"from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "of a test"
INSTALLED_APPS = ["django.contrib.staticfiles"]
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "pages"]
STATIC_ROOT = BASE_DIR / "static"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
"#,
    ),
    ("pages/hello.txt", "hello\n"),
];

/// What the image holds: the installed project, its static file, a folder that takes the database, and an environment
/// that the program cannot change.
const LOOK: &str = "
python -c 'import importlib.metadata as m, shop; print(m.version(\"shop\"), m.version(\"django\"), shop.__doc__)'
cat static/hello.txt
python manage.py migrate --run-syncdb -v 0 && ls db.sqlite3
touch .venv/x .venv/bin/x 2>/dev/null || echo kept
";

#[test]
#[ignore = "needs a docker engine"]
fn a_project_in_its_environment() {
    let project = Project::empty("environment");
    for (path, text) in FILES {
        project.write(path, text);
    }
    let expected = "1.0.0 5.2 A shop.\nhello\ndb.sqlite3\nkept\n";
    project.generate();
    project.build(&[]);
    assert_eq!(project.say(LOOK), expected);
    let layers = project.layers();

    project.write("dockerfile.toml", "packages = [\"dumb-init\"]\n");
    project.generate();
    let steps = project.build(&[]);
    let found = in_stages(&steps, &["deps ", "build ", "application "]);
    assert!(found.len() > 2 && found.iter().all(|(_, cached)| *cached), "{found:#?}");
    assert_eq!(project.say(LOOK), expected);
    let moved = project.layers().iter().filter(|layer| !layers.contains(layer)).count();
    assert!(moved <= 3, "the system packages, the folder's owner and the project: {moved}");

    // Without system packages the same stages end in another image.
    project.write("dockerfile.toml", "");
    project.generate();
    let steps = project.build(&[]);
    let found = in_stages(&steps, &["deps ", "build "]);
    assert!(found.iter().all(|(_, cached)| *cached), "{found:#?}");
    assert_eq!(project.say(LOOK), expected);
}
