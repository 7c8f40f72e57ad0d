//! The price list of the shop, compiled in from `data/prices.csv`.

/// Article numbers and prices in cents, sorted by article number.
static PRICES: &[(&str, u32)] = include!(concat!(env!("OUT_DIR"), "/prices.rs"));

/// The price of an article in cents.
pub fn cents(sku: &str) -> Option<u32> {
    let index = PRICES
        .binary_search_by_key(&sku, |&(known, _)| known)
        .ok()?;
    PRICES.get(index).map(|&(_, cents)| cents)
}

#[cfg(test)]
mod tests {
    use super::cents;

    #[test]
    fn knows_the_prices_of_the_data_file() {
        assert_eq!(cents("mug"), Some(1250));
        assert_eq!(cents("tote"), Some(2100));
        assert_eq!(cents("yacht"), None);
    }
}
