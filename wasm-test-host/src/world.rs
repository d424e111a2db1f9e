//! What all VMs of one Envoy process share. It is lent to a VM's store for the time of a guest call, so that host
//! functions reach it without locks.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use crate::callouts::{GrpcCall, GrpcEnd, GrpcStreamEvent, GrpcStreamReply, HttpCall, HttpEnd};
use crate::clock::VirtualClock;
use crate::failure::Failure;
use crate::metrics::Metrics;
use crate::outcome::{CallbackCost, Callout, LogLevel, LogLine};
use crate::shared_data::SharedData;
use crate::shared_queue::SharedQueues;
use crate::stream::Stream;

pub(crate) struct World {
    pub(crate) clock: VirtualClock,
    pub(crate) shared_data: SharedData,
    pub(crate) queues: SharedQueues,
    pub(crate) metrics: Metrics,
    pub(crate) sink: Sink,
    pub(crate) streams: BTreeMap<u64, Box<Stream>>,
    pub(crate) clusters: Clusters,
    pub(crate) asked: VecDeque<Asked>,
    pub(crate) properties: BTreeMap<String, Vec<u8>>,
    pub(crate) log_level: LogLevel,
    pub(crate) buffer_limit: usize,
    /// Open gRPC streams by VM and token.
    pub(crate) grpc_streams: HashMap<(u64, u32), HalfClosed>,
    /// Call-outs under way, in the order they were made.
    pub(crate) pending: Vec<Pending>,
}

impl World {
    /// Drops a gRPC call that is asked for or under way; says whether there was one.
    pub(crate) fn forget_grpc_call(&mut self, vm: u64, token: u32) -> bool {
        let (asked, pending) = (self.asked.len(), self.pending.len());
        self.asked.retain(|asked| {
            !(asked.vm == vm && matches!(&asked.what, Ask::Grpc(call) if call.token == token))
        });
        self.pending
            .retain(|pending| !(pending.vm == vm && pending.token == token));
        self.asked.len() < asked || self.pending.len() < pending
    }
}

/// Which sides of a gRPC stream are closed.
#[derive(Debug, Default)]
pub(crate) struct HalfClosed {
    pub(crate) local: bool,
    pub(crate) remote: bool,
}

/// A call-out whose end is known and waits for its time.
pub(crate) struct Pending {
    pub(crate) vm: u64,
    pub(crate) root: u32,
    pub(crate) token: u32,
    /// `None`: never, unless a time-out is the end.
    pub(crate) due_nanos: Option<u64>,
    pub(crate) end: PendingEnd,
}

pub(crate) enum PendingEnd {
    Http(HttpEnd),
    Grpc(GrpcEnd),
    Stream(GrpcStreamReply),
}

/// What guests left behind since somebody last looked.
#[derive(Default)]
pub(crate) struct Sink {
    pub(crate) logs: Vec<LogLine>,
    pub(crate) costs: Vec<CallbackCost>,
    pub(crate) callouts: Vec<Callout>,
    pub(crate) failures: Vec<Failure>,
}

/// Clusters a call-out may name.
#[derive(Default)]
pub(crate) struct Clusters {
    pub(crate) known: HashSet<String>,
    pub(crate) without_endpoints: HashSet<String>,
}

/// A call-out that a guest started and the host has not yet given to the script.
pub(crate) struct Asked {
    pub(crate) vm: u64,
    pub(crate) root: u32,
    pub(crate) what: Ask,
}

pub(crate) enum Ask {
    Http(HttpCall),
    Grpc(GrpcCall),
    Stream { token: u32, event: GrpcStreamEvent },
}
