//! Whatever the text, parsing does not panic and gives the text back.
//!
//! `cargo +nightly fuzz run parse`; the files in `tests/corpus` are good seeds.
#![no_main]

use dockerfile_gen::dockerfile::Dockerfile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (file, _) = Dockerfile::parse_lenient(text);
    assert_eq!(file.to_string(), text);
    for instruction in &file.instructions {
        let _ = file.text(instruction.span);
        let _ = instruction.run_command();
    }
    let _ = file.stages();
});
