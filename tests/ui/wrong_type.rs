use dockerfile_macros::dockerfile;

const PORT: &str = dockerfile! { port: "8080" };
const LIST: &str = dockerfile! { packages: "libpq5" };
const ITEM: &str = dockerfile! { packages: ["libpq5", 5] };
const TRUTH: &str = dockerfile! { compat: yes };
const MAP: &str = dockerfile! { env: ["RUST_LOG"] };
const BARE: &str = dockerfile! { bin: server };
const MISSING: &str = dockerfile! { steps: [{ name: "a" }] };

fn main() {}
