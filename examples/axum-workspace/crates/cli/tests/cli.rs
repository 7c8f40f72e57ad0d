use std::process::Command;

fn shop(args: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_shop-cli"))
        .args(args)
        .output()
        .unwrap();
    (
        output.status.success(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[test]
fn prints_the_named_product() {
    let (success, stdout) = shop(&["mug"]);
    assert!(success);
    assert!(stdout.contains(r#""cents":1250"#), "{stdout}");
}

#[test]
fn fails_for_an_unknown_product() {
    let (success, stdout) = shop(&["yacht"]);
    assert!(!success);
    assert_eq!(stdout, "");
}
