//! The port and address that a program listens on.
//!
//! Input: its sources, and sample configuration files. Output: [`Listen`]. The one idea: every literal that could be an
//! address is weighed by where it stands, and the heaviest is taken.

use super::address::{Listen, Origin, is_loopback, port, split};
use super::place::{Call, Place, place};
use super::sample;
use super::source::{Kind, Source};
use super::words::{
    is_host_name, is_others, is_others_port, is_port_name, is_secondary, is_secondary_port, is_variable,
};
use crate::tree::Tree;

/// Below this weight a sample configuration knows better.
const SURE: i32 = 60;

/// The likeliest address.
pub(super) fn address(tree: &dyn Tree, sources: &[Source]) -> Option<Listen> {
    let mut best: Option<Listen> = None;
    for source in sources.iter().filter(|source| !source.generated) {
        for found in in_code(tree, source) {
            if best.as_ref().is_none_or(|best| found.weight > best.weight) {
                best = Some(found);
            }
        }
    }
    match best {
        Some(best) if best.weight >= SURE => Some(best),
        best => sample::from_samples(tree).or(best),
    }
}

/// What may be an address in one file, in order.
fn in_code(tree: &dyn Tree, source: &Source) -> Vec<Listen> {
    let mut found = Vec::new();
    for (index, token) in source.tokens.iter().enumerate() {
        let literal = match &token.kind {
            Kind::Text(text) => split(text),
            Kind::Number(digits) => port(digits).map(|port| (None, port)),
            Kind::Raw(tags) => {
                found.extend(tagged(tree, source, index, tags));
                None
            }
            Kind::Word(_) | Kind::Mark(_) => None,
        };
        let Some((host, port)) = literal.filter(|(_, port)| !is_others_port(*port)) else { continue };
        let (weight, origin) = weigh(&place(source, index), host.is_some(), source);
        // Where there is 80 or 443 beside another port, it is for redirects and certificates.
        let less = match port {
            80 | 443 => 5,
            port if is_secondary_port(port) => 45,
            _ => 0,
        };
        if weight > less {
            let (bare, host) = (host.is_none(), host.unwrap_or_default());
            let path = source.path.clone();
            found.push(Listen { port, host, bare, origin, weight: weight - less, path, line: token.line });
        }
    }
    if let Some(line) = gin_default(source) {
        let origin = Origin::Env("PORT".into());
        let path = source.path.clone();
        found.push(Listen { port: 8080, host: String::new(), bare: true, origin, weight: SURE, path, line });
    }
    found
}

/// A flag or variable whose default is the loopback address, where host and port are apart; with the place.
pub(super) fn loopback_host(sources: &[Source]) -> Option<(Origin, String, u32)> {
    sources.iter().filter(|source| !source.generated).find_map(|source| {
        source.tokens.iter().enumerate().find_map(|(index, token)| {
            if !token.text().is_some_and(is_loopback) {
                return None;
            }
            let place = place(source, index);
            let named =
                |call: &Call<'_>| call.first.map(|(_, first)| first.to_owned()).filter(|first| is_host_name(first));
            let call = place.calls.iter().find(|call| named(call).is_some())?;
            let name = named(call)?;
            let origin = if is_variable(&name) {
                Origin::Env(name)
            } else if is_flag_call(call.name) {
                Origin::Flag { name, cobra: uses_cobra(source) }
            } else {
                return None;
            };
            Some((origin, source.path.clone(), token.line))
        })
    })
}

/// Where `os.Getenv("PORT")` is read.
pub(super) fn reads_port(sources: &[Source]) -> Option<(String, u32)> {
    sources.iter().find_map(|source| {
        let windows = source.tokens.windows(3);
        let read = windows.into_iter().find(|window| {
            matches!(window[0].word(), Some("Getenv" | "LookupEnv"))
                && window[1].is('(')
                && window[2].text() == Some("PORT")
        })?;
        Some((source.path.clone(), read[0].line))
    })
}

fn weigh(place: &Place<'_>, is_address: bool, source: &Source) -> (i32, Origin) {
    let mut names: Vec<&str> = place.key.into_iter().collect();
    let mut weight = 0;
    let mut origin = Origin::Code;
    if let Some(key) = place.key {
        if is_port_name(key) {
            weight = if is_address { 80 } else { 70 };
        } else if is_address && place.calls.is_empty() {
            weight = 30;
        }
    }
    for call in &place.calls {
        names.push(call.name);
        if is_address && is_serving_call(call.name) {
            weight = weight.max(100);
        }
        let Some((_, first)) = call.first else { continue };
        let is_name = !first.contains([':', ' ', '/']) && !first.bytes().all(|byte| byte.is_ascii_digit());
        if !is_name || !is_port_name(first) {
            continue;
        }
        names.push(first);
        if is_variable(first) {
            // A fallback of an environment variable; a flag around it may set the same.
            weight = weight.max(90);
            origin = Origin::Env(first.to_owned());
        } else if is_flag_call(call.name) {
            weight = weight.max(88);
            if origin == Origin::Code {
                origin = Origin::Flag { name: first.to_owned(), cobra: uses_cobra(source) };
            }
        } else if call.name == "SetDefault" {
            weight = weight.max(85);
        }
    }
    if origin == Origin::Code
        && let Some(name) = place.key.and_then(|key| flag_of(source, key))
    {
        origin = Origin::Flag { name, cobra: uses_cobra(source) };
    }
    if names.iter().any(|name| is_others(name)) {
        return (0, origin);
    }
    let folder = source.path.rsplit_once('/').map_or("", |(dir, _)| dir);
    if names.iter().any(|name| is_secondary(name)) || is_secondary(folder) || folder.contains("grpc") {
        weight -= 45;
    }
    (weight, origin)
}

