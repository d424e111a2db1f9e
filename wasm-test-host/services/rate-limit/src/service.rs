//! Envoy's questions to Limitador, its answers back.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use envoy_types::pb::envoy::service::ratelimit::v3::rate_limit_response::rate_limit::Unit;
use envoy_types::pb::envoy::service::ratelimit::v3::rate_limit_response::{
    Code, DescriptorStatus, RateLimit,
};
use envoy_types::pb::envoy::service::ratelimit::v3::rate_limit_service_server::RateLimitService;
use envoy_types::pb::envoy::service::ratelimit::v3::{RateLimitRequest, RateLimitResponse};
use envoy_types::pb::google;
use limitador::counter::Counter;
use limitador::limit::{Condition, Limit};
use limitador::storage::redis::AsyncRedisStorage;
use limitador::{AsyncRateLimiter, CheckResult};
use serde::Deserialize;
use tokio::sync::Mutex;
use tonic::{Request, Response, Status};

/// How long Redis may take.
const REDIS_TIMEOUT: Duration = Duration::from_secs(1);

/// A limit as the command line writes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LimitSpec {
    domain: String,
    name: String,
    max_value: i64,
    seconds: u64,
    #[serde(default)]
    conditions: Vec<String>,
    #[serde(default)]
    variables: Vec<String>,
}

impl LimitSpec {
    fn compile(self) -> Result<Limit> {
        let conditions = self.conditions.into_iter().map(Condition::try_from);
        let conditions: Vec<Condition> = conditions
            .collect::<Result<_, _>>()
            .map_err(|error| anyhow::anyhow!("conditions: {error}"))?;
        let mut limit = Limit::new(
            self.domain,
            self.max_value,
            self.seconds,
            conditions,
            self.variables,
        );
        limit.set_name(self.name);
        Ok(limit)
    }
}

/// The service. Limitador reads a counter in Redis and then writes it; one question at a time makes that exact.
pub struct Service {
    limiter: Mutex<AsyncRateLimiter>,
}

impl Service {
    /// Connects to Redis and takes the limits.
    pub async fn new(redis: &str, limits: &str) -> Result<Self> {
        let storage = AsyncRedisStorage::new(redis).await.context("Redis")?;
        let limiter = AsyncRateLimiter::new_with_storage(Box::new(storage));
        let limits: Vec<LimitSpec> = serde_json::from_str(limits).context("limits")?;
        for limit in limits {
            limiter.add_limit(limit.compile()?);
        }
        Ok(Self {
            limiter: Mutex::new(limiter),
        })
    }
}

#[tonic::async_trait]
impl RateLimitService for Service {
    async fn should_rate_limit(
        &self,
        request: Request<RateLimitRequest>,
    ) -> Result<Response<RateLimitResponse>, Status> {
        let request = request.into_inner();
        let count = request.descriptors.len();
        let values: HashMap<String, String> = request
            .descriptors
            .into_iter()
            .flat_map(|descriptor| descriptor.entries)
            .map(|entry| (entry.key, entry.value))
            .collect();
        let namespace = request.domain.into();
        let delta = i64::from(request.hits_addend.max(1));
        let check = async {
            let limiter = self.limiter.lock().await;
            limiter
                .check_rate_limited_and_update(&namespace, &values, delta, true)
                .await
        };
        match tokio::time::timeout(REDIS_TIMEOUT, check).await {
            Ok(Ok(result)) => Ok(Response::new(answer(&result, count))),
            Ok(Err(error)) => {
                eprintln!("rate-limit-service: {error}");
                Err(Status::unavailable(error.to_string()))
            }
            Err(_) => Err(Status::unavailable("Redis does not answer")),
        }
    }
}

fn answer(result: &CheckResult, descriptors: usize) -> RateLimitResponse {
    let code = if result.limited {
        Code::OverLimit
    } else {
        Code::Ok
    };
    let scarcest = result
        .counters
        .iter()
        .min_by_key(|counter| counter.remaining().unwrap_or(i64::MAX));
    // The protocol wants one status for each descriptor; Limitador's limits are of the whole request.
    let status = DescriptorStatus {
        code: code.into(),
        current_limit: scarcest.map(limit),
        limit_remaining: scarcest
            .and_then(Counter::remaining)
            .map_or(0, |left| u32::try_from(left).unwrap_or(0)),
        duration_until_reset: scarcest.and_then(Counter::expires_in).map(|left| {
            google::protobuf::Duration {
                seconds: left.as_secs() as i64,
                nanos: left.subsec_nanos() as i32,
            }
        }),
        quota: None,
    };
    RateLimitResponse {
        overall_code: code.into(),
        statuses: vec![status; descriptors],
        ..Default::default()
    }
}

fn limit(counter: &Counter) -> RateLimit {
    let unit = match counter.seconds() {
        1 => Unit::Second,
        60 => Unit::Minute,
        3_600 => Unit::Hour,
        86_400 => Unit::Day,
        _ => Unit::Unknown,
    };
    RateLimit {
        name: counter.limit().name().unwrap_or_default().to_owned(),
        requests_per_unit: u32::try_from(counter.max_value()).unwrap_or(u32::MAX),
        unit: unit.into(),
    }
}
