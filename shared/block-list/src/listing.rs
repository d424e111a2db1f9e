//! What a request's filters ask the list, and tell it.

use std::net::IpAddr;

use backstop_http::Headers;
use backstop_http::cookies::cookie;
use backstop_table::{Seed, SharedData, Unavailable};

use crate::config::Category;
use crate::event::Event;
use crate::list::{BlockList, Fed, Report, Subject, Why};
use crate::notify::{Entry, Source};

/// A list, put to its table.
#[derive(Clone, Debug)]
pub struct Listing {
    list: BlockList,
    seed: Seed,
}

/// What a WAF found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding<'a> {
    /// Of which category.
    pub category: Category,
    /// By which rule.
    pub rule: &'a str,
    /// What it was, at most 100 bytes, masked where it may be a secret.
    pub matched: &'a [u8],
}

/// What became of a report about a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feeding {
    /// What is to be counted.
    pub events: Vec<Event>,
    /// A new entry, as JSON ([`Entry::to_json`]), for the endpoint and the log.
    pub entry: Option<String>,
}

impl Listing {
    /// Puts a list to its table. `candidate` is sixteen random bytes.
    ///
    /// # Errors
    /// When the proxy has no shared data.
    pub fn open(
        list: BlockList,
        shared: &impl SharedData,
        candidate: [u8; 16],
    ) -> Result<Self, Unavailable> {
        let seed = Seed::agree(shared, b"backstop.block-list/seed", candidate)?;
        Ok(Self { list, seed })
    }

    /// The list.
    pub const fn list(&self) -> &BlockList {
        &self.list
    }

    /// Whether a request's client or its session is listed, and why.
    pub fn find(
        &self,
        shared: &impl SharedData,
        headers: &Headers,
        client: Option<IpAddr>,
        now: u64,
        events: &mut Vec<Event>,
    ) -> Option<Why> {
        let subjects = [
            client.map(Subject::Address),
            self.session(headers).map(Subject::Session),
        ];
        for subject in subjects.into_iter().flatten() {
            match self.list.lookup(shared, self.seed, subject, now) {
                Ok(Some(why)) => return Some(why),
                Ok(None) => {}
                Err(Unavailable) => events.push(Event::SharedDataUnavailable),
            }
        }
        None
    }

    /// What a WAF found in one request of this client. However much it is, it counts once: one of a category that lists at
    /// one hit, or else the first whose category is counted.
    pub fn detection<'a>(
        &self,
        shared: &impl SharedData,
        headers: &Headers,
        client: IpAddr,
        findings: impl Iterator<Item = Finding<'a>> + Clone,
        now: u64,
    ) -> Feeding {
        let at_once = |finding: &Finding<'_>| self.list.lists_at_once(finding.category);
        let counts = |finding: &Finding<'_>| self.list.counts(finding.category);
        let mut again = findings.clone();
        let Some(finding) = again
            .find(at_once)
            .or_else(|| findings.clone().find(counts))
        else {
            return Feeding::default();
        };
        let report = self
            .list
            .detection(shared, self.seed, client, finding.category, now);
        let source = Source::Waf {
            category: finding.category.id(),
            rule: finding.rule,
            matched: finding.matched,
        };
        fed(report, headers, client, source)
    }

    /// A BLOCK verdict on this client, on an API by its event type: lists the address, and the session where it is named.
    pub fn verdict(
        &self,
        shared: &impl SharedData,
        headers: &Headers,
        client: Option<IpAddr>,
        event_type: &str,
        now: u64,
    ) -> Feeding {
        let mut all = Feeding::default();
        if let Some(client) = client {
            let subject = Subject::Address(client);
            let report = self.list.verdict(shared, self.seed, subject, now);
            all = fed(report, headers, client, Source::Verdict { event_type });
        }
        if let Some(session) = self.session(headers) {
            // The endpoint knows addresses only.
            let subject = Subject::Session(session);
            let report = self.list.verdict(shared, self.seed, subject, now);
            count(report, &mut all.events);
        }
        all
    }

    fn session<'a>(&self, headers: &'a Headers) -> Option<&'a [u8]> {
        let name = self.list.session_cookie.as_ref()?;
        let value = cookie(headers, name).once()?;
        (!value.is_empty()).then_some(value)
    }
}

fn fed(
    report: Result<Report, Unavailable>,
    headers: &Headers,
    client: IpAddr,
    source: Source<'_>,
) -> Feeding {
    let mut fed = Feeding::default();
    if count(report, &mut fed.events) {
        let ip = client.to_string();
        let path = headers.path();
        fed.entry = Some(
            Entry {
                ip: &ip,
                source,
                path,
            }
            .to_json(),
        );
    }
    fed
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
