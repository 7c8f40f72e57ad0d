use dockerfile_macros::dockerfile;

const TOO_HIGH: &str = dockerfile! { port: 70000 };
const ZERO: &str = dockerfile! { port: 0 };
const IMAGE: &str = dockerfile! { stack: go, base: "debian; rm -rf /" };
const USER: &str = dockerfile! { user: "no body" };
const PACKAGE: &str = dockerfile! { packages: ["libpq5", "curl && evil"] };
const NAME: &str = dockerfile! { env: { "A B": "c" } };
const RATE: &str = dockerfile! { rates: { sources: 0.5 } };

fn main() {}
