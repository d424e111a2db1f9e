//! The HTTP half of the protocol, below `/check`; the block list's endpoint, `POST /blocklist`; and what the service has seen:
//! `GET /seen/asked` (the number of questions), `GET /seen/listed` (new entries, a line each).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Extension, Router};

use crate::script::Script;
use crate::{Reset, Seen, act};

/// The routes.
pub fn router(seen: Arc<Seen>) -> Router {
    Router::new()
        .route("/check/{*path}", any(check))
        .route("/blocklist", post(listed))
        .route("/seen/asked", get(asked))
        .route("/seen/listed", get(entries))
        .with_state(seen)
}

async fn check(
    State(seen): State<Arc<Seen>>,
    Extension(reset): Extension<Reset>,
    headers: HeaderMap,
) -> Response {
    seen.asked.fetch_add(1, Ordering::Relaxed);
    let value = headers
        .get("x-verdict")
        .and_then(|value| value.to_str().ok());
    let script = Script::read(value);
    act(&script, &reset).await;
    let denied = |status: StatusCode, reason: &'static str| {
        (status, [("x-defense-reason", reason)]).into_response()
    };
    match script.word.as_str() {
        "none" => AppendHeaders([
            ("x-user", "kim"),
            ("x-tag", "checked"),
            ("x-checked", "yes"),
        ])
        .into_response(),
        "challenge" => denied(StatusCode::PRECONDITION_REQUIRED, "CHALLENGE_REQUIRED"),
        "block" => denied(StatusCode::FORBIDDEN, "BLOCKED"),
        "denied" => (
            StatusCode::UNAUTHORIZED,
            [("www-authenticate", "Bearer")],
            "who are you",
        )
            .into_response(),
        "error" => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        _ => match script.throttle() {
            Some(millis) => {
                AppendHeaders([("x-defense-throttle-ms", millis.to_owned())]).into_response()
            }
            None => StatusCode::BAD_GATEWAY.into_response(),
        },
    }
}

async fn listed(State(seen): State<Arc<Seen>>, entry: String) -> StatusCode {
    if let Ok(mut listed) = seen.listed.lock() {
        listed.push(entry);
    }
    StatusCode::NO_CONTENT
}

async fn asked(State(seen): State<Arc<Seen>>) -> String {
    seen.asked.load(Ordering::Relaxed).to_string()
}

async fn entries(State(seen): State<Arc<Seen>>) -> String {
    seen.listed
        .lock()
        .map(|listed| listed.join("\n"))
        .unwrap_or_default()
}
