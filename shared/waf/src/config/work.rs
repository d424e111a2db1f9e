//! How much work inspecting one request may be.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OnLimit, Whole};

/// The work that a request is allowed if nothing else is configured, in steps.
pub const DEFAULT_STEPS: u32 = 2_500_000;

/// The bound on what inspecting one request costs, whatever is in it. Forms and JSON stay far below it; what is made to be dear
/// (a hundred kilobytes of signs that each begin something) does not, nor do some long files of code and markup.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WorkLimit {
    /// Steps per request, headers and body together (default 2500000: at most about 15 ms). A step is about what one detector takes to
    /// look at one byte; what is read again, decoded or a document within a value, counts again.
    pub steps: Whole<100_000, 1_000_000_000>,
    /// What happens beyond: `reject` (default) answers 413, for an attack may stand where nothing was looked at;
    /// `inspectPrefix` lets the request pass by what was found until then. Either is logged and counted in the metric
    /// `work_limit_hits_total`.
    pub on_limit: OnLimit,
}

impl Default for WorkLimit {
    fn default() -> Self {
        Self {
            steps: Whole(DEFAULT_STEPS),
            on_limit: OnLimit::Reject,
        }
    }
}
