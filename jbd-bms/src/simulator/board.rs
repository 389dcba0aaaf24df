//! The board's registers.

use std::collections::BTreeMap;

use super::battery::{Battery, Snapshot};
use super::config::{Access, PackConfig};
use super::wire::put;

/// What the board does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Accept(Vec<u8>),
    Refuse(u8),
    Silence,
}

const UNKNOWN: Verdict = Verdict::Refuse(0x80);
const NOT_NOW: Verdict = Verdict::Refuse(0x81);
const BAD_VALUE: Verdict = Verdict::Refuse(0x82);
const BAD_PASSWORD: Verdict = Verdict::Refuse(0x83);

const DONE: fn() -> Verdict = || Verdict::Accept(Vec::new());

const NO_CHARGE: u16 = 0b1_0011_0101;
const NO_DISCHARGE: u16 = 0b110_1100_1010;
const SOFTWARE_LOCK: u16 = 1 << 12;
const OVERCURRENT_PAUSE_MS: u64 = 32_000;

#[derive(Debug, Clone)]
pub(super) struct Board {
    config: PackConfig,
    numbers: BTreeMap<u8, u16>,
    saved_numbers: BTreeMap<u8, u16>,
    texts: BTreeMap<u8, Vec<u8>>,
    password: Option<Vec<u8>>,
    logged_in: bool,
    factory_mode: bool,
    switched_off: u16,
    tripped: u16,
    overcurrent_until_ms: u64,
    counts: [u16; 12],
    pub(super) balancing: u32,
}

/// Where each protection's count lies in register 0xAA, by protection bit.
const COUNT_AT: [usize; 11] = [3, 4, 9, 10, 5, 6, 7, 8, 1, 2, 0];

impl Board {
    pub(super) fn new(config: &PackConfig) -> Self {
        let cells = u16::from(config.cell_count.clamp(1, 32));
        let unit = if config.hundred_milliamp_units {
            100
        } else {
            10
        };
        let capacity = (config.nominal_capacity_mah / unit).min(0xFFFF) as u16;
        let (year, month, day) = config.production_date;
        let years = year.clamp(2000, 2127) - 2000;
        let date = years * 512 + u16::from(month % 16) * 32 + u16::from(day % 32);
        let celsius = |degrees: i32| (2731 + 10 * degrees) as u16;
        let limit_counts = (230_000 / unit) as u16;
        let function_bits = 2 + if config.balancing { 4 } else { 0 };
        let mut numbers: BTreeMap<u8, u16> = [
            (0x10, capacity),
            (0x11, capacity / 5 * 4),
            (0x12, 3500),
            (0x13, 2800),
            (0x14, 2),
            (0x15, date),
            (0x16, 4711),
            (0x17, config.cycles),
            (0x18, celsius(75)),
            (0x19, celsius(55)),
            (0x1A, celsius(-10)),
            (0x1B, celsius(0)),
            (0x1C, celsius(75)),
            (0x1D, celsius(55)),
            (0x1E, celsius(-20)),
            (0x1F, celsius(-10)),
            (0x20, cells * 365),
            (0x21, cells * 355),
            (0x22, cells * 250),
            (0x23, cells * 270),
            (0x24, 3650),
            (0x25, 3550),
            (0x26, 2500),
            (0x27, 2700),
            (0x28, limit_counts),
            (0x29, 0u16.wrapping_sub(limit_counts)),
            (0x2A, 3200),
            (0x2B, 8),
            (0x2C, 1),
            (0x2D, function_bits),
            (0x2E, (1 << config.probe_count.min(8)) - 1),
            (0x2F, cells),
            (0x30, 30),
            (0x31, 10),
            (0x32, 3330),
            (0x33, 3300),
            (0x34, 3280),
            (0x35, 3220),
            (0x36, 3900),
            (0x37, 2000),
            (0x38, 0x8D5C),
            (0x39, 0xF064),
        ]
        .into();
        numbers.extend((0x3A..=0x3D).map(|register| (register, 0x0202)));
        numbers.extend([(0x3E, 0x0A1E), (0x3F, 0x0A1E), (0x40, 0), (0x41, 0)]);
        let texts = [
            (0xA0, b"DGJBD".to_vec()),
            (
                0xA1,
                config
                    .hardware_name
                    .clone()
                    .unwrap_or_default()
                    .into_bytes(),
            ),
            (0xA2, Vec::new()),
        ]
        .into();
        Self {
            saved_numbers: numbers.clone(),
            numbers,
            texts,
            password: match &config.access {
                Access::BoardPassword(digits) => Some(
                    digits
                        .bytes()
                        .map(|digit| digit.wrapping_sub(b'0'))
                        .collect(),
                ),
                _ => None,
            },
            logged_in: false,
            factory_mode: false,
            switched_off: 0,
            tripped: 0,
            overcurrent_until_ms: 0,
            counts: [0; 12],
            balancing: 0,
            config: config.clone(),
        }
    }

