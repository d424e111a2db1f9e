//! Values past the exclusions to the scanner, findings past them to the tally.

use backstop_detect::{Finding, Findings, Scanner};
use backstop_http::{Headers, Place};

use crate::exclusion::Exclusion;
use crate::policy::Policy;
use crate::tally::Tally;
use crate::values;

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
        values::of_headers(headers, &mut |place, value| self.value(place, value));
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
