//! No secret of a project gets into an image without a word.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dockerfile_gen::context::{BuildContext, Dockerignore};
use dockerfile_gen::{ConfigLayer, Error, Generated, MemTree, generate, generate_tree};

/// Files that hold a secret, whatever they say.
const SECRETS: &str = "
.env .env.local .env.production .env.development .env.staging .env.test .env.prod.local .envrc prod.env config/app.env
env.local .env.vault .env.keys .env_prod .env-prod .env.bak
server.key server.pem privkey.pem cert-key.pem app.private-key.pem config/master.key config/credentials/production.key
id_rsa id_dsa id_ecdsa id_ed25519 id_ecdsa_sk id_rsa_work id_rsa.bak github_rsa deploy_key ssh_host_rsa_key .ssh/config .ssh/work
store.p12 store.pfx store.jks debug.keystore AuthKey_1.p8 putty.ppk store.pkcs12 store.bks host.keytab code.snk code.pvk
passwords.kdbx passwords.kdb secring.gpg private.asc .gnupg/secring.gpg age-key.txt keys.txt .password-store/a.gpg vault.psafe3
login.keychain login.keychain-db 1password.1pif wallet.dat UTC--2020-01-01--abc key.properties keystore.properties
app.mobileprovision client.ovpn wg0.conf ipsec.secrets .step/secrets/root_ca_key
.npmrc .yarnrc.yml .yarnrc bunfig.toml pip.conf pip.ini .pypirc .dockercfg .dockerconfigjson .docker/config.json
.cargo/credentials .cargo/credentials.toml auth.json .gem/credentials .bundle/config .m2/settings.xml settings-security.xml
nuget.config gradle.properties .condarc .composer/auth.json containers/auth.json .jfrog/jfrog-cli.conf .ivy2/.credentials
.git-credentials .credentials .netrc _netrc .htpasswd .htdigest .pgpass .my.cnf .mylogin.cnf proftpdpasswd password.txt
passwords.txt secrets.yml secrets.yaml secrets.json secrets.toml .streamlit/secrets.toml app.secret .secrets .vault-token .vault_pass
vault_pass.txt .bash_history .zsh_history .mysql_history .psql_history .python_history .node_repl_history .smbcredentials
secret.yaml prod.secrets.yaml values-secrets.yaml secrets.prod.yaml local.settings.json credentials.json credentials.xml
credentials.yml credentials.csv creds.json token.json token.pickle .token sftp-config.json .vscode/sftp.json .ftpconfig
.remote-sync.json filezilla.xml recentservers.xml sitemanager.xml WinSCP.ini host.rdp .esmtprc .msmtprc .muttrc logins.json key4.db
cookies.txt .subversion/auth .config/hub .config/gh/hosts.yml robomongo.json database.yml wp-config.php Azure.publishsettings
.aws/credentials .aws/config .azure/accessTokens.json .oci/config application_default_credentials.json client_secret_1.json
service-account.json serviceAccountKey.json my-service_account.json x-firebase-adminsdk-1.json gcp-credentials.json gcp-key.json
google-services.json .config/gcloud/credentials.db .config/rclone/rclone.conf rclone.conf .s3cfg .boto .passwd-s3fs rootkey.csv
.kube/config kubeconfig prod.kubeconfig kubeconfig.yaml admin.conf k3s.yaml talosconfig terraform.tfvars prod.auto.tfvars.json
terraform.tfstate terraform.tfstate.backup .terraformrc .terraform/terraform.tfstate credentials.tfrc.json .chef/knife.rb
.pulumi/credentials.json clouds.yaml admin-openrc.sh .databrickscfg .sentryclirc .snowsql/config .dbt/profiles.yml ngrok.yml
kaggle.json .huggingface/token .circleci/cli.yml .travis/config.yml .consul-token .erlang.cookie .tugboat .aliyun/config.json
";

