use dockerfile_macros::dockerfile;

const STEP: &str = dockerfile! {
    stage last from "scratch" {
        cpoy "a" => "b";
    }
};
const SEMICOLON: &str = dockerfile! {
    stage last from "scratch" {
        workdir "/a"
        user "1:1";
    }
};
const ARROW: &str = dockerfile! {
    stage last from "scratch" {
        copy "a", "b";
    }
};
const FROM: &str = dockerfile! {
    stage last {}
};
const NOTHING: &str = dockerfile! {
    folder ".";
};
const ATTRIBUTE: &str = dockerfile! {
    #[cfg(unix)]
    stage last from "scratch" {}
};

fn main() {}
