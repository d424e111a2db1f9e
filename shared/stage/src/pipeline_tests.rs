//! The pipeline over stages that say what a script says.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use backstop_http::Headers;

use super::*;
use crate::stage::Stage;

/// What the stages were asked, in order.
type Journal = Rc<RefCell<Vec<String>>>;

#[derive(Debug)]
struct Scripted {
    name: &'static str,
    script: Vec<Flow>,
    journal: Journal,
}

struct Actor {
    name: &'static str,
    script: VecDeque<Flow>,
    journal: Journal,
}

impl Stage for Scripted {
    fn begin(self: Rc<Self>) -> Box<dyn Passage> {
        Box::new(Actor {
            name: self.name,
            script: self.script.iter().copied().collect(),
            journal: self.journal.clone(),
        })
    }
}

impl Actor {
    /// The next line of the script; at its end, whatever comes is let go.
    fn act(&mut self, what: &str) -> Flow {
        self.journal
            .borrow_mut()
            .push(format!("{} {what}", self.name));
        self.script.pop_front().unwrap_or(Flow::Continue)
    }
}

impl Passage for Actor {
    fn on_request_headers(&mut self, _: &mut Request) -> Flow {
        self.act("headers")
    }

    fn on_request_body(&mut self, _: &mut Request, body: Body) -> Flow {
        let end = if body.end { " end" } else { "" };
        self.act(&format!("body {}..{}{end}", body.start, body.len))
    }

    fn on_request_trailers(&mut self, _: &mut Request) -> Flow {
        self.act("trailers")
    }

    fn on_call_response(&mut self, _: &mut Request, token: u32, _: CallResponse) -> Flow {
        self.act(&format!("call {token}"))
    }

    fn on_response_headers(&mut self) {
        self.act("response");
    }
}

struct Play {
    pipeline: Pipeline,
    journal: Journal,
}

impl Play {
    /// Stages `a`, `b`, … with these scripts.
    fn of(scripts: &[&[Flow]]) -> Self {
        let journal = Journal::default();
        let stages: Stages = scripts
            .iter()
            .zip(["a", "b", "c"])
            .map(|(script, name)| -> Rc<dyn Stage> {
                Rc::new(Scripted {
                    name,
                    script: script.to_vec(),
                    journal: journal.clone(),
                })
            })
            .collect();
        Self {
            pipeline: Pipeline::new(&stages),
            journal,
        }
    }

    fn headers(&mut self) -> Flow {
        let headers = Headers::from_pairs([(":path", "/")]);
        self.pipeline
            .on_request_headers(Request::new(Ok(headers), false))
    }

    fn call(&mut self, token: u32) -> Option<Flow> {
        let response = CallResponse::Grpc {
            status: 0,
            message: 0,
        };
        self.pipeline.on_call_response(token, response)
    }

    /// What the stages were asked since the last time.
    fn asked(&self) -> Vec<String> {
        self.journal.take()
    }
}

use Flow::{Answered, Continue, Hold, Wait};

#[test]
fn every_stage_sees_every_phase_in_order() {
    let mut play = Play::of(&[&[], &[]]);
    assert_eq!(play.headers(), Continue);
    assert_eq!(play.asked(), ["a headers", "b headers"]);
    assert_eq!(play.pipeline.on_request_body(5, false), Continue);
    assert_eq!(play.pipeline.on_request_body(3, true), Continue);
    assert_eq!(
        play.asked(),
        [
            "a body 0..5",
            "b body 0..5",
            "a body 0..3 end",
            "b body 0..3 end"
        ]
    );
    play.pipeline.on_response_headers();
    assert_eq!(play.asked(), ["b response", "a response"]);
}

#[test]
fn a_request_that_is_answered_goes_no_further() {
    let mut play = Play::of(&[&[Continue], &[Answered], &[]]);
    assert_eq!(play.headers(), Answered);
    assert_eq!(play.asked(), ["a headers", "b headers"]);
    // A proxy that shows the rest of it nevertheless does not get it out of here.
    assert_eq!(play.pipeline.on_request_body(5, true), Answered);
    assert_eq!(play.pipeline.on_request_trailers(), Answered);
    assert_eq!(play.call(7), None);
    assert_eq!(play.asked(), [""; 0]);
    play.pipeline.on_response_headers();
    assert_eq!(play.asked(), ["b response", "a response"]);
}

#[test]
fn a_held_body_is_shown_to_the_next_stage_when_it_is_let_go() {
    let mut play = Play::of(&[&[Continue, Hold, Continue], &[]]);
    assert_eq!(play.headers(), Continue);
    assert_eq!(play.pipeline.on_request_body(5, false), Hold);
    assert_eq!(play.pipeline.on_request_body(9, true), Continue);
    assert_eq!(
        play.asked(),
        [
            "a headers",
            "b headers",
            "a body 0..5",
            "a body 5..9 end",
            "b body 0..9 end"
        ]
    );
}

