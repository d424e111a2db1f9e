//! The walk of headers, data and trailers through the chain: Envoy's `FilterManager`, both directions in one.
//!
//! Behind the last filter of the request path stands the router: what gets there, the upstream sees. Behind the last
//! of the response path stands the client.

use crate::host::Host;
use crate::outcome::Upstream;
use crate::stream::{DataAt, Direction, FilterIteration, Iteration, Path, Stream};

/// What a filter answers to headers, after Envoy's conversions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadersStatus {
    Continue,
    StopIteration,
    StopAllBuffer,
    StopAllWatermark,
}

/// What a filter answers to data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DataStatus {
    Continue,
    StopAndBuffer,
    StopAndWatermark,
    StopNoBuffer,
}

/// Where in the chain a walk starts: at its begin, or behind a filter (at that filter itself if it was stopped for
/// everything and has not seen the data yet).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start {
    Begin,
    Behind(usize),
}

/// Position in walking order ↔ position in configuration order.
fn turn(direction: Direction, position: usize, filters: usize) -> usize {
    match direction {
        Direction::Decode => position,
        Direction::Encode => filters - 1 - position,
    }
}

impl Host {
    pub(crate) fn stream(&mut self, id: u64) -> &mut Stream {
        let stream = self.world().streams.get_mut(&id);
        stream
            .expect("streams live until they are finished, and only then is their number forgotten")
    }

    fn path(&mut self, id: u64, direction: Direction) -> &mut Path {
        self.stream(id).path(direction)
    }

    fn iteration(&mut self, id: u64, direction: Direction, filter: usize) -> &mut FilterIteration {
        self.stream(id).filters[filter].iteration(direction)
    }

    pub(crate) fn walk_headers(&mut self, id: u64, direction: Direction, start: Start, end: bool) {
        let filters = self.stream(id).filters.len();
        let first = match start {
            Start::Begin => 0,
            Start::Behind(filter) => turn(direction, filter, filters) + 1,
        };
        for position in first..filters {
            let filter = turn(direction, position, filters);
            self.iteration(id, direction, filter).ended = end;
            self.path(id, direction).running += 1;
            let mut status = self.filter_headers(id, direction, filter, end);
            self.path(id, direction).running -= 1;
            if self.path(id, direction).aborted {
                self.execute_prepared_reply(id);
                status = HeadersStatus::StopIteration;
            }
            // A guest that closed the stream has ended the walk as well (Envoy 1.37, verified).
            if self.stream(id).client.reset {
                return;
            }
            let iteration = self.iteration(id, direction, filter);
            match status {
                HeadersStatus::Continue => iteration.headers_continued = true,
                HeadersStatus::StopIteration => iteration.state = Iteration::StopSingle,
                HeadersStatus::StopAllBuffer => iteration.state = Iteration::StopAllBuffer,
                HeadersStatus::StopAllWatermark => iteration.state = Iteration::StopAllWatermark,
            }
            if status != HeadersStatus::Continue {
                return;
            }
        }
        self.arrive_headers(id, direction, end);
    }

