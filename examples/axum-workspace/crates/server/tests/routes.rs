use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use serde_json::{Value, json};
use tower::ServiceExt;

async fn get(path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = shop_server::router().oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 64 * 1024).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn health_answers_ok() {
    assert_eq!(get("/health").await, (StatusCode::OK, "ok\n".to_owned()));
}

#[tokio::test]
async fn products_are_listed_with_their_prices() {
    let (status, body) = get("/products").await;
    assert_eq!(status, StatusCode::OK);
    let products: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        products[0],
        json!({ "sku": "mug", "name": "Enamel mug", "cents": 1250 })
    );
}

#[tokio::test]
async fn an_unknown_product_is_not_found() {
    let (status, body) = get("/products/yacht").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(body.contains("yacht"), "{body}");
}
