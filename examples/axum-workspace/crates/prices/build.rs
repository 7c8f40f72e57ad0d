//! Turns `data/prices.csv` into a sorted table, so that a bad line fails the build and not a request.

use std::{collections::BTreeMap, env, error::Error, fmt::Write, fs, path::Path};

const DATA: &str = "data/prices.csv";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={DATA}");
    let mut prices = BTreeMap::new();
    for (index, line) in fs::read_to_string(DATA)?.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (sku, cents) = line
            .split_once(',')
            .ok_or_else(|| format!("{DATA}:{}: no comma", index + 1))?;
        let cents: u32 = cents
            .parse()
            .map_err(|error| format!("{DATA}:{}: {error}", index + 1))?;
        if prices.insert(sku.to_owned(), cents).is_some() {
            return Err(format!("{DATA}:{}: `{sku}` has a price already", index + 1).into());
        }
    }
    let mut table = String::from("&[\n");
    for (sku, cents) in prices {
        writeln!(table, "    ({sku:?}, {cents}),")?;
    }
    table.push_str("]\n");
    let out = env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
    fs::write(Path::new(&out).join("prices.rs"), table)?;
    Ok(())
}