    pub(super) fn link_closed(&mut self) {
        self.logged_in = false;
        self.factory_mode = false;
    }

    pub(super) fn charge_on(&self) -> bool {
        self.switched_off & 1 == 0 && self.protection() & NO_CHARGE == 0
    }

    pub(super) fn discharge_on(&self) -> bool {
        self.switched_off & 2 == 0 && self.protection() & NO_DISCHARGE == 0
    }

    pub(super) fn protection(&self) -> u16 {
        let lock = if self.switched_off == 0 {
            0
        } else {
            SOFTWARE_LOCK
        };
        self.tripped | self.config.forced_protection | lock
    }

    pub(super) fn count_cycle(&mut self) {
        let cycles = self.numbers.entry(0x17).or_default();
        *cycles = cycles.saturating_add(1);
    }

    pub(super) fn bleeds(&self, mv: f64, above_lowest_mv: f64) -> bool {
        self.number(0x2D) & 4 != 0
            && mv > f64::from(self.number(0x2A))
            && above_lowest_mv > f64::from(self.number(0x2B))
    }

    fn number(&self, register: u8) -> u16 {
        self.numbers.get(&register).copied().unwrap_or(0)
    }

    /// Trips and releases protections by what the pack measures.
    pub(super) fn protect(&mut self, measured: &Snapshot, lived_ms: u64) {
        let cells = measured.cell_voltages_mv.iter().map(|&mv| i32::from(mv));
        let probes = measured.temperatures_deci_c.iter().map(|&t| i32::from(t));
        let highest = cells.clone().max().unwrap_or(0);
        let lowest = cells.min().unwrap_or(i32::MAX);
        let pack = (measured.pack_voltage_mv / 10) as i32;
        let hottest = probes.clone().max().unwrap_or(0) + 2731;
        let coldest = probes.min().unwrap_or(0) + 2731;
        self.above(0, highest, 0x24);
        self.below(1, lowest, 0x26);
        self.above(2, pack, 0x20);
        self.below(3, pack, 0x22);
        self.above(4, hottest, 0x18);
        self.below(5, coldest, 0x1A);
        self.above(6, hottest, 0x1C);
        self.below(7, coldest, 0x1E);
        let unit = if self.config.hundred_milliamp_units {
            100
        } else {
            10
        };
        let counts = measured.current_ma / unit;
        let charge_limit = i32::from(self.number(0x28) as i16);
        let discharge_limit = i32::from(self.number(0x29) as i16);
        for (bit, over) in [(8, counts > charge_limit), (9, counts < discharge_limit)] {
            if over {
                self.trip(bit);
                self.overcurrent_until_ms = lived_ms + OVERCURRENT_PAUSE_MS;
            } else if lived_ms >= self.overcurrent_until_ms {
                self.tripped &= !(1 << bit);
            }
        }
    }

    fn above(&mut self, bit: usize, value: i32, limit: u8) {
        if value > i32::from(self.number(limit)) {
            self.trip(bit);
        } else if value < i32::from(self.number(limit + 1)) {
            self.tripped &= !(1 << bit);
        }
    }

    fn below(&mut self, bit: usize, value: i32, limit: u8) {
        if value < i32::from(self.number(limit)) {
            self.trip(bit);
        } else if value > i32::from(self.number(limit + 1)) {
            self.tripped &= !(1 << bit);
        }
    }

    fn trip(&mut self, bit: usize) {
        if self.tripped & 1 << bit == 0 {
            self.tripped |= 1 << bit;
            let count = &mut self.counts[COUNT_AT[bit]];
            *count = count.saturating_add(1);
        }
    }

    pub(super) fn read(&self, register: u8, data: &[u8], battery: &Battery) -> Verdict {
        match register {
            0x03 => Verdict::Accept(self.basic_info(&battery.snapshot(self))),
            0x04 => {
                let mut answer = Vec::new();
                for mv in battery.snapshot(self).cell_voltages_mv {
                    put(&mut answer, mv);
                }
                Verdict::Accept(answer)
            }
            0x05 => match &self.config.hardware_name {
                Some(name) => Verdict::Accept(name.clone().into_bytes()),
                None => Verdict::Silence,
            },
            0xAA => {
                let mut answer = Vec::new();
                for count in self.counts {
                    put(&mut answer, count);
                }
                Verdict::Accept(answer)
            }
            0xFA => self.read_block(data),
            0xA0..=0xA2 => match (self.factory_mode, self.texts.get(&register)) {
                (true, Some(text)) => {
                    let mut answer = vec![text.len() as u8];
                    answer.extend_from_slice(text);
                    Verdict::Accept(answer)
                }
                (true, None) => UNKNOWN,
                (false, _) => NOT_NOW,
            },
            0x10..=0x47 => match (self.factory_mode, self.numbers.get(&register)) {
                (true, Some(&value)) => {
                    let mut answer = Vec::new();
                    put(&mut answer, value);
                    Verdict::Accept(answer)
                }
                (true, None) => UNKNOWN,
                (false, _) => NOT_NOW,
            },
            0x00 => Verdict::Silence,
            _ => UNKNOWN,
        }
    }

