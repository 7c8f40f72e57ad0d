//! Which files hold secrets, by their names: the table.
//!
//! A name is in lower case and is compared without regard to case. `*` and `?` stand for what they stand for in a
//! .dockerignore, where a name holds in every folder. A name with a `/` at its end is a folder, with all that lies in it.

use super::harmless::{self, Harmless};

/// One kind of file that holds a secret.
#[derive(Debug)]
pub struct Kind {
    /// Its names.
    pub(super) names: &'static [&'static str],
    /// What it is, for a sentence with `looks like a secret`.
    pub what: &'static str,
    /// How a build or a container gets it instead.
    pub instead: Instead,
    /// Names that are none although they match.
    pub(super) unless: &'static [&'static str],
    /// Whether each .dockerignore names it. What is rare is named where there is such a file, or where git ignores one.
    pub(super) always: bool,
    /// What shows that such a file holds no secret; without it the name decides.
    pub(super) harmless: Option<&'static Harmless>,
}

/// How to hand over what must not be in an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Instead {
    /// As environment of the container.
    Environment,
    /// As a file that the container mounts.
    Mount,
    /// As a secret of the build.
    Build,
    /// No image needs it.
    Nothing,
}

impl Instead {
    /// What to do with the file at `path`.
    pub fn advice(self, path: &str) -> String {
        let name = path.rsplit('/').next().unwrap_or(path).trim_start_matches(['.', '_']);
        match self {
            Self::Environment => format!("hand it over with `docker run --env-file {path}`"),
            Self::Mount => format!("hand it over with `docker run -v ./{path}:/run/secrets/{name}:ro`"),
            Self::Build => format!("hand it over with `docker build --secret id={name},src={path}`"),
            Self::Nothing => "no image needs it".to_owned(),
        }
    }
}