    /// `data` is in flight or buffered; `end` says that it is the last of the body.
    pub(crate) fn walk_data(
        &mut self,
        id: u64,
        direction: Direction,
        start: Start,
        at: DataAt,
        end: bool,
    ) {
        if self.stream(id).stopped(direction) {
            self.path(id, direction).in_flight.clear();
            return;
        }
        let filters = self.stream(id).filters.len();
        let had_trailers = self.path(id, direction).trailers.is_some();
        let mut trailers_added_by = None;
        let mut arrived = true;
        for position in self.first(id, direction, start, filters)..filters {
            let filter = turn(direction, position, filters);
            if self.iteration(id, direction, filter).stopped_all() {
                let streaming =
                    self.iteration(id, direction, filter).state == Iteration::StopAllWatermark;
                self.path(id, direction).streaming = streaming;
                self.keep_data(id, direction, at);
                return;
            }
            if self.iteration(id, direction, filter).ended {
                return;
            }
            let last = end && self.path(id, direction).trailers.is_none();
            self.iteration(id, direction, filter).ended = last;
            self.path(id, direction).running += 1;
            let status = self.filter_data(id, direction, filter, at, last);
            self.path(id, direction).running -= 1;
            if !had_trailers
                && trailers_added_by.is_none()
                && self.path(id, direction).trailers.is_some()
            {
                trailers_added_by = Some(filter);
            }
            if self.path(id, direction).aborted {
                self.execute_prepared_reply(id);
                self.path(id, direction).in_flight.clear();
                return;
            }
            if self.stream(id).client.reset {
                self.path(id, direction).in_flight.clear();
                return;
            }
            if !self.after_data(id, direction, filter, status, at) {
                arrived = false;
                break;
            }
        }
        if arrived {
            let last = end && self.path(id, direction).trailers.is_none();
            self.arrive_data(id, direction, at, last);
        }
        if let Some(filter) = trailers_added_by {
            self.walk_trailers(id, direction, Start::Behind(filter));
        }
    }

    pub(crate) fn walk_trailers(&mut self, id: u64, direction: Direction, start: Start) {
        if self.stream(id).stopped(direction) {
            return;
        }
        let filters = self.stream(id).filters.len();
        for position in self.first(id, direction, start, filters)..filters {
            let filter = turn(direction, position, filters);
            if self.iteration(id, direction, filter).stopped_all() {
                return;
            }
            self.path(id, direction).running += 1;
            let go_on = self.filter_trailers(id, direction, filter);
            self.path(id, direction).running -= 1;
            self.iteration(id, direction, filter).ended = true;
            if self.path(id, direction).aborted {
                self.execute_prepared_reply(id);
                return;
            }
            if self.stream(id).client.reset {
                return;
            }
            let iteration = self.iteration(id, direction, filter);
            if go_on && iteration.state == Iteration::StopSingle {
                self.resume(id, direction, filter);
                return;
            }
            if !go_on {
                if iteration.state == Iteration::Continue {
                    iteration.state = Iteration::StopSingle;
                }
                return;
            }
        }
        self.arrive_trailers(id, direction);
    }

    fn first(&mut self, id: u64, direction: Direction, start: Start, filters: usize) -> usize {
        match start {
            Start::Begin => 0,
            Start::Behind(filter) => {
                let position = turn(direction, filter, filters);
                if self.iteration(id, direction, filter).from_current {
                    position
                } else {
                    position + 1
                }
            }
        }
    }

    /// `commonHandleAfterDataCallback`: says whether the walk goes on.
    fn after_data(
        &mut self,
        id: u64,
        direction: Direction,
        filter: usize,
        status: DataStatus,
        at: DataAt,
    ) -> bool {
        let stopped = self.iteration(id, direction, filter).state == Iteration::StopSingle;
        match status {
            DataStatus::Continue if stopped => {
                self.keep_data(id, direction, at);
                self.resume(id, direction, filter);
                false
            }
            DataStatus::Continue => true,
            DataStatus::StopAndBuffer | DataStatus::StopAndWatermark => {
                self.iteration(id, direction, filter).state = Iteration::StopSingle;
                self.path(id, direction).streaming = status == DataStatus::StopAndWatermark;
                self.keep_data(id, direction, at);
                false
            }
            DataStatus::StopNoBuffer => {
                self.iteration(id, direction, filter).state = Iteration::StopSingle;
                let path = self.path(id, direction);
                if path.observed_end && path.trailers.is_none() && path.buffered.is_none() {
                    path.buffered = Some(Vec::new());
                }
                path.in_flight.clear();
                false
            }
        }
    }

