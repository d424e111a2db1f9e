//! The WAF's policy: configuration, exclusions, what is inspected, and the verdict. No host.