/// A kind that every .dockerignore names.
const fn common(what: &'static str, instead: Instead, names: &'static [&'static str]) -> Kind {
    Kind { names, what, instead, unless: &[], always: true, harmless: None }
}

/// A kind that a .dockerignore names where there is such a file.
const fn rare(what: &'static str, instead: Instead, names: &'static [&'static str]) -> Kind {
    Kind { always: false, ..common(what, instead, names) }
}

impl Kind {
    const fn unless(self, unless: &'static [&'static str]) -> Self {
        Self { unless, ..self }
    }

    const fn harmless(self, harmless: &'static Harmless) -> Self {
        Self { harmless: Some(harmless), ..self }
    }
}

use Instead::{Build, Environment, Mount, Nothing};

/// The table: title in the .dockerignore, and kinds.
///
/// The names come from the manuals of the tools that write such files, from GitHub's .gitignore templates and from what
/// scanners for secrets look for.
pub(super) const FILES: &[(&str, &[Kind])] = &[
    (
        "secrets: environment",
        &[
            common("an environment file", Environment, &[".env*", "*.env"]).unless(&[
                ".env*.example",
                ".env*.sample",
                ".env*.template",
                ".env*.dist",
                ".env*.defaults",
            ]),
            rare("an environment file", Environment, &["env.local", "env.production", "env.prod", "env.staging"]),
            rare("an environment file", Environment, &[".flaskenv", ".dev.vars", ".dev.vars.*", ".prod.vars"])
                .harmless(&harmless::SETTINGS),
        ],
    ),
    (
        "secrets: keys",
        &[
            common("a private key", Mount, &["*.pem", "*.key"]).harmless(&harmless::PUBLIC_KEY),
            common("a key store", Mount, &["*.p12", "*.pfx", "*.jks", "*.keystore"]),
            common("a private key", Mount, &["*.p8", "*.ppk"]),
            common("a password store", Nothing, &["*.kdb*"]),
            common("an SSH key", Build, &["id_rsa*", "id_ecdsa*", "id_ed25519*"]).unless(&["id_*.pub"]),
            common("a folder of keys", Build, &[".ssh/", ".gnupg/"]),
            rare("a key store", Mount, &["*.pkcs12", "*.bks", "*.bcfks", "*.jceks", "*.pvk", "*.snk", "*.keytab"]),
            rare("an SSH key", Build, &["*_rsa", "*_dsa", "*_ecdsa", "*_ed25519", "ssh_host_*_key", "identity.ssh"]),
            rare("an SSH key", Build, &["*deploy_key", "*deploy-key", "*.openssh"]).harmless(&harmless::PUBLIC_KEY),
            rare("a private key", Mount, &["*.der", "*.priv", "*.private", "privkey*", "private_key", "private-key"])
                .unless(&["*.go", "*.rs", "*.py", "*.js", "*.ts"])
                .harmless(&harmless::PUBLIC_KEY),
            rare("a private key", Mount, &["*.asc", "*.gpg"]).harmless(&harmless::PUBLIC_KEY),
            rare("a private key", Mount, &["secring.*", "trustdb.gpg", "private-keys-v1.d/", "otr.private_key"]),
            rare("a key of age or sops", Mount, &["age-key*.txt", "age_key*.txt", "keys.txt", "key.txt", "*.agekey"])
                .harmless(&harmless::NO_AGE_KEY),
            rare("a wallet", Nothing, &["wallet.dat", "*.wallet", "utc--*", "*.mnemonic", ".brownie/"]),
            rare("a password store", Nothing, &[".password-store/", "*.psafe3", "*.agilekeychain/", "*.1pif"]),
            rare(
                "a password store",
                Nothing,
                &["*.opvault/", "*.keychain", "*.keychain-db", "*.kwallet", "*.enpassdb"],
            ),
            rare("a folder of certificates and keys", Mount, &[".step/", ".acme.sh/", ".lego/", ".minisign/"]),
            rare("a signing profile", Build, &["*.mobileprovision", "*.provisionprofile", "keystore.properties"]),
            rare("a signing profile", Build, &["key.properties", "signing.properties"]),
            rare("a VPN profile", Nothing, &["wg*.conf", "wireguard*.conf", "*.tblk/", "*.pcf"]),
            rare("a VPN profile", Nothing, &["ipsec.secrets", "chap-secrets", "pap-secrets", "psk.txt"]),
        ],
    ),
    (
        "secrets: package managers and registries",
        &[
            common("settings with a token", Build, &[".npmrc", ".yarnrc.yml"]).harmless(&harmless::SETTINGS),
            common("settings with a token", Build, &["pip.conf"]).harmless(&harmless::SETTINGS),
            common("the login of a package index", Build, &[".pypirc"]),
            common("the login of a registry", Build, &[".docker/config.json", ".dockerc*"]),
            common("the login of a registry", Build, &[".cargo/credentials*"]),
            rare("settings with a token", Build, &[".yarnrc", "bunfig.toml", "pnpm-workspace.yaml"])
                .harmless(&harmless::SETTINGS),
            rare("settings with a token", Build, &[".cargo/config.toml", ".cargo/config"]).harmless(&harmless::SCRIPT),
            rare("settings with a token", Build, &["nuget.config", "gradle.properties", ".condarc", "condarc"])
                .harmless(&harmless::SETTINGS),
            rare("the login of a registry", Build, &["auth.json"]).harmless(&harmless::JSON),
            rare("the login of a registry", Build, &[".gem/credentials", ".bundle/config", ".m2/settings*.xml"]),
            rare(
                "the login of a registry",
                Build,
                &["settings-security.xml", "dockerconfig.json", "config.json.docker"],
            ),
            rare("the login of a registry", Build, &["containers/auth.json", ".helm/repository/repositories.yaml"]),
            rare(
                "the login of a registry",
                Build,
                &[".composer/auth.json", ".hex/hex.config", ".pub-credentials.json"],
            ),
            rare(
                "the login of a registry",
                Build,
                &[".pip/pip.conf", ".config/pypoetry/auth.toml", "pub-credentials.json"],
            ),
            rare("the login of a registry", Build, &[".nuget/nuget.config", ".sbt/.credentials", ".ivy2/.credentials"]),
            rare(
                "the login of a registry",
                Build,
                &[".artifactory", ".jfrog/", ".jfrog-cli.conf", ".config/configstore/"],
            ),
        ],
    ),
    (
        "secrets: logins and passwords",
        &[
            common("a login", Build, &[".*credentials", "?netrc"]),
            common("a password file", Mount, &[".htpasswd", ".pgpass", ".my*.cnf"]),
            common("a file of secrets", Mount, &["secrets.y*ml", "secrets.json", "secrets.toml", "*.secret"]),
            common("a file of secrets", Mount, &[".vault*", ".secrets*"]),
            common("a history of commands", Nothing, &[".*history"]),
            rare(
                "a password file",
                Mount,
                &[".htdigest", "htpasswd", ".passwd", "proftpdpasswd", "shadow", "passwd.txt"],
            ),
            rare("a password file", Mount, &["password.txt", "passwords.txt", "pgpass.conf", "pgpass", ".mysql_login"]),
            rare(
                "a password file",
                Mount,
                &["vault_pass*", "vault-pass*", "vault_password*", "vault-password*", ".passwd-*"],
            )
            .unless(&["*.py", "*.go", "*.rs", "*.js", "*.ts"]),
            rare(
                "a password file",
                Mount,
                &[".smbcredentials", ".cifs*", ".mongorc.js", ".dbshell", ".rediscli*", "wp-config.php"],
            ),
            rare(
                "a file of secrets",
                Mount,
                &["secrets.env", "secrets.ini", "secrets.xml", "secrets.properties", "secrets.txt"],
            ),
            rare(
                "a file of secrets",
                Mount,
                &["secret.y*ml", "secret.json", "secret.toml", "secret.txt", "secret.key.*"],
            ),
            rare(
                "a file of secrets",
                Mount,
                &["*-secrets.y*ml", "*.secrets.y*ml", "*-secret.y*ml", "secrets.*.y*ml", "*.dec.y*ml"],
            ),
            rare(
                "a file of secrets",
                Mount,
                &["appsettings.secrets.json", "local.settings.json", "usersecrets/", "secret_token.rb"],
            ),
            rare(
                "a file of secrets",
                Mount,
                &["application-secret*.y*ml", "application-secret*.properties", "database.yml", "mongoid.yml"],
            )
            .harmless(&harmless::SETTINGS),
            rare(
                "a file of secrets",
                Mount,
                &["master.key.*", "credentials.xml", "credentials.yml", "credentials.yaml"],
            ),
            rare(
                "a file of secrets",
                Mount,
                &["credentials.toml", "credentials.ini", "credentials.csv", "credentials.txt", "accesskeys.csv"],
            ),
            rare(
                "a file of secrets",
                Mount,
                &["credentials.properties", "credentials.cfg", "creds.json", "creds.txt", "creds.y*ml"],
            ),
            rare(
                "a file of secrets",
                Mount,
                &["token.json", "token.txt", "tokens.json", "token.pickle", ".token", ".tokens", ".api_key", ".apikey"],
            )
            .harmless(&harmless::JSON),
            rare(
                "a login",
                Nothing,
                &["sftp-config.json", "sftp.json", ".ftpconfig", ".ftppass", ".remote-sync.json", "filezilla.xml"],
            ),
            rare(
                "a login",
                Nothing,
                &["recentservers.xml", "sitemanager.xml", "winscp.ini", "*.rdp", "*.rdg", ".esmtprc", ".msmtprc"],
            ),
            rare(
                "a login",
                Nothing,
                &[".fetchmailrc", ".muttrc", ".mailrc", "ventrilo_srv.ini", ".purple/", "robomongo.json"],
            ),
            rare(
                "a login",
                Nothing,
                &["dbeaver-data-sources.xml", "credentials-config.json", "webservers.xml", "datasources.local.xml"],
            ),
            rare(
                "a login",
                Nothing,
                &["logins.json", "key3.db", "key4.db", "signons.sqlite", "login data", "cookies.txt", "cookies.sqlite"],
            ),
            rare(
                "a login",
                Nothing,
                &[".git/config", ".gitconfig.local", ".gitrobrc", ".hgrc", ".subversion/", ".cvspass"],
            ),
            rare(
                "a login",
                Nothing,
                &[".config/hub", ".config/gh/", ".config/glab-cli/", ".hub", "hub.yml", ".gist", ".jira.d/"],
            ),
            rare(
                "a login",
                Nothing,
                &[
                    "unattend.xml",
                    "sysprep.inf",
                    "groups.xml.gpp",
                    "sam.hive",
                    "ntds.dit",
                    "*.cscfg",
                    "*.publishsettings",
                ],
            ),
            rare("a login", Nothing, &[".bash_profile", ".bashrc", ".zshrc", ".profile", ".zprofile"])
                .harmless(&harmless::SCRIPT),
        ],
    ),
    (
        "secrets: clouds and clusters",
        &[
            common("the login of a cloud", Mount, &[".aws/", ".azure/"]),
            common(
                "the login of a cloud",
                Mount,
                &["*credentials*.json", "client_secret*.json", "*firebase-adminsdk*.json"],
            ),
            common("the login of a cloud", Mount, &["*service*?ccount*.json"]).harmless(&harmless::JSON),
            common("the login of a cluster", Mount, &[".kube/config*", "kubeconfig"]),
            common(
                "Terraform's variables or state",
                Nothing,
                &["*.tfvars", "*.tfstate*", ".terraform/", ".terraformrc"],
            ),
            rare("Terraform's variables", Nothing, &["*.tfvars.json", ".terraform.d/"]),
            rare("an SSH key", Build, &["id_dsa*"]),
            rare("settings with a token", Build, &["pip.ini"]).harmless(&harmless::SETTINGS),
            rare("a file of secrets", Mount, &["*.secrets"]),
            rare("the login of a cloud", Mount, &[".gcloud/", ".oci/", ".boto", "*.kubeconfig"]),
            common("a VPN profile", Nothing, &["*.ovpn"]),
            common("the login of a cloud storage", Mount, &[".s3cfg", "rclone.conf"]),
            rare(
                "the login of a cloud",
                Mount,
                &["aws_credentials", "aws-credentials", "rootkey.csv", "new_user_credentials.csv"],
            ),
            rare(
                "the login of a cloud",
                Mount,
                &["gcloud*.json", "gcp*key*.json", "gcp*.json", "google-key.json", "keyfile.json"],
            )
            .harmless(&harmless::JSON),
            rare(
                "the login of a cloud",
                Mount,
                &["google-services.json", "googleservice-info.plist", "heroku.json", "azureauth.json"],
            ),
            rare(
                "the login of a cloud",
                Mount,
                &[".config/gcloud/", ".config/doctl/", ".config/hcloud/", ".config/scw/", ".config/rclone/"],
            ),
            rare(
                "the login of a cloud",
                Mount,
                &["accesstokens.json", "azureprofile.json", ".aliyun/", ".bluemix/", ".ibmcloud/", ".tugboat"],
            ),
            rare(
                "the login of a cloud",
                Mount,
                &[
                    ".linode-cli",
                    ".vultr-cli.yaml",
                    ".openstack/",
                    "clouds.yaml",
                    "clouds-public.yaml",
                    "openrc",
                    "*-openrc.sh",
                ],
            ),
            rare(
                "the login of a cloud",
                Mount,
                &[".fly/", ".netlify/config.json", ".vercel/auth.json", ".wrangler/config/", ".railway/", ".heroku/"],
            ),
            rare(
                "the login of a cloud",
                Mount,
                &[".pulumi/", "terraform.rc", "credentials.tfrc.json", ".chef/", "knife.rb", ".tower_cli.cfg"],
            ),
            rare(
                "the login of a cloud storage",
                Mount,
                &[".passwd-s3fs", ".mc/config.json", ".swift_openrc", ".duplicity", ".resticpw", "restic-password*"],
            ),
            rare(
                "the login of a service",
                Mount,
                &[
                    ".sentryclirc",
                    ".databrickscfg",
                    ".snowsql/",
                    ".dbt/",
                    "profiles.yml",
                    "ngrok.yml",
                    ".ngrok2/",
                    ".ngrok",
                ],
            )
            .harmless(&harmless::SETTINGS),
            rare(
                "the login of a service",
                Mount,
                &[
                    "kaggle.json",
                    ".kaggle/",
                    ".huggingface/",
                    ".openai",
                    ".anthropic",
                    ".wandb/",
                    ".cloudflared/",
                    "cert.pem.cloudflared",
                ],
            ),
            rare(
                "the login of a service",
                Mount,
                &[
                    ".circleci/cli.yml",
                    ".travis/config.yml",
                    ".codecov.token",
                    ".twilio-cli/",
                    ".stripe/",
                    ".config/stripe/",
                ],
            ),
            rare(
                "the login of a service",
                Mount,
                &[
                    ".slack-cli/",
                    ".telegram-cli/",
                    "salesforce.js.local",
                    ".sfdx/",
                    ".sf/",
                    ".newrelic/",
                    "newrelic.yml",
                ],
            )
            .harmless(&harmless::SETTINGS),
            rare(
                "the login of a cluster",
                Mount,
                &[
                    "kubeconfig.*",
                    "kubeconfig-*",
                    "admin.conf",
                    "*kube*config*.y*ml",
                    ".kubeconfig*",
                    "k3s.yaml",
                    ".talos/",
                    "talosconfig",
                ],
            )
            .unless(&["*.go", "*.rs", "*.py", "*.js", "*.ts", "*.md"])
            .harmless(&harmless::NO_CLUSTER_LOGIN),
            rare(
                "the login of a cluster",
                Mount,
                &[".consul-token", ".nomad-token", "sealed-secrets-key*.yaml", "*.erlang.cookie", "bootstrap-token*"],
            ),
        ],
    ),
];
