//! A plausible station of any model.

use std::collections::BTreeMap;

use super::config::{Memory, StationConfig};
use crate::model::{Generation, Model, PackAccess};
use crate::register::{Group, ReadLimit};

/// Blocks that the vendor's app reads, first generation.
const FIRST: [(u16, u16); 4] = [(0, 70), (70, 21), (91, 119), (3000, 67)];
/// The same, second generation.
const SECOND: [(u16, u16); 16] = [
    (0, 21),
    (100, 67),
    (700, 6),
    (720, 49),
    (1100, 60),
    (1200, 92),
    (1300, 31),
    (1400, 60),
    (1500, 40),
    (2000, 89),
    (2200, 90),
    (2300, 36),
    (2400, 40),
    (6000, 62),
    (6100, 100),
    (6300, 100),
];
/// The pages behind MODBUS-TCP.
const TCP: [(u16, u16); 3] = [(50_001, 290), (51_001, 260), (57_001, 20)];

impl StationConfig {
    /// A station of a model with one serial number, plain, its registers filled
    /// with what such a station might show: two packs where packs are selected or
    /// units of their own, cells, switches on, some sun and some load.
    #[must_use]
    pub fn of_model(model: Model, serial: u64) -> Self {
        let mut blocks = match model.generation() {
            Generation::First => FIRST.to_vec(),
            Generation::Second => SECOND.to_vec(),
            Generation::Tcp => TCP.to_vec(),
        };
        for block in model.plan(Group::PUBLIC, ReadLimit::MAX) {
            let covered = |&(start, count): &(u16, u16)| {
                let end = u32::from(start) + u32::from(count);
                start <= block.start && block.end() <= end
            };
            if !blocks.iter().any(covered) {
                blocks.push((block.start, block.count));
            }
        }
        let registers = match model.generation() {
            Generation::First => first(model, serial),
            Generation::Second => second(model, serial),
            Generation::Tcp => tcp(model, serial),
        };
        let memory = Memory {
            blocks,
            registers: registers.into_iter().collect(),
            writable: Vec::new(),
        };
        let mut units: BTreeMap<u8, Memory> = [(model.unit(), memory.clone())].into();
        let mut packs = Vec::new();
        match model.packs() {
            PackAccess::Selector { max } => {
                packs = (1..=max.min(2))
                    .map(|number| first_pack(number.into()))
                    .collect()
            }
            PackAccess::Units { first, max } => {
                for number in 0..max.min(2) {
                    let mut pack = memory.clone();
                    pack.registers.extend(second_pack(number, serial));
                    units.insert(first + number, pack);
                }
            }
            _ => {}
        }
        Self {
            units,
            packs,
            commit_ms: 400,
            ..Self::default()
        }
    }
}

type Values = Vec<(u16, u16)>;

fn first(model: Model, serial: u64) -> Values {
    let mut values = text(10, model.name(), false);
    values.extend(number(17, serial));
    values.extend([
        (16, 1019),
        (22, 0),
        (23, 40_340),
        (24, 6),
        (25, 10_291),
        (26, 6),
    ]);
    values.extend([
        (36, 312),
        (37, 0),
        (38, 148),
        (39, 27),
        (41, 1234),
        (43, 87),
    ]);
    // Energy-flow lines, not switches.
    values.extend([(46, 1), (48, 1), (49, 1)]);
    values.extend([(70, 1), (71, 2301), (72, 7), (73, 148), (74, 4998)]);
    values.extend([(75, 6), (76, 140), (77, 2298), (80, 5001)]);
    values.extend([(86, 416), (87, 312), (88, 75), (91, 2), (92, 532), (93, 3)]);
    values.extend(first_pack(1));
    values.extend([
        (3001, 3),
        (3006, 1),
        (3007, 1),
        (3008, 1),
        (3011, 1),
        (3014, 10),
    ]);
    values.extend([
        (3015, 20),
        (3016, 90),
        (3019, 5),
        (3034, 4),
        (3036, 1),
        (3061, 3),
    ]);
    values.extend([(3064, 4), (3065, 0)]);
    values
}

fn first_pack(number: u16) -> BTreeMap<u16, u16> {
    let cells = (0..16).map(|cell| (105 + cell, 331 + (cell + number) % 3));
    let page = [(94, 87), (97, 2), (98, 5310 + number), (99, 88 - number)];
    page.into_iter().chain(cells).collect()
}

