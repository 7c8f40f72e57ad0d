use dockerfile_macros::{dockerfile, dockerignore};

const NEAR: &str = dockerfile! { stack: go, prt: 8080 };
const FAR: &str = dockerignore! { whatever_is_this: 1 };
const NESTED: &str = dockerfile! { steps: [{ name: "a", run: "b", need: ["c"] }] };

fn main() {}
