//! The routes of the shop.

use axum::{
    Json, Router,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;
use shop_catalog::Product;

/// The whole service, without a socket.
pub fn router() -> Router {
    Router::new()
        .route(
            "/",
            get(|| async { concat!("shop ", env!("CARGO_PKG_VERSION"), "\n") }),
        )
        .route("/health", get(|| async { "ok\n" }))
        .route("/products", get(list))
        .route("/products/{sku}", get(show))
}

async fn list() -> Json<Vec<Product>> {
    Json(shop_catalog::products().collect())
}

async fn show(Path(sku): Path<String>) -> Response {
    match shop_catalog::find(&sku) {
        Some(product) => Json(product).into_response(),
        None => (
            StatusCode::NOT_FOUND,
            Json(json!({ "error": "no such product", "sku": sku })),
        )
            .into_response(),
    }
}
