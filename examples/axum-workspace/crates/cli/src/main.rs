//! Prints products as JSON, one a line: those that are named, or all.

use std::{env, process::ExitCode};

use shop_catalog::Product;

fn main() -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    let mut wanted: Vec<Product> = Vec::new();
    for sku in env::args().skip(1) {
        match shop_catalog::find(&sku) {
            Some(product) => wanted.push(product),
            None => {
                eprintln!("no such product: `{sku}`");
                code = ExitCode::FAILURE;
            }
        }
    }
    if env::args().len() <= 1 {
        wanted.extend(shop_catalog::products());
    }
    for product in wanted {
        println!("{}", serde_json::json!(product));
    }
    code
}
