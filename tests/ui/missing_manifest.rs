use dockerfile_macros::dockerfile;

const NO_MODULE: &str = dockerfile! { folder: "../../../tmp/ui-nothing", stack: go };
const NO_FOLDER: &str = dockerfile! { folder: "../../../tmp/ui-nowhere" };

fn main() {}
