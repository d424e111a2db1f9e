//! Values past the exclusions to the scanner, findings past them to the tally.

use backstop_detect::{Finding, Findings, Scanner};
use backstop_http::{Headers, Kind, Place, Target, cookies};

use crate::exclusion::Exclusion;
use crate::policy::Policy;
use crate::tally::Tally;

/// One phase's inspection of one request.
pub(crate) struct Inspection<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) scanner: &'a mut Scanner,
    /// Positions in the policy's list of the exclusions that cover this request.
    pub(crate) exclusions: &'a [u16],
    pub(crate) tally: &'a mut Tally,
    pub(crate) findings: Findings,
}

impl Inspection<'_> {
    /// Everything that the headers phase has: path, query, cookies, header fields.
    pub(crate) fn headers(&mut self, headers: &Headers) {
        let target = Target::parse(headers.path());
        self.value(Place::new(Kind::Path, b""), target.path);
        if let Some(fragment) = target.fragment {
            self.value(Place::new(Kind::Query, b"#"), fragment);
        }
        for param in target.params() {
            self.value(Place::new(Kind::QueryName, param.name), param.name);
            if let Some(value) = param.value {
                self.value(Place::new(Kind::Query, param.name), value);
            }
        }
        self.value(Place::new(Kind::Header, b"host"), headers.authority());
        for (name, value) in headers.regular() {
            match name {
                b"cookie" => {}
                _ => self.value(Place::new(Kind::Header, name), value),
            }
        }
        for cookie in cookies::cookies(headers) {
            self.value(Place::new(Kind::CookieName, cookie.name), cookie.name);
            self.value(Place::new(Kind::Cookie, cookie.name), cookie.value);
        }
    }

    /// One value as it came on the wire (or as its body's parser gives it).
    pub(crate) fn value(&mut self, place: Place<'_>, value: &[u8]) {
        if value.is_empty() {
            return;
        }
        let policy = self.policy;
        let relevant = |exclusion: &&Exclusion| exclusion.at(place);
        if active(policy, self.exclusions)
            .filter(relevant)
            .any(|exclusion| !exclusion.is_partial())
        {
            return;
        }
        self.scanner.inspect(place, value, &mut self.findings);
        if self.findings.is_empty() {
            return;
        }
        for finding in self.findings.as_slice() {
            let dropped = |finding: &Finding| {
                policy.is_disabled(finding.rule)
                    || active(policy, self.exclusions)
                        .filter(relevant)
                        .any(|exclusion| exclusion.drops(finding.rule))
            };
            if !dropped(finding) {
                self.tally
                    .add(finding, policy.blocking.contains(finding.rule.category));
            }
        }
        self.findings.clear();
    }
}

/// The exclusions that cover the request.
fn active<'a>(policy: &'a Policy, positions: &'a [u16]) -> impl Iterator<Item = &'a Exclusion> {
    positions
        .iter()
        .filter_map(|position| policy.exclusions.get(usize::from(*position)))
}
