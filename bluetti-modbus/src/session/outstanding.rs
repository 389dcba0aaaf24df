use alloc::vec::Vec;

use crate::modbus::{Answer, Frame, Request};

/// More requests than a station can owe answers to.
const CAPACITY: usize = 16;

/// Requests that were written and not answered yet, oldest first. Answers that
/// come too late are recognized by them.
#[derive(Debug, Default)]
pub(super) struct Outstanding {
    requests: Vec<(Request, u64)>,
}

impl Outstanding {
    pub(super) fn add(&mut self, request: Request, now_ms: u64) {
        if self.requests.len() == CAPACITY {
            self.requests.remove(0);
        }
        self.requests.push((request, now_ms));
    }

    /// The request that a frame answers. Those from before `oldest_ms` are
    /// forgotten, unless they are the running call.
    pub(super) fn take(
        &mut self,
        frame: &Frame<'_>,
        call: Option<&Request>,
        oldest_ms: u64,
    ) -> Option<Request> {
        self.requests
            .retain(|(request, at_ms)| *at_ms >= oldest_ms || call == Some(request));
        let position = |fits: &dyn Fn(&Request) -> bool| {
            self.requests.iter().position(|(request, _)| fits(request))
        };
        let (unit, answer) = (frame.unit, &frame.answer);
        // An echo names its register and value; a read answer only its length.
        let exact = match answer {
            Answer::Written { .. } => position(&|request| request.accepts(unit, answer)),
            _ => None,
        };
        let index = exact.or_else(|| position(&|request| request.concerns(unit, answer)))?;
        Some(self.requests.remove(index).0)
    }

    /// A damaged answer has come in place of the one to this request.
    pub(super) fn spoiled(&mut self, call: &Request) {
        if let Some(index) = self
            .requests
            .iter()
            .position(|(request, _)| request == call)
        {
            self.requests.remove(index);
        }
    }
}