/// Files that look like a secret and hold none.
const HARMLESS: &[(&str, &str)] = &[
    (".env.example", "API_KEY=\n"),
    (".env.sample", "API_KEY=changeme\n"),
    (".env.local.example", "API_KEY=\n"),
    (".env.dist", "A=1\n"),
    ("example.env", "API_KEY=\n"),
    ("public.pem", "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n"),
    ("certs/ca.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
    ("id_rsa.pub", "ssh-rsa AAAA\n"),
    ("src/tokens.rs", "pub struct Token;\n"),
    ("src/secrets.py", "SECRET = 1\n"),
    ("src/password.ts", "export const password = 1\n"),
    ("src/keys/index.ts", "export {}\n"),
    ("src/credentials/index.ts", "export {}\n"),
    ("src/kubeconfig/load.py", "pass\n"),
    ("src/keystore/store.go", "package keystore\n"),
    ("locales/en/auth.json", "{\"login\": \"Log in\", \"password\": \"Password\", \"token\": \"Your token\"}\n"),
    ("customer-service-account.json", "{\"title\": \"Service account\"}\n"),
    ("src/secret.service.ts", "export {}\n"),
    ("database.yml", "production:\n  password: <%= ENV['DB_PASSWORD'] %>\n"),
    ("terraform.tfvars.example", "password = \"\"\n"),
    ("gradle.properties", "org.gradle.jvmargs=-Xmx2g\n"),
];

const STACKS: [&str; 4] = ["node", "python", "go", "rust"];

fn project(stack: &str) -> Vec<(&'static str, &'static str)> {
    match stack {
        "node" => vec![
            ("package.json", r#"{"name":"a","dependencies":{"express":"4"},"scripts":{"start":"node index.js"}}"#),
            ("index.js", "require('express')().listen(3000)\n"),
        ],
        "python" => vec![
            ("requirements.txt", "flask\ngunicorn\n"),
            ("app.py", "from flask import Flask\napp = Flask(__name__)\n"),
        ],
        "go" => vec![("go.mod", "module example.com/a\n\ngo 1.24\n"), ("main.go", "package main\n\nfunc main() {}\n")],
        _ => vec![
            ("Cargo.toml", "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
            ("src/main.rs", "fn main() {}\n"),
        ],
    }
}

/// A folder with a project; removed when it goes.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let root = std::env::temp_dir().join(format!("hostile-secrets-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        for (path, text) in files {
            let place = root.join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, text).unwrap();
        }
        Self(root)
    }

    /// Runs the binary; what it said, and its exit code.
    fn run(&self, args: &[&str]) -> (String, i32) {
        let out = Command::new(env!("CARGO_BIN_EXE_cargo-dockerfile")).args(args).arg(&self.0).output().unwrap();
        let text = String::from_utf8(out.stderr).unwrap() + &String::from_utf8(out.stdout).unwrap();
        (text, out.status.code().unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn ignore_of(generated: &Generated) -> Dockerignore {
    Dockerignore::parse(".dockerignore", &generated.files.0[".dockerignore"]).unwrap()
}

/// The files of `paths` that a build of the project would be sent, and those of which nothing is said.
fn sent(stack: &str, name: &str, files: &[(String, String)], layer: ConfigLayer) -> (Vec<String>, Generated) {
    let mut all: Vec<(&str, &str)> = project(stack);
    all.extend(files.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    let folder = Folder::new(&format!("{stack}-{name}"), &all);
    let generated = generate(&folder.0, layer).unwrap();
    let tree = dockerfile_gen::DiskTree::open_all(&folder.0).unwrap();
    let ignore = ignore_of(&generated);
    let context = BuildContext::new(&tree, &ignore);
    let sent = files.iter().filter(|(path, _)| context.get(path).is_some()).map(|(path, _)| path.clone());
    (sent.collect(), generated)
}

fn secret_names() -> Vec<&'static str> {
    SECRETS.split_whitespace().collect()
}

#[test]
fn no_kind_of_secret_file_is_sent() {
    let names = secret_names();
    assert!(names.len() >= 200, "{}", names.len());
    for stack in STACKS {
        let files: Vec<(String, String)> = names
            .iter()
            .flat_map(|name| [(*name).to_owned(), format!("deep/er/{name}"), format!("upper/{}", name.to_uppercase())])
            .map(|path| (path, "S3CR3T\n".to_owned()))
            .collect();
        let (sent, generated) = sent(stack, "kinds", &files, ConfigLayer::default());
        assert!(sent.is_empty(), "{stack}: {sent:?}");
        assert!(generated.project.notes.kept.is_empty(), "{:?}", generated.project.notes.kept);
    }
}

#[test]
fn the_common_kinds_stay_out_before_there_is_such_a_file() {
    for stack in STACKS {
        let folder = Folder::new(&format!("{stack}-next"), &project(stack));
        let generated = generate(&folder.0, ConfigLayer::default()).unwrap();
        let ignore = ignore_of(&generated);
        for name in [
            ".env",
            ".env.production",
            "prod.env",
            "server.key",
            "server.pem",
            "id_rsa",
            "id_ed25519",
            ".npmrc",
            ".netrc",
            ".pypirc",
            "pip.conf",
            ".git-credentials",
            "kubeconfig",
            "terraform.tfvars",
            "terraform.tfstate",
            "store.jks",
            ".htpasswd",
            ".pgpass",
            ".dockerconfigjson",
            ".docker/config.json",
            ".aws/credentials",
            "credentials.json",
            "client_secret_1.json",
            "serviceAccountKey.json",
            "secrets.yml",
            ".vault-token",
            ".s3cfg",
            ".bash_history",
            ".cargo/credentials.toml",
            "client.ovpn",
        ] {
            for path in [name.to_owned(), format!("a/b/{name}")] {
                assert!(ignore.excludes(&path).is_some(), "{stack}: {path}");
            }
        }
        let text = &generated.files.0[".dockerignore"];
        let lines = text.split("\n\n").filter(|group| group.starts_with("# secrets")).flat_map(str::lines);
        let count = lines.filter(|line| !line.starts_with('#')).count();
        assert!(count <= 70, "{count} lines are more than anybody reads\n{text}");
    }
}

#[test]
fn what_git_ignores_stays_out_too() {
    let mut tree = MemTree::default();
    for (path, text) in project("python") {
        tree.insert(path, text);
    }
    tree.insert(".gitignore", "*.pyc\nauth.json\n/.sentryclirc\nconfig/database.yml\n!keys.txt\n");
    let generated = generate_tree(&tree, ConfigLayer::default()).unwrap();
    let ignore = ignore_of(&generated);
    for path in ["auth.json", ".sentryclirc", "config/database.yml"] {
        assert!(ignore.excludes(path).is_some(), "{path}");
    }
}

#[test]
fn what_only_looks_like_a_secret_is_sent() {
    let files: Vec<(String, String)> =
        HARMLESS.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let (sent, generated) = sent("python", "harmless", &files, ConfigLayer::default());
    let missing: Vec<&str> =
        HARMLESS.iter().map(|(path, _)| *path).filter(|path| !sent.iter().any(|sent| sent == path)).collect();
    assert!(missing.is_empty(), "{missing:?}\n{}", generated.files.0[".dockerignore"]);
    let notes = &generated.project.notes;
    assert!(!notes.warnings.iter().any(|warning| warning.contains("secret")), "{:?}", notes.warnings);
    assert!(notes.kept.contains_key("certs/ca.pem") && notes.kept.contains_key("public.pem"), "{:?}", notes.kept);
}

#[test]
fn a_folder_of_sources_hides_no_secret() {
    let files = ["src/kubeconfig/load.py", "src/kubeconfig/id_rsa", "src/kubeconfig/kubeconfig"];
    let files: Vec<(String, String)> = files.map(|path| (path.to_owned(), "S3CR3T\n".to_owned())).into();
    let (sent, _) = sent("python", "folder", &files, ConfigLayer::default());
    assert_eq!(sent, ["src/kubeconfig/load.py"]);
}

#[test]
fn the_settings_keep_a_file_and_it_is_said() {
    let files = [
        ("certs/server.key", "S3CR3T\n"),
        ("certs/other.key", "S3CR3T\n"),
        ("dockerfile.toml", "keep = [\"certs/server.key\"]\n"),
    ];
    let mut all = project("python");
    all.extend(files);
    let folder = Folder::new("keep", &all);
    let (said, code) = folder.run(&["generate"]);
    assert!(code == 0 && said.contains("Keeps certs/server.key: "), "{said}");
    let (said, _) = folder.run(&["context"]);
    assert!(said.contains("`certs/server.key` looks like a secret") && !said.contains("other.key` looks"), "{said}");
}

#[test]
fn settings_of_npm_stay_unless_they_hold_a_token() {
    for (text, stays) in [
        ("engine-strict=true\n", true),
        ("@a:registry=https://registry.example/\n//registry.example/:_authToken=${NPM_TOKEN}\n", true),
        ("", true),
        ("//registry.example/:_authToken=abcdef\n", false),
        ("registry=https://me:hunter22@registry.example/\n", false),
        ("S3CR3T\n", false),
    ] {
        let (sent, generated) = sent("node", "npmrc", &[(".npmrc".into(), text.into())], ConfigLayer::default());
        assert_eq!(!sent.is_empty(), stays, "{text}");
        let dockerfile = &generated.files.0["Dockerfile"];
        // What is left out reaches the install as a secret of the build.
        assert_eq!(dockerfile.contains("id=npmrc,target=/root/.npmrc"), !stays, "{text}\n{dockerfile}");
    }
}

#[test]
fn context_and_generate_agree() {
    let names = secret_names();
    let mut all = project("python");
    all.extend(names.iter().map(|name| (*name, "S3CR3T\n")));
    let folder = Folder::new("agree", &all);
    let (said, code) = folder.run(&["context"]);
    assert_eq!(code, 0, "{said}");
    let unsaid: Vec<&&str> =
        names.iter().filter(|name| !said.contains(&format!("`{name}` looks like a secret"))).collect();
    assert!(unsaid.is_empty(), "{unsaid:?}");
    folder.run(&["generate"]);
    let (said, _) = folder.run(&["context"]);
    assert!(!said.contains("looks like a secret"), "{said}");
}

const APP: (&str, &str) = ("app.py", "from flask import Flask\napp = Flask(__name__)\n");

/// Runs `generate`; whatever it says, the token is in nothing that it writes or says, and `place` is named.
fn withheld(name: &str, files: &[(&str, &str)], place: &str) -> (String, Option<String>) {
    let folder = Folder::new(name, files);
    let (said, code) = folder.run(&["generate"]);
    let dockerfile = fs::read_to_string(folder.0.join("Dockerfile")).ok();
    assert_eq!(code == 0, dockerfile.is_some(), "{name}: {said}");
    assert!(!said.contains("TOKEN99"), "{name}: {said}");
    assert!(!dockerfile.as_deref().unwrap_or_default().contains("TOKEN99"), "{name}: {dockerfile:?}");
    assert!(said.contains(place), "{name}: {said}");
    (said, dockerfile)
}

#[test]
fn tokens_in_manifests_and_scripts_get_into_no_instruction() {
    let cargo = "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\nrepository = \"https://u:ghp_TOKEN99@github.com/o/r\"\n";
    let (_, text) = withheld("cargo", &[("Cargo.toml", cargo), ("src/main.rs", "fn main() {}\n")], "Cargo.toml:5");
    assert!(text.unwrap().contains("image.source=https://github.com/o/r"));

    let pyproject = "[project]\nname = \"a\"\nversion = \"1\"\ndependencies = [\"flask\"]\n[project.urls]\nRepository = \"https://u:ghp_TOKEN99@github.com/o/r\"\n";
    withheld("pyproject", &[("pyproject.toml", pyproject), APP], "pyproject.toml:6");

    let package = "{\"name\":\"a\",\"dependencies\":{\"express\":\"4\"},\n\"scripts\":{\"start\":\"API_KEY=ghp_TOKEN99 node index.js\"}}";
    let (said, text) =
        withheld("script", &[("package.json", package), ("index.js", "app.listen(3000)\n")], "package.json:2");
    assert!(said.contains("docker run -e API_KEY") && text.unwrap().contains("CMD [\"node\", \"index.js\"]"));

    let procfile =
        [("requirements.txt", "flask\ngunicorn\n"), APP, ("Procfile", "web: SECRET_KEY=TOKEN99x gunicorn app:app\n")];
    let (said, text) = withheld("procfile", &procfile, "Procfile:1");
    assert!(said.contains("docker run -e SECRET_KEY") && text.unwrap().contains("gunicorn app:app"));

    let flag =
        [("requirements.txt", "flask\ngunicorn\n"), APP, ("Procfile", "web: gunicorn app:app --api-token TOKEN99x\n")];
    withheld("flag", &flag, "Procfile:1");

    let requirement = "flask\ngit+https://ghp_TOKEN99@github.com/o/r.git#egg=r\n";
    let (said, _) = withheld("requirement", &[("requirements.txt", requirement), APP], "requirements.txt:2");
    assert!(said.contains("--secret"), "{said}");

    let settings =
        "env = { API_KEY = \"TOKEN99x\", LEVEL = \"info\" }\nlabels = { a = \"https://u:TOKEN99x@h.example/\" }\n";
    let (_, text) = withheld(
        "settings",
        &[("requirements.txt", "flask\n"), APP, ("dockerfile.toml", settings)],
        "dockerfile.toml:1",
    );
    assert!(text.unwrap().contains("LEVEL=info"));

    let step = "[[steps]]\nname = \"x\"\nrun = \"curl -H 'Authorization: ghp_TOKEN99abc' h.example\"\n";
    withheld("step", &[("requirements.txt", "flask\n"), APP, ("dockerfile.toml", step)], "dockerfile.toml:3");

    let yarn = "npmAuthToken: TOKEN99x\n";
    withheld(
        "yarn",
        &[
            (
                "package.json",
                "{\"name\":\"a\",\"packageManager\":\"yarn@4.1.0\",\"scripts\":{\"start\":\"node index.js\"}}",
            ),
            ("yarn.lock", "__metadata:\n  version: 8\n"),
            (".yarnrc.yml", yarn),
            ("index.js", "app.listen(3000)\n"),
        ],
        ".yarnrc.yml:1",
    );
}

#[test]
fn references_and_placeholders_stay() {
    let package = r#"{"name":"a","dependencies":{"express":"4"},"repository":"https://github.com/o/r","scripts":{"start":"SECRET_KEY=changeme TOKEN_TTL=3600 node index.js"}}"#;
    let folder = Folder::new("placeholder", &[("package.json", package), ("index.js", "app.listen(3000)\n")]);
    let (said, code) = folder.run(&["generate"]);
    assert!(code == 0 && !said.contains("holds"), "{said}");
    let text = fs::read_to_string(folder.0.join("Dockerfile")).unwrap();
    assert!(text.contains("SECRET_KEY=changeme") && text.contains("TOKEN_TTL=3600"), "{text}");
}

/// Each of these says a secret in a place that reaches a Dockerfile, a message or the JSON.
#[test]
fn a_token_is_in_nothing_that_is_written_or_said() {
    let start = |script: &str| {
        let manifest = serde_json::json!({"name": "a", "dependencies": {"express": "4"}, "scripts": {"start": script}});
        ("package.json", manifest.to_string())
    };
    let settings = |text: &str| ("dockerfile.toml", text.to_owned());
    let node = start("node index.js");
    let field = |name: &str, value: &str| ("package.json", node.1.replacen('{', &format!("{{\"{name}\": {value},"), 1));
    for place in [
        start("API_KEY=TOKEN99abc node index.js"),
        start("export API_KEY=TOKEN99abc && node index.js"),
        start("STRIPE_KEY=TOKEN99abc node index.js"),
        start("AUTH=TOKEN99abc node index.js"),
        start("node index.js --api-key TOKEN99abc"),
        start("node index.js \"Authorization: Bearer TOKEN99abcdef\""),
        start("node index.js --url=https://h.example/?access_token=TOKEN99abc"),
        start("node -e \"process.env.API_KEY='TOKEN99abc'\" && node index.js"),
        settings("env = { STRIPE_KEY = \"TOKEN99abc\" }"),
        settings("build-env = { API_KEY = \"TOKEN99abc\" }"),
        settings("build-env = { A = \"https://u:TOKEN99abc@h.example/\" }"),
        settings("labels = { \"api-key\" = \"TOKEN99abc\" }"),
        settings("health = \"/x?token=TOKEN99abc\""),
        settings("health = \"ghp_TOKEN99abcdef\""),
        settings("port = \"ghp_TOKEN99abcdef\""),
        settings("ghp_TOKEN99abcdef = 1"),
        settings("command = [\"sh\", \"-c\", \"API_KEY=TOKEN99abc node index.js\"]"),
        settings("base = \"u:ghp_TOKEN99abcdef@h.example/i:1\""),
        settings("[[steps]]\nname = \"x\"\nrun = \"curl https://u:TOKEN99abc@h.example\""),
        field("engines", "{\"node\": \"ghp_TOKEN99abcdef\"}"),
        field("main", "\"ghp_TOKEN99abcdef.js\""),
        field("description", "\"ghp_TOKEN99abcdef\""),
        (".nvmrc", "ghp_TOKEN99abcdef\n".into()),
        ("Procfile", "web: SECRET_KEY=TOKEN99abc node index.js\nrelease: x ghp_TOKEN99abcdef\n".into()),
    ] {
        let mut files = vec![("package.json", node.1.as_str()), ("index.js", "app.listen(3000)\n")];
        files.push((place.0, &place.1));
        let folder = Folder::new("nowhere", &files);
        for args in [&["generate"][..], &["--json"], &["plan"], &["plan", "--json"], &["--print"], &["--check"]] {
            let (said, _) = folder.run(args);
            assert!(!said.contains("TOKEN99"), "{args:?} {place:?}: {said}");
        }
        let dockerfile = fs::read_to_string(folder.0.join("Dockerfile")).unwrap_or_default();
        assert!(!dockerfile.contains("TOKEN99"), "{place:?}: {dockerfile}");
    }
}

#[test]
fn a_placeholder_of_the_build_stays() {
    let manifest =
        r#"{"name": "a", "dependencies": {"express": "4"}, "scripts": {"build": "tsc", "start": "node index.js"}}"#;
    let mut files = vec![("package.json", manifest), ("index.js", "app.listen(3000)\n")];
    files.push(("dockerfile.toml", "build-env = { SECRET_KEY = \"placeholder\", CACHE_KEY = \"v1a2b3c4\" }\n"));
    let folder = Folder::new("build-env", &files);
    let (said, code) = folder.run(&["generate"]);
    assert!(code == 0, "{said}");
    files.pop();
    files.push(("dockerfile.toml", "build-env = { SECRET_KEY = \"hunter22\" }\n"));
    let (said, code) = Folder::new("build-env", &files).run(&["generate"]);
    assert!(code == 2 && said.contains("dockerfile.toml:1") && said.contains("placeholder"), "{said}");
}

#[test]
fn an_ignore_file_that_would_win_is_refused() {
    let mut all = project("node");
    all.extend([(".env", "S3CR3T\n"), ("Dockerfile.dockerignore", "# nothing\n")]);
    let folder = Folder::new("rival", &all);
    let (said, code) = folder.run(&["generate"]);
    assert!(code == 2 && said.contains("Dockerfile.dockerignore"), "{code} {said}");
    assert!(!folder.0.join("Dockerfile").exists() && !folder.0.join(".dockerignore").exists());
    // One that says the same does no harm.
    fs::remove_file(folder.0.join("Dockerfile.dockerignore")).unwrap();
    folder.run(&["generate"]);
    fs::copy(folder.0.join(".dockerignore"), folder.0.join("Dockerfile.dockerignore")).unwrap();
    assert_eq!(folder.run(&["generate"]).1, 0);
    let error = generate_tree(
        &MemTree::from([
            ("go.mod", "module a\n\ngo 1.24\n"),
            ("main.go", "package main\n\nfunc main() {}\n"),
            ("Dockerfile.dockerignore", "x"),
        ]),
        ConfigLayer::default(),
    );
    assert!(matches!(error, Err(Error::Unsupported { .. })));
}

#[test]
fn backups_and_drafts_are_not_sent() {
    let mut all = project("node");
    all.extend([
        ("Dockerfile.bak", "x"),
        ("Dockerfile.bak.1", "x"),
        (".dockerignore.bak", "x"),
        (".dockerignore.bak.1", "x"),
    ]);
    let folder = Folder::new("backups", &all);
    folder.run(&["generate"]);
    let tree = dockerfile_gen::DiskTree::open_all(&folder.0).unwrap();
    let ignore = Dockerignore::of(&tree, "Dockerfile").unwrap();
    let context = BuildContext::new(&tree, &ignore);
    for name in ["Dockerfile.bak", "Dockerfile.bak.1", ".dockerignore.bak", ".dockerignore.bak.1"] {
        assert!(context.get(name).is_none() && Path::new(&folder.0).join(name).exists(), "{name}");
    }
}
