use dockerfile_macros::dockerfile;

const UNKNOWN: &str = dockerfile! {
    stage build from "golang:1.25-trixie" {}
    stage last from "scratch" {
        copy "/out/app" from biuld => "/";
    }
};
const LATER: &str = dockerfile! {
    stage first from second {}
    stage second from "scratch" {}
};
const TWICE: &str = dockerfile! {
    stage build from "scratch" {}
    stage build from "scratch" {}
};
const NAME: &str = dockerfile! {
    stage Build from "scratch" {}
};
const IMAGE: &str = dockerfile! {
    stage build from "golang 1.25" {}
};

fn main() {}