    /// Moves arriving bytes into the stream's buffer. Over the limit: 413, or for a response 500, unless the filter
    /// that holds them stops with back-pressure (`requestDataTooLarge`, `responseDataTooLarge`).
    pub(crate) fn keep_data(&mut self, id: u64, direction: Direction, at: DataAt) {
        let limit = self.world().buffer_limit;
        let path = self.path(id, direction);
        if at == DataAt::InFlight {
            let arrived = std::mem::take(&mut path.in_flight);
            match &mut path.buffered {
                Some(buffered) => buffered.extend_from_slice(&arrived),
                None => path.buffered = Some(arrived),
            }
        }
        if path
            .buffered
            .as_ref()
            .is_none_or(|buffered| buffered.len() <= limit)
        {
            return;
        }
        if path.streaming {
            path.over_limit = true;
            return;
        }
        match direction {
            Direction::Decode => self.reply_too_large(id),
            Direction::Encode => self.reply_response_too_large(id),
        }
    }

    /// `continueDecoding` and `continueEncoding` (`commonContinue`).
    pub(crate) fn resume(&mut self, id: u64, direction: Direction, filter: usize) {
        let stream = self.stream(id);
        let nothing_yet = direction == Direction::Encode
            && stream.encode.headers.is_none()
            && stream.client.headers.is_none();
        if stream.stopped(direction) || stream.finished() || nothing_yet {
            return;
        }
        let iteration = self.iteration(id, direction, filter);
        if iteration.stopped_all() {
            iteration.from_current = true;
        }
        iteration.state = Iteration::Continue;
        if !iteration.headers_continued {
            iteration.headers_continued = true;
            let path = self.path(id, direction);
            let end = path.observed_end && path.buffered.is_none() && path.trailers.is_none();
            self.walk_headers(id, direction, Start::Behind(filter), end);
        }
        let path = self.path(id, direction);
        let had_trailers = path.trailers.is_some();
        if path.buffered.is_some() {
            let end = path.observed_end && !had_trailers;
            self.walk_data(id, direction, Start::Behind(filter), DataAt::Buffered, end);
        }
        if had_trailers {
            self.walk_trailers(id, direction, Start::Behind(filter));
        }
        self.iteration(id, direction, filter).from_current = false;
    }

    fn arrive_headers(&mut self, id: u64, direction: Direction, end: bool) {
        let stream = self.stream(id);
        match direction {
            Direction::Decode => {
                let headers = stream.decode.headers.clone().unwrap_or_default();
                stream.upstream_contacts += 1;
                stream.upstream = Some(Upstream {
                    headers,
                    complete: end,
                    ..Upstream::default()
                });
            }
            Direction::Encode => {
                stream.client.headers = stream.encode.headers.take();
                if end {
                    self.response_complete(id);
                }
            }
        }
    }

    fn arrive_data(&mut self, id: u64, direction: Direction, at: DataAt, end: bool) {
        let stream = self.stream(id);
        let path = stream.path(direction);
        path.over_limit = false;
        let mut bytes = std::mem::take(match at {
            DataAt::InFlight => &mut path.in_flight,
            DataAt::Buffered => path.buffered.get_or_insert_default(),
        });
        match direction {
            Direction::Decode => {
                if let Some(upstream) = &mut stream.upstream {
                    upstream.body.append(&mut bytes);
                    upstream.complete |= end;
                }
            }
            Direction::Encode => {
                if !stream.head_request {
                    stream.client.body.append(&mut bytes);
                }
                if end {
                    self.response_complete(id);
                }
            }
        }
    }

    fn arrive_trailers(&mut self, id: u64, direction: Direction) {
        let stream = self.stream(id);
        match direction {
            Direction::Decode => {
                let trailers = stream.decode.trailers.clone();
                if let Some(upstream) = &mut stream.upstream {
                    upstream.trailers = trailers;
                    upstream.complete = true;
                }
            }
            Direction::Encode => {
                stream.client.trailers = stream.encode.trailers.take();
                self.response_complete(id);
            }
        }
    }

    fn response_complete(&mut self, id: u64) {
        let stream = self.stream(id);
        stream.local_complete = true;
        stream.client.complete = true;
    }
}