    fn read_block(&self, data: &[u8]) -> Verdict {
        let &[high, low, count] = data else {
            return BAD_VALUE;
        };
        if !self.config.parameter_blocks || count > 95 {
            return UNKNOWN;
        }
        let first = u16::from(high) * 256 + u16::from(low);
        let mut answer = vec![high, low, count];
        for offset in 0..u16::from(count) {
            put(&mut answer, self.block_value(first.wrapping_add(offset)));
        }
        Verdict::Accept(answer)
    }

    fn block_value(&self, number: u16) -> u16 {
        match number {
            0..=39 => self.number(0x10 + number as u8),
            40..=55 => {
                let packed = self.number(0x38 + ((number - 40) / 2) as u8);
                if number.is_multiple_of(2) {
                    packed >> 8
                } else {
                    packed & 0xFF
                }
            }
            56..=103 => {
                let place = usize::from(number - 56);
                let text = self.texts.get(&(0xA0 + (place / 16) as u8));
                let mut padded = [0u8; 32];
                if let Some(text) = text {
                    padded[0] = text.len() as u8;
                    for (to, &from) in padded[1..].iter_mut().zip(text) {
                        *to = from;
                    }
                }
                let at = place % 16 * 2;
                u16::from(padded[at]) * 256 + u16::from(padded[at + 1])
            }
            _ => 0,
        }
    }

    pub(super) fn write(&mut self, register: u8, data: &[u8], battery: &mut Battery) -> Verdict {
        let locked = self.password.is_some() && !self.logged_in;
        match (register, data) {
            (0x06, [6, digits @ ..]) => match &self.password {
                None => UNKNOWN,
                Some(password) if password == digits => {
                    self.logged_in = true;
                    DONE()
                }
                Some(_) => BAD_PASSWORD,
            },
            (0x07, [12, digits @ ..]) if digits.len() == 12 => match &mut self.password {
                None => UNKNOWN,
                Some(password) if password == &digits[..6] => {
                    *password = digits[6..].to_vec();
                    DONE()
                }
                Some(_) => BAD_PASSWORD,
            },
            (0x09, b"\x06J1B2D4") => {
                self.password = None;
                DONE()
            }
            _ if locked => NOT_NOW,
            (0x00, [0x56, 0x78]) => {
                self.factory_mode = true;
                DONE()
            }
            (0x00, _) => BAD_VALUE,
            (0x01, [save, same]) => {
                self.factory_mode = false;
                if [*save, *same] == [0x28, 0x28] {
                    self.saved_numbers = self.numbers.clone();
                    self.counts = [0; 12];
                }
                DONE()
            }
            (0xE1, [0, off @ 0..=3]) if self.config.classic_mosfet_control => {
                self.switched_off = u16::from(*off);
                DONE()
            }
            (0xFB, &[side, state @ 0..=1]) if !self.config.classic_mosfet_control => {
                let mask = match side {
                    0x00 => 2,
                    0x01 => 1,
                    0x0A => 3,
                    0x03 => 0,
                    _ => return BAD_VALUE,
                };
                self.switched_off &= !mask;
                self.switched_off |= mask * u16::from(state);
                DONE()
            }
            (0x0A, &[function @ 0x01..=0x0C, 0]) => {
                self.function(function, battery);
                DONE()
            }
            (0xFC, [1 | 2, _, _, _, _]) => DONE(),
            _ if !self.factory_mode => match register {
                0x10..=0x47 | 0xA0..=0xA2 | 0xAD..=0xAF | 0xB0..=0xD7 | 0xE0 | 0xE2 | 0xFA => {
                    NOT_NOW
                }
                _ => UNKNOWN,
            },
            (0xE0, &[high, low]) => {
                let unit = if self.config.hundred_milliamp_units {
                    100.0
                } else {
                    10.0
                };
                battery.remaining_mah = f64::from(u16::from(high) * 256 + u16::from(low)) * unit;
                DONE()
            }
            (0xE2 | 0xAD..=0xAF | 0xB0..=0xD7, [_, _]) => DONE(),
            (0x10..=0x47, &[high, low]) if self.numbers.contains_key(&register) => {
                self.numbers
                    .insert(register, u16::from(high) * 256 + u16::from(low));
                DONE()
            }
            (0xA0..=0xA2, [count, text @ ..])
                if text.len() == usize::from(*count) && *count < 32 =>
            {
                self.texts.insert(register, text.to_vec());
                DONE()
            }
            (0xFA, [high, low, count, values @ ..]) if self.config.parameter_blocks => {
                let first = u16::from(*high) * 256 + u16::from(*low);
                if values.len() != 2 * usize::from(*count) {
                    return BAD_VALUE;
                }
                for (offset, value) in values.chunks(2).enumerate() {
                    let number = first.wrapping_add(offset as u16);
                    if number < 40 {
                        let value = u16::from(value[0]) * 256 + u16::from(value[1]);
                        self.numbers.insert(0x10 + number as u8, value);
                    }
                }
                Verdict::Accept(vec![*high, *low, *count])
            }
            (0x10..=0x47 | 0xA0..=0xA2, _) => BAD_VALUE,
            _ => UNKNOWN,
        }
    }

