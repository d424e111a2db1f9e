//! `rate-limit-service REDIS_URL LIMITS_JSON` serves `envoy.service.ratelimit.v3` on a free port of 127.0.0.1, says which
//! (`listening on 127.0.0.1:PORT`), and runs until it is killed.
//!
//! The limits are a list of `{"domain", "name", "maxValue", "seconds", "conditions", "variables"}`; conditions
//! (`route == 'login'`) and variables (`remote_address`) are about the entries of all descriptors together, as in Limitador.
#![forbid(unsafe_code)]

mod service;

use anyhow::{Context, Result};
use envoy_types::pb::envoy::service::ratelimit::v3::rate_limit_service_server::RateLimitServiceServer;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use service::Service;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: rate-limit-service REDIS_URL LIMITS_JSON";
    let redis = arguments.next().context(usage)?;
    let limits = arguments.next().context(usage)?;
    let service = Service::new(&redis, &limits).await?;
    let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into())?;
    println!("listening on {}", incoming.local_addr()?);
    Server::builder()
        .add_service(RateLimitServiceServer::new(service))
        .serve_with_incoming(incoming)
        .await?;
    Ok(())
}
