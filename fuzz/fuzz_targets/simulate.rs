//! Whatever two Dockerfiles say, simulating one after the other does not panic, and the same again is all reused.
//!
//! `cargo +nightly fuzz run simulate`
#![no_main]

use dockerfile_gen::MemTree;
use dockerfile_gen::context::Dockerignore;
use dockerfile_gen::dockerfile::Dockerfile;
use dockerfile_gen::simulate::{Builder, Cause, Context, Input};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|texts: (&str, &str)| {
    let tree = MemTree::from([("a", "1"), ("b/c", "2"), ("b/d.txt", "3"), ("go.mod", "4")]);
    let mut builder = Builder::new();
    for text in [texts.0, texts.1, texts.1] {
        let (file, _) = Dockerfile::parse_lenient(text);
        let input = Input::new(&file, Context { tree: &tree, ignore: Dockerignore::default() });
        let first = builder.build(&input);
        if let (Ok(_), Ok(again)) = (first, builder.build(&input)) {
            assert!(again.steps.iter().all(|step| step.cached == Some(true) || step.why == Cause::Unneeded));
        }
    }
});
