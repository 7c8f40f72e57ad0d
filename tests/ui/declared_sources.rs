use dockerfile_macros::dockerfile;

const MISSING: &str = dockerfile! {
    folder "../../../tmp/ui-service";
    stage build from "golang:1.25-trixie" {
        copy ["go.mod", "go.smu"] => "./";
    }
};
const LEFT_OUT: &str = dockerfile! {
    folder "../../../tmp/ui-service";
    stage build from "golang:1.25-trixie" {
        copy "README.md" => "./";
    }
};
const BOUND: &str = dockerfile! {
    folder "../../../tmp/ui-service";
    stage build from "golang:1.25-trixie" {
        run "go generate" { bind: { "templates": "/templates" } }
    }
};
const NO_FOLDER: &str = dockerfile! {
    folder "../../../tmp/ui-service";
    stage build from "golang:1.25-trixie" {
        copy ["go.mod", "main.go"] => "/src";
    }
};

fn main() {}
