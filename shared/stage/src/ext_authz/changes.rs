//! What an answer changes of the request and of the upstream's response.

use backstop_ext_authz::answer::{Action, Allowed, HeaderChange};
use backstop_ext_authz::query;
use backstop_http::Headers;
use backstop_plugin::host;
use backstop_plugin::host::call;

use super::ExtAuthz;
use crate::Request;

impl ExtAuthz {
    /// Changes the request, in the order of Envoy's own filter: headers that are set, then added, then removed, then the
    /// query. What the response gets, for later.
    pub(super) fn change(&self, request: &mut Request, allowed: Allowed) -> Vec<HeaderChange> {
        for change in &allowed.request {
            let there = request
                .headers()
                .is_ok_and(|headers| headers.first(change.name.as_bytes()).is_some());
            let (replaces, adds) = what(change.action, there);
            let changed = if replaces {
                request.remove_header(&change.name)
            } else {
                Ok(())
            };
            let changed = match changed {
                Ok(()) if adds => request.add_header(&change.name, &change.value),
                other => other,
            };
            if let Err(error) = changed {
                self.error("a header cannot be set", error);
            }
        }
        for name in &allowed.remove {
            if let Err(error) = request.remove_header(name) {
                self.error("a header stays", error);
            }
        }
        let path = request.headers().ok().and_then(|headers| {
            query::changed(headers.path(), &allowed.set_query, &allowed.remove_query)
        });
        if let Some(path) = path
            && let Err(error) = request.replace_path(&path)
        {
            self.error("the query stays", error);
        }
        allowed.response
    }

    /// Changes the headers of the response that is on its way.
    pub(super) fn change_response(&self, changes: Vec<HeaderChange>) {
        let mut headers = call::response_headers()
            .ok()
            .and_then(|raw| Headers::parse(raw).ok())
            .unwrap_or_default();
        for change in changes {
            let there = headers.first(change.name.as_bytes()).is_some();
            let (replaces, adds) = what(change.action, there);
            if replaces {
                let _ = call::remove_response_header(&change.name);
                headers.remove(change.name.as_bytes());
            }
            if adds {
                if host::add_response_header(&change.name, &change.value).is_err() {
                    self.errors.increment();
                }
                headers.push(change.name.as_bytes(), change.value.as_bytes());
            }
        }
    }
}

/// Whether a change takes away what is there, and whether it adds.
const fn what(action: Action, there: bool) -> (bool, bool) {
    match action {
        Action::Set => (there, true),
        Action::Append => (false, true),
        Action::AddIfAbsent => (false, !there),
        Action::SetIfPresent => (there, there),
    }
}