#[test]
fn a_piece_that_a_later_stage_holds_is_shown_once() {
    let mut play = Play::of(&[&[], &[Continue, Hold, Hold]]);
    play.headers();
    assert_eq!(play.pipeline.on_request_body(5, false), Hold);
    assert_eq!(play.pipeline.on_request_body(9, false), Hold);
    assert_eq!(play.pipeline.on_request_trailers(), Continue);
    assert_eq!(
        play.asked()[2..],
        [
            "a body 0..5",
            "b body 0..5",
            "a body 5..9",
            "b body 5..9",
            "a trailers",
            "b trailers"
        ]
    );
}

#[test]
fn held_headers_keep_later_stages_waiting_for_the_body() {
    let mut play = Play::of(&[&[Hold, Hold, Continue], &[]]);
    assert_eq!(play.headers(), Hold);
    assert_eq!(play.pipeline.on_request_body(5, false), Hold);
    assert_eq!(play.pipeline.on_request_body(9, true), Continue);
    assert_eq!(
        play.asked(),
        [
            "a headers",
            "a body 0..5",
            "a body 5..9 end",
            "b headers",
            "b body 0..9 end"
        ]
    );
}

#[test]
fn a_call_out_holds_the_request_until_it_is_answered() {
    let mut play = Play::of(&[&[Wait, Wait, Continue], &[]]);
    assert_eq!(play.headers(), Wait);
    assert_eq!(play.call(8), None, "not its call");
    assert_eq!(play.call(7), Some(Continue));
    assert_eq!(
        play.asked(),
        ["a headers", "a call 8", "a call 7", "b headers"]
    );
    assert_eq!(play.call(7), None);
    assert_eq!(play.pipeline.on_request_body(5, true), Continue);
    assert_eq!(play.asked(), ["a body 0..5 end", "b body 0..5 end"]);
}

#[test]
fn a_call_out_may_refuse() {
    let mut play = Play::of(&[&[Wait, Answered], &[]]);
    assert_eq!(play.headers(), Wait);
    assert_eq!(play.call(7), Some(Answered));
    assert_eq!(play.pipeline.on_request_body(5, true), Answered);
    assert_eq!(play.asked(), ["a headers", "a call 7"]);
}

#[test]
fn a_body_that_comes_during_a_call_out_does_not_let_the_request_go() {
    for trailers in [false, true] {
        let mut play = Play::of(&[&[], &[Wait, Continue], &[]]);
        assert_eq!(play.headers(), Wait);
        assert_eq!(play.pipeline.on_request_body(5, false), Wait);
        if trailers {
            assert_eq!(play.pipeline.on_request_body(9, false), Wait);
            assert_eq!(play.pipeline.on_request_trailers(), Wait);
        } else {
            assert_eq!(play.pipeline.on_request_body(9, true), Wait);
        }
        play.asked();
        assert_eq!(play.call(7), Some(Continue));
        let asked = if trailers {
            vec![
                "b call 7",
                "b body 0..9",
                "b trailers",
                "c headers",
                "c body 0..9",
                "c trailers",
            ]
        } else {
            vec![
                "b call 7",
                "b body 0..9 end",
                "c headers",
                "c body 0..9 end",
            ]
        };
        assert_eq!(play.asked(), asked);
    }
}

#[test]
fn after_a_call_out_the_next_piece_of_the_body_is_another_one() {
    let mut play = Play::of(&[&[Wait, Continue]]);
    assert_eq!(play.headers(), Wait);
    assert_eq!(play.pipeline.on_request_body(5, false), Wait);
    assert_eq!(play.call(7), Some(Continue));
    assert_eq!(play.pipeline.on_request_body(3, true), Continue);
    assert_eq!(
        play.asked(),
        ["a headers", "a call 7", "a body 0..5", "a body 0..3 end"]
    );
}

#[test]
fn an_answered_call_does_not_let_a_body_go_that_an_earlier_stage_holds() {
    let mut play = Play::of(&[&[Continue, Hold, Continue], &[Wait, Continue]]);
    assert_eq!(play.headers(), Wait);
    assert_eq!(play.pipeline.on_request_body(5, false), Hold);
    assert_eq!(play.call(7), Some(Hold));
    assert_eq!(play.pipeline.on_request_body(9, true), Continue);
    assert_eq!(
        play.asked(),
        [
            "a headers",
            "b headers",
            "a body 0..5",
            "b call 7",
            "a body 5..9 end",
            "b body 0..9 end"
        ]
    );
}

#[test]
fn a_stage_that_holds_for_a_body_refuses_it_after_a_call_out() {
    let mut play = Play::of(&[&[Wait, Continue], &[Hold, Hold, Answered]]);
    assert_eq!(play.headers(), Wait);
    assert_eq!(play.call(7), Some(Hold));
    assert_eq!(play.pipeline.on_request_body(5, false), Hold);
    assert_eq!(play.pipeline.on_request_body(9, true), Answered);
}

#[test]
fn without_stages_everything_goes_on() {
    let mut play = Play::of(&[]);
    assert_eq!(play.headers(), Continue);
    assert_eq!(play.pipeline.on_request_body(5, true), Continue);
}
