use alloc::vec::Vec;

use crate::modbus::{MAX_READ_COUNT, Operation, Request};

/// More requests than a station can owe answers to.
const CAPACITY: usize = 16;
/// A register that every station has, with more behind it.
const PROTOCOL_VERSION: u16 = 16;

/// Requests that may still be answered, although nobody waits for that any more.
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

    /// The request that was added last is answered, and was sent only once.
    pub(super) fn answered(&mut self) {
        self.requests.pop();
    }

    /// What to ask before `call`, so that no answer to an earlier request is taken
    /// for its own; `None` if there is none of its kind. The fence reads from where
    /// the call does, or the protocol version that every station has, and as many
    /// registers as no other unanswered read.
    pub(super) fn fence_before(&mut self, call: &Request, oldest_ms: u64) -> Option<Request> {
        self.requests.retain(|&(_, at_ms)| at_ms >= oldest_ms);
        let confusable = |(request, _): &(Request, u64)| {
            request != call
                && request.unit() == call.unit()
                && request.is_write() == call.is_write()
        };
        if !self.requests.iter().any(confusable) {
            return None;
        }
        let (start, count) = match *call.operation() {
            Operation::Read { start, count } => (start, count),
            _ => (PROTOCOL_VERSION, 0),
        };
        let taken = |wanted: u16| {
            let mut unanswered = self.requests.iter();
            let is_wanted = |request: &Request| matches!(request.operation(), Operation::Read { count, .. } if *count == wanted);
            wanted == count || unanswered.any(|(request, _)| is_wanted(request))
        };
        let free = (1..=MAX_READ_COUNT).find(|&wanted| !taken(wanted))?;
        let from = if free <= count {
            start
        } else {
            PROTOCOL_VERSION
        };
        Request::read(call.unit(), from, free).ok()
    }

    /// Whether an echo may belong to an earlier write.
    pub(super) fn has_other_write(&self, call: &Request) -> bool {
        let mut requests = self.requests.iter();
        requests.any(|(request, _)| request.is_write() && request != call)
    }
}
