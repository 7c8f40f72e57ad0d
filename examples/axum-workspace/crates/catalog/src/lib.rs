//! What the shop sells.

use serde::Serialize;

const ARTICLES: &[(&str, &str)] = &[
    ("mug", "Enamel mug"),
    ("poster", "Silk-screen poster"),
    ("sticker", "Sticker"),
    ("tote", "Tote bag"),
];

/// One article on sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Product {
    pub sku: &'static str,
    pub name: &'static str,
    pub cents: u32,
}

/// All articles that have a price, sorted by article number.
pub fn products() -> impl Iterator<Item = Product> {
    ARTICLES.iter().filter_map(|&(sku, name)| {
        shop_prices::cents(sku).map(|cents| Product { sku, name, cents })
    })
}

/// The article with this number.
pub fn find(sku: &str) -> Option<Product> {
    products().find(|product| product.sku == sku)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_article_has_a_price() {
        assert_eq!(products().count(), ARTICLES.len());
    }

    #[test]
    fn a_product_is_a_flat_json_object() {
        let json = serde_json::to_string(&find("mug")).unwrap();
        assert_eq!(json, r#"{"sku":"mug","name":"Enamel mug","cents":1250}"#);
    }
}
