//! What the client gets to see: the answer to a limited request, and headers that tell about its limits.

use std::fmt::Write;

use backstop_http::{Exchange, Headers};
use backstop_policy::Answer;

use crate::bucket::seconds;
use crate::config::Mode;
use crate::decision::{Check, Decision, Outcome};
use crate::limiter::Limiter;
use crate::policy::CompiledLimit;

/// gRPC's RESOURCE_EXHAUSTED.
const RESOURCE_EXHAUSTED: u32 = 8;

/// What one limit tells the client.
struct Told<'a> {
    limit: &'a CompiledLimit,
    remaining: u32,
    /// Seconds for which the remaining tokens have to do.
    reset: u64,
}

impl Limiter {
    /// The answer to a limited request; `None` for one that passes.
    pub fn answer(&self, decision: &Decision, headers: &Headers) -> Option<Answer> {
        if let Some(ruling) = &decision.ruling
            && ruling.outcome == Outcome::Limited
        {
            return self.answer_to(ruling, headers);
        }
        let refusing = decision.refusing()?;
        let name = self.name(refusing);
        let response = &self.policy().response;
        let id = headers.first(b"x-request-id").unwrap_or_default();
        let mut answer = response.answer(
            response.status(),
            format!("backstop_rate_limit{{{name}}}"),
            id,
            Exchange::of(headers).is_grpc(),
        );
        if answer.grpc_status.is_some() {
            answer.grpc_status = Some(RESOURCE_EXHAUSTED);
        }
        if self.policy().headers.retry_after {
            answer.headers.push((
                "retry-after".to_owned(),
                seconds(refusing.wait_nanos).max(1).to_string(),
            ));
        }
        answer.headers.extend(self.limit_headers(decision));
        Some(answer)
    }

    /// Headers for the response to a request that passes: those of the rate-limit service, and the limits' if they are
    /// configured, as far as the service does not write them.
    pub fn response_headers(&self, decision: &Decision) -> Vec<(String, String)> {
        if decision.is_limited() {
            return Vec::new();
        }
        let told = decision.ruling.as_ref();
        let mut headers = told.map_or_else(Vec::new, |told| told.answer.response_headers.clone());
        if self.policy().headers.on_allowed {
            let mut ours = self.limit_headers(decision);
            ours.retain(|(name, _)| !headers.iter().any(|(other, _)| other == name));
            headers.extend(ours);
        }
        headers
    }

    /// The verdict in filter state, for access logs: `limited:login`, `shadow:login`, `limited:global:shop`,
    /// `timeout:global:shop` (of a service that did not say), or `allowed`.
    pub fn verdict(&self, decision: &Decision) -> String {
        if let (Some(ruling), Some(global)) = (&decision.ruling, &self.policy().global)
            && (ruling.failure.is_some() || ruling.outcome != Outcome::Allowed)
        {
            return format!("{}:{}", ruling.word(), global.name());
        }
        match decision.lead() {
            Some(lead) if matches!(lead.outcome, Outcome::Limited | Outcome::WouldLimit) => {
                format!("{}:{}", lead.outcome.word(), self.name(lead))
            }
            _ => Outcome::Allowed.word().to_owned(),
        }
    }

    /// The name of a check's limit.
    pub fn name(&self, check: &Check) -> &str {
        self.limit(check).map_or("", |limit| limit.name.as_str())
    }

    /// Whole tokens in a check's bucket, and how many it holds; `None` where there is no bucket.
    pub fn tokens(&self, check: &Check) -> Option<(u32, u32)> {
        let rate = &self.limit(check)?.rate;
        let (full_at, now) = check.bucket?;
        Some((rate.remaining(full_at, now), rate.max_tokens))
    }

    pub(crate) fn limit(&self, check: &Check) -> Option<&CompiledLimit> {
        self.policy().limits.get(check.limit)
    }

    fn told(&self, decision: &Decision, check: &Check) -> Option<Told<'_>> {
        let limit = self.limit(check)?;
        let (remaining, _) = self.tokens(check)?;
        if decision.mode(limit.mode) == Mode::Shadow {
            return None;
        }
        // Not a point in time before Retry-After; else the time in which so many tokens come back, so that who keeps to it
        // keeps to the rate (draft-ietf-httpapi-ratelimit-headers, sections 6 and 8.5).
        let reset = match check.outcome {
            Outcome::Limited => seconds(check.wait_nanos),
            _ => seconds(limit.rate.time_of(remaining).nanos),
        };
        Some(Told {
            limit,
            remaining,
            reset: reset.max(1),
        })
    }

    fn limit_headers(&self, decision: &Decision) -> Vec<(String, String)> {
        let wanted = &self.policy().headers;
        let mut headers = Vec::new();
        if !wanted.x_rate_limit && !wanted.rate_limit {
            return headers;
        }
        let told: Vec<Told<'_>> = decision
            .checks
            .iter()
            .filter_map(|check| self.told(decision, check))
            .collect();
        // Of several with as few tokens, the one to wait for the longest.
        let Some(scarcest) = told
            .iter()
            .min_by_key(|told| (told.remaining, u64::MAX - told.reset))
        else {
            return headers;
        };
        if wanted.x_rate_limit {
            // draft-polli-ratelimit-headers-03, with the comments that Envoy's rate-limit filter adds.
            let mut quotas = scarcest.limit.rate.max_tokens.to_string();
            for Told { limit, .. } in &told {
                let _ = write!(
                    quotas,
                    ", {};w={};name=\"{}\"",
                    limit.rate.max_tokens,
                    limit.rate.window_seconds(),
                    limit.name
                );
            }
            let mut push = |name: &str, value: String| headers.push((name.to_owned(), value));
            push("x-ratelimit-limit", quotas);
            push("x-ratelimit-remaining", scarcest.remaining.to_string());
            push("x-ratelimit-reset", scarcest.reset.to_string());
        }
        if wanted.rate_limit {
            let mut policy = String::new();
            let mut state = String::new();
            for Told {
                limit,
                remaining,
                reset,
            } in &told
            {
                let comma = if policy.is_empty() { "" } else { ", " };
                // Names are of letters that need no escape in a structured field's string (RFC 9651).
                let _ = write!(
                    policy,
                    "{comma}\"{}\";q={};w={}",
                    limit.name,
                    limit.rate.max_tokens,
                    limit.rate.window_seconds()
                );
                let _ = write!(state, "{comma}\"{}\";r={remaining};t={reset}", limit.name);
            }
            headers.push(("ratelimit-policy".to_owned(), policy));
            headers.push(("ratelimit".to_owned(), state));
        }
        headers
    }
}
