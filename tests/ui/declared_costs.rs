#![deny(deprecated)]

use dockerfile_macros::dockerfile;

const LATE: &str = dockerfile! {
    folder "../../../tmp/ui-service";
    stage build from "golang:1.25-trixie" {
        workdir "/src";
        copy "." => "./";
        run "go build -o /app";
    }
};
const NO_MATCH: &str = dockerfile! {
    folder "../../../tmp/ui-service";
    stage build from "golang:1.25-trixie" {
        copy ["go.mod", "*.sum"] => "/src/";
    }
};

fn main() {}