    fn function(&mut self, function: u8, battery: &mut Battery) {
        match function {
            0x01 => battery.recompute_charge(),
            0x02 => self.counts = [0; 12],
            0x03 => {
                self.numbers = self.saved_numbers.clone();
                self.counts[11] = self.counts[11].saturating_add(1);
                self.switched_off = 0;
            }
            0x04 => self.tripped = 0,
            _ => {}
        }
    }

    fn basic_info(&self, measured: &Snapshot) -> Vec<u8> {
        let unit = if self.config.hundred_milliamp_units {
            100
        } else {
            10
        };
        let counts = |mah: u32| (mah / unit).min(0xFFFF) as u16;
        let mut data = Vec::new();
        put(&mut data, (measured.pack_voltage_mv / 10) as u16);
        let current = (measured.current_ma / unit as i32).clamp(-32768, 32767);
        put(&mut data, current as i16 as u16);
        put(&mut data, counts(measured.remaining_capacity_mah));
        put(&mut data, self.number(0x10));
        put(&mut data, self.number(0x17));
        put(&mut data, self.number(0x15));
        put(&mut data, (self.balancing & 0xFFFF) as u16);
        put(&mut data, (self.balancing >> 16) as u16);
        put(&mut data, measured.protection);
        data.push(self.config.software_version);
        data.push(measured.soc_percent);
        let mut mosfets = u8::from(measured.charge_on) + 2 * u8::from(measured.discharge_on);
        if self.config.hundred_milliamp_units {
            mosfets += 0x80;
        }
        data.push(mosfets);
        data.push(self.number(0x2F) as u8);
        data.push(measured.temperatures_deci_c.len() as u8);
        for &temperature in &measured.temperatures_deci_c {
            put(&mut data, (2731 + i32::from(temperature)) as u16);
        }
        if self.config.extended_tail {
            data.push(45);
            put(
                &mut data,
                if measured.soc_percent < 10 {
                    1 << 11
                } else {
                    0
                },
            );
            put(&mut data, self.number(0x10));
            put(&mut data, counts(measured.remaining_capacity_mah));
            put(&mut data, if self.balancing == 0 { 0 } else { 35 });
        }
        data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_answer_is_composed_byte_by_byte() {
        let config = PackConfig {
            nominal_capacity_mah: 580_000,
            cycles: 37,
            production_date: (2022, 9, 14),
            software_version: 0x22,
            ..PackConfig::default()
        };
        let measured = Snapshot {
            pack_voltage_mv: 13_310,
            current_ma: -12_340,
            remaining_capacity_mah: 432_100,
            nominal_capacity_mah: 580_000,
            soc_percent: 75,
            cell_voltages_mv: vec![3327, 3329, 3326, 3328],
            temperatures_deci_c: vec![184, 179],
            protection: 0,
            charge_on: true,
            discharge_on: true,
        };
        let data = Board::new(&config).basic_info(&measured);
        let published = [
            0xDD, 0x03, 0x00, 0x1B, 0x05, 0x33, 0xFB, 0x2E, 0xA8, 0xCA, 0xE2, 0x90, 0x00, 0x25,
            0x2D, 0x2E, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x22, 0x4B, 0x03, 0x04, 0x02, 0x0B,
            0x63, 0x0B, 0x5E, 0xF9, 0xD3, 0x77,
        ];
        assert_eq!(super::super::wire::answer(0x03, 0, &data), published);
    }
}
