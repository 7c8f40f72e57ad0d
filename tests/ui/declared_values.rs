use dockerfile_macros::dockerfile;

const PORT: &str = dockerfile! {
    stage last from "scratch" {
        expose 70000;
    }
};
const ZERO: &str = dockerfile! {
    stage last from "scratch" {
        expose 0;
    }
};
const USER: &str = dockerfile! {
    stage last from "scratch" {
        user "no body";
    }
};
const NAME: &str = dockerfile! {
    stage last from "scratch" {
        env { "A B": "c" }
    }
};
const OPTION: &str = dockerfile! {
    stage last from "debian:trixie-slim" {
        run "make" { cahce: ["/root/.cache"] };
    }
};
const MOUNT: &str = dockerfile! {
    stage last from "debian:trixie-slim" {
        run "make" { cache: ["/root/my cache"] };
    }
};

fn main() {}
