fn main() -> dockerfile_gen::Result<()> {
    dockerfile_gen::build_script::regenerate()
}
