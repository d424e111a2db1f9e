//! One request through the stages of a filter, in their order.

use crate::Request;
use crate::stage::{Body, CallResponse, Flow, Passage, Stages};

/// One request and how far it has come.
pub(crate) struct Pipeline {
    steps: Vec<Step>,
    /// `None` before the headers phase, and once nothing more of the request is to come.
    request: Option<Request>,
    /// What is there of a body that is held back, or the piece that is just passing.
    arrived: Option<Arrived>,
    answered: bool,
}

/// A stage, and where the request stands in it.
struct Step {
    passage: Box<dyn Passage>,
    /// What it said last; `None` before its headers phase.
    flow: Option<Flow>,
    /// What it was shown of what can be read of the body.
    shown: Option<Arrived>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Arrived {
    len: usize,
    end: End,
}

/// How the request ends, as far as it is known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    NotYet,
    WithBody,
    WithTrailers,
}

impl Pipeline {
    pub(crate) fn new(stages: &Stages) -> Self {
        let step = |passage| Step {
            passage,
            flow: None,
            shown: None,
        };
        Self {
            steps: stages
                .iter()
                .map(|stage| step(stage.clone().begin()))
                .collect(),
            request: None,
            arrived: None,
            answered: false,
        }
    }

    /// The headers phase.
    pub(crate) fn on_request_headers(&mut self, request: Request) -> Flow {
        self.request = Some(request);
        self.run()
    }

    /// More of the body: `len` bytes of it can be read now.
    pub(crate) fn on_request_body(&mut self, len: usize, end_of_stream: bool) -> Flow {
        let end = if end_of_stream {
            End::WithBody
        } else {
            End::NotYet
        };
        self.arrive(Arrived { len, end })
    }

    /// Trailers.
    pub(crate) fn on_request_trailers(&mut self) -> Flow {
        self.arrive(Arrived {
            len: self.arrived.map_or(0, |arrived| arrived.len),
            end: End::WithTrailers,
        })
    }

    /// The answer to a call-out. [`Flow::Continue`] says that the request, which was held back, goes on now; `None`
    /// that nothing was waiting for this call.
    pub(crate) fn on_call_response(&mut self, token: u32, response: CallResponse) -> Option<Flow> {
        let request = self.request.as_mut()?;
        let flow = self
            .steps
            .iter_mut()
            .filter(|step| step.flow == Some(Flow::Wait))
            .find_map(|step| {
                let flow = step.passage.on_call_response(request, token, response);
                step.flow = Some(flow);
                (flow != Flow::Wait).then_some(flow)
            })?;
        Some(match flow {
            Flow::Answered => self.answer(),
            _ => self.run(),
        })
    }

    /// The time is over that a stage was waiting for. As for [`on_call_response`](Self::on_call_response).
    pub(crate) fn on_wake(&mut self) -> Option<Flow> {
        self.request.as_ref()?;
        let flow = self
            .steps
            .iter_mut()
            .filter(|step| step.flow == Some(Flow::Wait))
            .find_map(|step| {
                let flow = step.passage.on_wake();
                step.flow = Some(flow);
                (flow != Flow::Wait).then_some(flow)
            })?;
        Some(match flow {
            Flow::Answered => self.answer(),
            _ => self.run(),
        })
    }

    /// The response headers phase.
    pub(crate) fn on_response_headers(&mut self) {
        // The way back, as filters in a chain see it.
        for step in self.steps.iter_mut().rev() {
            if step.flow.is_some() {
                step.passage.on_response_headers();
            }
        }
    }

    fn arrive(&mut self, arrived: Arrived) -> Flow {
        self.arrived = Some(arrived);
        self.run()
    }

    /// Takes the request as far as it gets.
    fn run(&mut self) -> Flow {
        if self.answered {
            return Flow::Answered;
        }
        let Some(request) = &mut self.request else {
            return Flow::Continue;
        };
        for step in &mut self.steps {
            match step.run(request, self.arrived) {
                Flow::Continue => {}
                Flow::Answered => return self.answer(),
                held => return held,
            }
        }
        let arrived = self.arrived.take();
        if request.end_of_stream || arrived.is_some_and(|arrived| arrived.end != End::NotYet) {
            self.request = None;
        }
        if arrived.is_some() {
            // It is on its way: the next piece is another one.
            for step in &mut self.steps {
                step.shown = None;
            }
        }
        Flow::Continue
    }

    fn answer(&mut self) -> Flow {
        self.answered = true;
        self.request = None;
        Flow::Answered
    }
}

impl Step {
    /// What this stage says to all that is there of the request.
    fn run(&mut self, request: &mut Request, arrived: Option<Arrived>) -> Flow {
        let flow = match self.flow {
            Some(flow) => flow,
            None => self.passage.on_request_headers(request),
        };
        self.flow = Some(flow);
        let Some(arrived) = arrived.filter(|arrived| self.shown != Some(*arrived)) else {
            return flow;
        };
        if matches!(flow, Flow::Wait | Flow::Answered) {
            return flow;
        }
        let flow = self.show(request, arrived);
        self.flow = Some(flow);
        flow
    }

    fn show(&mut self, request: &mut Request, arrived: Arrived) -> Flow {
        let start = self.shown.map_or(0, |shown| shown.len);
        self.shown = Some(arrived);
        if arrived.end == End::WithTrailers && start == arrived.len {
            return self.passage.on_request_trailers(request);
        }
        let body = Body {
            start,
            len: arrived.len,
            end: arrived.end == End::WithBody,
        };
        let flow = self.passage.on_request_body(request, body);
        match (arrived.end, flow) {
            (End::WithTrailers, Flow::Continue | Flow::Hold) => {
                self.passage.on_request_trailers(request)
            }
            (End::WithTrailers, Flow::Wait) => {
                // The trailers are for when the call is answered.
                self.shown = Some(Arrived {
                    end: End::NotYet,
                    ..arrived
                });
                flow
            }
            _ => flow,
        }
    }
}

#[cfg(test)]
#[path = "pipeline_tests.rs"]
mod tests;
