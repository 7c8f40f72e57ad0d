use dockerfile_macros::dockerfile;

const TWICE: &str = dockerfile! { port: 1, port: 2 };
const EQUALS: &str = dockerfile! { port = 1 };
const NOTHING: &str = dockerfile! { port: };
const COMMA: &str = dockerfile! { port: 1 bin: "a" };

fn main() {}