fn second(model: Model, serial: u64) -> Values {
    let portable = !model.name().starts_with("EP");
    let volts = if portable { 5312 } else { 531 };
    let mut values = text(110, model.name(), true);
    values.extend(number(116, serial));
    values.extend([(16, 2005), (100, volts), (101, 23), (102, 64), (103, 1)]);
    values.extend([
        (104, 95),
        (105, 312),
        (107, 1),
        (120, 1),
        (121, 1),
        (123, 0x119),
    ]);
    values.extend([(124, 0x06), (140, 27), (142, 148), (144, 312), (146, 0)]);
    values.extend([
        (150, 105),
        (152, 234),
        (154, 1234),
        (156, 456),
        (161, 1),
        (164, 80),
    ]);
    values.extend(text(1101, model.name(), true));
    values.extend(number(1107, serial));
    values.extend([
        (1200, 312),
        (1202, 1234),
        (1209, 1),
        (1212, 312),
        (1213, 416),
        (1214, 75),
    ]);
    values.extend([
        (1300, 500),
        (1314, 2301),
        (1315, 0),
        (1400, 27),
        (1420, 148),
    ]);
    values.extend([(1430, 148), (1431, 2300), (1432, 6), (1500, 500)]);
    values.extend([(1509, 1), (1510, 148), (1511, 2300), (1512, 6)]);
    values.extend([
        (2005, 2),
        (2007, 0),
        (2011, 1),
        (2012, 1),
        (2014, 0),
        (2015, 2),
    ]);
    values.extend([
        (2016, 10),
        (2017, 0),
        (2018, 2),
        (2019, 10),
        (2020, 0),
        (2022, 20),
    ]);
    values.extend([
        (2023, 90),
        (2067, 3),
        (2083, 0x6400),
        (2207, 1),
        (2208, 1),
        (2214, 8),
    ]);
    values.extend(second_pack(0, serial));
    values
}

fn second_pack(number_of_pack: u8, serial: u64) -> Values {
    let offset = u16::from(number_of_pack);
    let mut values = text(6101, "B300K", true);
    values.extend(number(6107, serial + 1 + u64::from(number_of_pack)));
    values.extend([(6001, 1), (6003, 5312), (6004, 23), (6005, 64), (6006, 99)]);
    values.extend([
        (6007, 63),
        (6009, 1),
        (6100, offset + 1),
        (6111, 5312 - offset),
    ]);
    values.extend([(6112, 23), (6113, 64 - offset), (6114, 99), (6115, 63)]);
    values.extend([(6152, 16), (6153, 4), (6175, 40_340), (6176, 6)]);
    values.extend([(6300, 16), (6301, 4)]);
    values
}

fn tcp(model: Model, serial: u64) -> Values {
    let name = model.name().trim_end_matches(" TCP");
    let mut values = text(50_200, name, false);
    values.extend(number(50_206, serial));
    values.extend([(50_001, 1), (50_002, 148), (50_004, 312), (50_012, 234)]);
    values.extend([(50_014, 1234), (50_022, 1), (50_214, 500), (50_269, 312)]);
    values.extend([
        (50_270, 4160),
        (50_271, 7),
        (51_001, 1),
        (51_002, 3120),
        (51_003, 5),
    ]);
    values.extend([
        (51_004, 64),
        (51_005, 99),
        (51_219, 3120),
        (51_221, 64),
        (51_222, 99),
    ]);
    values.extend([(57_001, 1), (57_009, 1), (57_016, 20), (57_017, 90)]);
    values
}

/// Text of six registers.
fn text(start: u16, text: &str, swapped: bool) -> Values {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(12, 0);
    let words = bytes.chunks(2).map(|pair| {
        let (first, second) = (u16::from(pair[0]), u16::from(pair[1]));
        match swapped {
            true => second * 256 + first,
            false => first * 256 + second,
        }
    });
    (start..).zip(words).collect()
}

/// A number of four registers, lowest first.
fn number(start: u16, number: u64) -> Values {
    let words = (0..4).map(|index| (number >> (16 * index) & 0xFFFF) as u16);
    (start..).zip(words).collect()
}
