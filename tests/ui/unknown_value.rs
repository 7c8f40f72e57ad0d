use dockerfile_macros::dockerfile;

const STACK: &str = dockerfile! { stack: rst };
const MANIFESTS: &str = dockerfile! { manifests: all };

fn main() {}
