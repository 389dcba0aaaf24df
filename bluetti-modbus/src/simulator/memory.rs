//! What the units remember.

use std::collections::BTreeMap;

use super::config::{Memory, StationConfig};
use super::wire::{Incoming, refusal, registers, written};

const ILLEGAL_FUNCTION: u8 = 1;
const ILLEGAL_ADDRESS: u8 = 2;
const ILLEGAL_VALUE: u8 = 3;

/// All units of a station, and which pack they show.
#[derive(Debug, Clone)]
pub(super) struct Bank {
    units: BTreeMap<u8, Memory>,
    packs: Vec<BTreeMap<u16, u16>>,
    selector: u16,
    shown_at: u16,
    shown: u16,
    switch_ms: u64,
    commit_ms: u64,
    longest_read: u16,
    /// Values on their way: when, unit, register, value.
    committing: Vec<(u64, u8, u16, u16)>,
    /// The pack that comes next, and when.
    switching: Option<(u64, u16)>,
    writes: u64,
}

impl Bank {
    pub(super) fn new(config: &StationConfig) -> Self {
        let mut bank = Self {
            units: config.units.clone(),
            packs: config.packs.clone(),
            selector: config.pack_selector.0,
            shown_at: config.pack_selector.1,
            shown: 1,
            switch_ms: config.pack_switch_ms,
            commit_ms: config.commit_ms,
            longest_read: config.longest_read,
            committing: Vec::new(),
            switching: None,
            writes: 0,
        };
        bank.show(1);
        bank
    }

    pub(super) fn get(&self, unit: u8, register: u16) -> Option<u16> {
        let memory = self.units.get(&unit)?;
        let known = within(&memory.blocks, register, 1);
        known.then(|| memory.registers.get(&register).copied().unwrap_or(0))
    }

    pub(super) fn writes(&self) -> u64 {
        self.writes
    }

    pub(super) fn set(&mut self, unit: u8, register: u16, value: u16) {
        if let Some(memory) = self.units.get_mut(&unit) {
            memory.registers.insert(register, value);
        }
    }

    pub(super) fn set_pack(&mut self, number: u16, register: u16, value: u16) {
        if let Some(pack) = self.packs.get_mut(usize::from(number).wrapping_sub(1)) {
            pack.insert(register, value);
        }
        if number == self.shown {
            self.show(number);
        }
    }

    /// Lets time pass: written values take effect.
    pub(super) fn advance(&mut self, now_ms: u64) {
        let (due, later) = std::mem::take(&mut self.committing)
            .into_iter()
            .partition(|&(at_ms, ..)| at_ms <= now_ms);
        self.committing = later;
        let due: Vec<(u64, u8, u16, u16)> = due;
        for (_, unit, register, value) in due {
            self.set(unit, register, value);
        }
        if let Some((at_ms, number)) = self.switching
            && at_ms <= now_ms
        {
            self.switching = None;
            self.show(number);
        }
    }

    /// The whole answer, or nothing where no such unit is.
    pub(super) fn answer(&mut self, request: &Incoming, now_ms: u64) -> Option<Vec<u8>> {
        let Incoming {
            unit,
            function,
            start,
            ref words,
        } = *request;
        let memory = self.units.get(&unit)?;
        let refuse = |code| Some(refusal(unit, function, code));
        match function {
            0x03 => {
                let count = words[0];
                if count == 0 || count > self.longest_read.min(125) {
                    return refuse(ILLEGAL_VALUE);
                }
                if !within(&memory.blocks, start, count) {
                    return refuse(ILLEGAL_ADDRESS);
                }
                let values: Vec<u16> = (0..count)
                    .map(|offset| start + offset)
                    .map(|register| memory.registers.get(&register).copied().unwrap_or(0))
                    .collect();
                Some(registers(unit, &values))
            }
            0x06 | 0x10 => {
                let writable = match memory.writable.is_empty() {
                    true => &memory.blocks,
                    false => &memory.writable,
                };
                if !within(writable, start, words.len() as u16) {
                    return refuse(ILLEGAL_ADDRESS);
                }
                if start == self.selector && !self.selects(words[0]) {
                    return refuse(ILLEGAL_VALUE);
                }
                self.writes += 1;
                for (offset, &value) in words.iter().enumerate() {
                    let register = start + offset as u16;
                    let at_ms = now_ms + self.commit_ms;
                    self.committing.push((at_ms, unit, register, value));
                }
                if start == self.selector && !self.packs.is_empty() {
                    self.switching = Some((now_ms + self.switch_ms, words[0]));
                }
                self.advance(now_ms);
                let what = if function == 0x06 {
                    words[0]
                } else {
                    words.len() as u16
                };
                Some(written(unit, function, start, what))
            }
            _ => refuse(ILLEGAL_FUNCTION),
        }
    }

    fn selects(&self, number: u16) -> bool {
        self.packs.is_empty() || (1..=self.packs.len()).contains(&usize::from(number))
    }

    fn show(&mut self, number: u16) {
        let Some(pack) = self.packs.get(usize::from(number).wrapping_sub(1)) else {
            return;
        };
        self.shown = number;
        for memory in self.units.values_mut() {
            for (&register, &value) in pack {
                if within(&memory.blocks, register, 1) {
                    memory.registers.insert(register, value);
                }
            }
            if within(&memory.blocks, self.shown_at, 1) {
                memory.registers.insert(self.shown_at, number);
            }
        }
    }
}

fn within(blocks: &[(u16, u16)], start: u16, count: u16) -> bool {
    let (from, to) = (u32::from(start), u32::from(start) + u32::from(count));
    blocks.iter().any(|&(first, length)| {
        let first = u32::from(first);
        first <= from && to <= first + u32::from(length)
    })
}
