//! What the gate asks the block list, and tells it.

use std::net::IpAddr;

use backstop_http::{Headers, client_address};
use backstop_table::Unavailable;

use crate::block_list::{Fed, Report, Subject, Why};
use crate::config::{Category, Mode};
use crate::gate::{Gate, Host, Pending};
use crate::key::cookie;
use crate::notify::{Entry, Source};
use crate::outcome::Event;

/// What became of a detection.
#[derive(Debug)]
pub struct DetectionReport {
    /// What is to be counted.
    pub events: Vec<Event>,
    /// What the block list's endpoint is to be told.
    pub notify: Option<String>,
}

impl Gate {
    /// A detection of the WAF in this client's request. `matched` is what was found, masked.
    pub fn detection(
        &self,
        host: &impl Host,
        headers: &Headers,
        category: Category,
        rule: &str,
        matched: &[u8],
    ) -> DetectionReport {
        let mut report = DetectionReport {
            events: Vec::new(),
            notify: None,
        };
        let client = host
            .source_address()
            .and_then(|address| client_address(&address));
        let (Some(list), Some(client)) = (&self.policy.block_list, client) else {
            return report;
        };
        let now = host.clock_nanos();
        let fed = list.detection(host, self.seed, client, category, now);
        if count(fed, &mut report.events) {
            report.notify = Some(
                Entry {
                    ip: &client.to_string(),
                    source: Source::Waf {
                        category: category.id(),
                        rule,
                        matched,
                    },
                    path: headers.path(),
                }
                .to_json(),
            );
        }
        report
    }

    /// Whether the request's client or session is listed, and what that means.
    pub(crate) fn listed(
        &self,
        host: &impl Host,
        headers: &Headers,
        client: Option<IpAddr>,
        now: u64,
        events: &mut Vec<Event>,
    ) -> Option<(Why, Mode)> {
        let list = self.policy.block_list.as_ref()?;
        let session = list
            .session_cookie
            .as_ref()
            .and_then(|name| cookie(headers, name));
        let subjects = [client.map(Subject::Address), session.map(Subject::Session)];
        for subject in subjects.into_iter().flatten() {
            match list.lookup(host, self.seed, subject, now) {
                Ok(Some(why)) => return Some((why, list.mode)),
                Ok(None) => {}
                Err(Unavailable) => events.push(Event::SharedDataUnavailable),
            }
        }
        None
    }

    /// Lists the client of a BLOCK verdict; what the endpoint is to be told.
    pub(crate) fn list(
        &self,
        host: &impl Host,
        pending: &mut Pending,
        headers: &Headers,
    ) -> Vec<String> {
        let mut notify = Vec::new();
        let (Some(list), Some(api)) = (&self.policy.block_list, self.api(pending.api)) else {
            return notify;
        };
        let now = host.clock_nanos();
        let session = list
            .session_cookie
            .as_ref()
            .and_then(|name| cookie(headers, name));
        let subjects = [
            pending.client.map(Subject::Address),
            session.map(Subject::Session),
        ];
        for subject in subjects.into_iter().flatten() {
            let fed = list.verdict(host, self.seed, subject, now);
            let new = count(fed, &mut pending.events);
            if let (true, Subject::Address(address)) = (new, subject) {
                notify.push(
                    Entry {
                        ip: &address.to_string(),
                        source: Source::Verdict {
                            event_type: &api.event_type,
                        },
                        path: headers.path(),
                    }
                    .to_json(),
                );
            }
        }
        notify
    }
}

/// Notes what became of a report; whether it made a new entry.
fn count(report: Result<Report, Unavailable>, events: &mut Vec<Event>) -> bool {
    match report {
        Ok(Report { fed, displaced }) => {
            events.push(Event::Fed(fed));
            events.extend(displaced.map(Event::Displaced));
            matches!(fed, Fed::Listed(_))
        }
        Err(Unavailable) => {
            events.push(Event::SharedDataUnavailable);
            false
        }
    }
}
