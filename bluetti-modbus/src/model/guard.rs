//! Registers to be careful with.

use super::Generation;
use crate::register::{Block, Danger};

static DANGERS_V1: [(Block, Danger); 6] = [
    (Block::new(3002, 1), Danger::GridCode),
    (Block::new(3003, 1), Danger::OutputLevel),
    (Block::new(3004, 2), Danger::SplitPhase),
    (Block::new(3010, 1), Danger::FeedIn),
    (Block::new(3062, 1), Danger::FactoryReset),
    (Block::new(3079, 1), Danger::OutputLevel),
];

static DANGERS_V2: [(Block, Danger); 7] = [
    (Block::new(2200, 6), Danger::GridCode),
    (Block::new(2206, 1), Danger::FactoryReset),
    (Block::new(2208, 1), Danger::FeedIn),
    (Block::new(2209, 2), Danger::OutputLevel),
    (Block::new(2211, 2), Danger::OutputLevel),
    (Block::new(2215, 4), Danger::GridCode),
    (Block::new(2400, 40), Danger::GridCode),
];

static DANGERS_TCP: [(Block, Danger); 1] = [(Block::new(57010, 1), Danger::FeedIn)];

/// The danger in writing a register.
pub(super) fn danger(generation: Generation, register: Block) -> Option<Danger> {
    let dangers: &[(Block, Danger)] = match generation {
        Generation::First => &DANGERS_V1,
        Generation::Second => &DANGERS_V2,
        Generation::Tcp => &DANGERS_TCP,
    };
    let mut dangers = dangers.iter();
    Some(dangers.find(|(block, _)| block.contains(register))?.1)
}

static PRIVATE_V1: [Block; 2] = [Block::new(7, 3), Block::new(5017, 32)];

static PRIVATE_V2: [Block; 5] = [
    Block::new(7, 8),
    Block::new(174, 2),
    Block::new(2200, 6),
    Block::new(12002, 59),
    Block::new(13603, 32),
];

/// Registers with a PIN, a password, a key or the name of the home's network: not
/// for logs. A [plan](super::Model::plan) reads none of them unless
/// [`Group::Private`](crate::register::Group::Private) is asked for.
#[must_use]
pub fn private_registers(generation: Generation) -> &'static [Block] {
    match generation {
        Generation::First => &PRIVATE_V1,
        Generation::Second => &PRIVATE_V2,
        Generation::Tcp => &[],
    }
}
