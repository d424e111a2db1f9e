//! `ext-authz-service [PORT]` serves Envoy's ext_authz protocol on 127.0.0.1, gRPC and HTTP on the same port (a free one if none
//! is given), says which (`listening on 127.0.0.1:PORT`), and runs until it is killed. What it answers is in the request's header
//! `x-verdict`: [`script`]. It also is the endpoint that a block list tells its new entries, and tells what it was asked:
//! [`http`].
#![forbid(unsafe_code)]

mod grpc;
mod http;
mod script;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use axum::Extension;
use envoy_types::pb::envoy::service::auth::v3::authorization_server::AuthorizationServer;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tonic::service::Routes;

/// What the service has seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// Questions.
    asked: AtomicU64,
    /// New entries of the block list, as they were told.
    listed: Mutex<Vec<String>>,
}

/// Ends the connection that the call came on, without an answer.
#[derive(Clone, Debug, Default)]
pub struct Reset(Arc<Notify>);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let port: u16 = match std::env::args().nth(1) {
        Some(port) => port.parse()?,
        None => 0,
    };
    let seen = Arc::new(Seen::default());
    let service = AuthorizationServer::new(grpc::Service(seen.clone()));
    let router = Routes::new(service)
        .into_axum_router()
        .merge(http::router(seen));
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // A connection that is dropped is reset, not ended.
        stream.set_zero_linger()?;
        let reset = Reset::default();
        let service = TowerToHyperService::new(router.clone().layer(Extension(reset.clone())));
        tokio::spawn(async move {
            let builder = auto::Builder::new(TokioExecutor::new());
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                // The peer's end of it is no concern of ours.
                _ = connection => {}
                () = reset.0.notified() => {}
            }
        });
    }
}

/// Waits as long as a script says; for ever for `hang`, and after `reset` until the connection is gone.
pub(crate) async fn act(script: &script::Script, reset: &Reset) {
    if let Some(delay) = script.delay {
        tokio::time::sleep(delay).await;
    }
    if script.resets() {
        reset.0.notify_one();
    }
    if script.resets() || script.hangs() {
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
}