/// The flag that sets a variable: `flag.StringVar(&variable, "name", ...)`.
fn flag_of(source: &Source, variable: &str) -> Option<String> {
    let found = source.tokens.windows(6).find(|w| {
        w[0].word().is_some_and(is_flag_call)
            && w[1].is('(')
            && w[2].is('&')
            && w[3].word() == Some(variable)
            && w[4].is(',')
    })?;
    found[5].text().map(str::to_owned)
}

fn uses_cobra(source: &Source) -> bool {
    source.imports.iter().any(|(path, _)| path == "github.com/spf13/cobra")
}

fn imports(source: &Source, path: &str) -> bool {
    source.imports.iter().any(|(import, _)| import == path)
}

fn is_serving_call(name: &str) -> bool {
    matches!(
        name,
        "ListenAndServe"
            | "ListenAndServeTLS"
            | "Listen"
            | "ListenTLS"
            | "Run"
            | "RunTLS"
            | "Start"
            | "StartTLS"
            | "Serve"
    )
}

fn is_flag_call(name: &str) -> bool {
    ["String", "Int", "Uint"].iter().any(|kind| {
        name.strip_prefix(kind)
            .is_some_and(|rest| matches!(rest, "" | "Var" | "P" | "VarP" | "16" | "16Var" | "16P" | "16VarP"))
    })
}

/// A struct tag such as `env:"PORT" envDefault:"8080"`, on the field before it; without a default, a sample of the
/// `.env` file has one.
fn tagged(tree: &dyn Tree, source: &Source, index: usize, tags: &str) -> Option<Listen> {
    let variable = ["env", "envconfig"].iter().find_map(|name| tag(tags, name)).and_then(|name| name.split(',').next());
    let field = source.tokens[index.saturating_sub(3)..index].iter().find_map(|token| token.word()).unwrap_or_default();
    let mut named = [Some(field), variable].into_iter().flatten();
    if !named.clone().any(is_port_name) || named.clone().any(is_others) {
        return None;
    }
    let default = ["envDefault", "env-default", "default"].iter().find_map(|name| tag(tags, name)).map(str::to_owned);
    let (value, path, line) = match default {
        Some(value) => (value, source.path.clone(), source.tokens[index].line),
        None => sample::variable(tree, variable?)?,
    };
    let (host, port) = split(&value).filter(|(_, port)| !is_others_port(*port))?;
    let weight = if named.any(is_secondary) { 45 } else { 90 };
    let origin = variable.filter(|name| is_variable(name)).map_or(Origin::Code, |name| Origin::Env(name.to_owned()));
    let (bare, host) = (host.is_none(), host.unwrap_or_default());
    Some(Listen { port, host, bare, origin, weight, path, line })
}

fn tag<'a>(tags: &'a str, name: &str) -> Option<&'a str> {
    tags.split_whitespace().find_map(|part| {
        part.strip_prefix(name)?.strip_prefix(":\"")?.strip_suffix('"').filter(|value| !value.is_empty())
    })
}

/// `router.Run()` without an address: gin takes `PORT`, else 8080.
fn gin_default(source: &Source) -> Option<u32> {
    if !imports(source, "github.com/gin-gonic/gin") {
        return None;
    }
    let mut windows = source.tokens.windows(4);
    let run = windows.find(|w| w[0].is('.') && w[1].word() == Some("Run") && w[2].is('(') && w[3].is(')'))?;
    Some(run[0].line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::MemTree;

    fn listens(code: &str) -> Option<(u16, String, Origin)> {
        let source = Source::parse("main.go", &format!("package main\nimport \"flag\"\n{code}\n"));
        address(&MemTree::default(), &[source]).map(|listen| (listen.port, listen.host, listen.origin))
    }

    #[test]
    fn an_address_counts_where_it_is_listened_on() {
        let code = |code| listens(code).map(|(port, ..)| port);
        assert_eq!(code("func main() { http.ListenAndServe(\":8080\", nil) }"), Some(8080));
        assert_eq!(code("var s = http.Server{Addr: \"0.0.0.0:3000\"}"), Some(3000));
        assert_eq!(code("const redisAddr = \"localhost:7777\""), None);
        assert_eq!(code("var dsn = \"postgres://u@db:5432/x\""), None);
        assert_eq!(code("const metricsAddr = \":9091\"\nconst addr = \":8000\""), Some(8000));
        assert_eq!(code("var x = 8080"), None);
        assert_eq!(code("func main() { viper.SetDefault(\"server.port\", 8081) }"), Some(8081));
        assert_eq!(code("type c struct { Port int `env:\"APP_PORT\" envDefault:\"8123\"` }"), Some(8123));
        assert_eq!(code("func f() { net.Dial(\"tcp\", \"127.0.0.1:4000\") }"), None);
    }

    #[test]
    fn what_sets_the_address_is_known() {
        assert_eq!(
            listens("var a = flag.String(\"addr\", \"127.0.0.1:8080\", \"where\")"),
            Some((8080, "127.0.0.1".into(), Origin::Flag { name: "addr".into(), cobra: false }))
        );
        assert_eq!(
            listens("func main() { flag.StringVar(&p, \"port\", env(\"WHO_PORT\", \"80\"), \"\") }"),
            Some((80, String::new(), Origin::Env("WHO_PORT".into())))
        );
    }

    #[test]
    fn a_sample_says_what_the_code_does_not() {
        let tree = MemTree::from([(
            "config.toml.sample",
            "[app]\n# address = \"x:1\"\naddress = \"localhost:9000\"\n[db]\nport = 5433\n",
        )]);
        let listen = address(&tree, &[]).unwrap();
        assert_eq!((listen.port, listen.line, listen.is_loopback()), (9000, 3, true));
    }
}
