use alloc::vec::Vec;

use super::{Model, private_registers};
use crate::register::{Block, Group, ReadLimit};

impl Model {
    /// The blocks to read for all fields of these groups: few requests, no field
    /// cut in two, nothing across the edge of a block that is known to be readable
    /// as a whole, no block longer than the limit allows (but for one field that is
    /// longer itself), no [private register](private_registers) in between.
    ///
    /// A block that a device refuses all the same can be
    /// [split](Block::split).
    ///
    /// ```
    /// use bluetti_modbus::model::Model;
    /// use bluetti_modbus::register::{Block, Group, ReadLimit};
    ///
    /// let blocks = Model::AC60.plan(&[Group::Live], ReadLimit::for_mtu(247, true));
    /// assert_eq!(blocks[0], Block::new(100, 62));
    /// ```
    #[must_use]
    pub fn plan(self, groups: &[Group], limit: ReadLimit) -> Vec<Block> {
        let wanted = self
            .fields()
            .filter(|field| groups.contains(&field.group()));
        let mut wanted: Vec<Block> = wanted.map(|field| field.block()).collect();
        wanted.sort_unstable();
        let private = groups.contains(&Group::Private);
        let mut plan: Vec<Block> = Vec::new();
        for block in wanted {
            match plan.last_mut() {
                Some(last) if last.contains(block) => {}
                Some(last) => match self.join(*last, block, limit, private) {
                    Some(joined) => *last = joined,
                    None => plan.push(block),
                },
                None => plan.push(block),
            }
        }
        plan
    }

    /// Everything that is known to be readable, whether a field is known for it or
    /// not, in blocks within the limit and without
    /// [private registers](private_registers); for a model of which only its fields
    /// are known, the [plan](Self::plan) of those. For who looks for values that
    /// nobody knows yet.
    ///
    /// ```
    /// use bluetti_modbus::model::Model;
    /// use bluetti_modbus::register::{Block, ReadLimit};
    ///
    /// let blocks = Model::AC300.survey(ReadLimit::MAX);
    /// assert_eq!(blocks[0], Block::new(0, 7));
    /// assert!(blocks.contains(&Block::new(91, 119)));
    /// ```
    #[must_use]
    pub fn survey(self, limit: ReadLimit) -> Vec<Block> {
        let mut blocks = self.plan(Group::PUBLIC, limit);
        blocks.retain(|block| !self.0.windows.iter().any(|window| window.contains(*block)));
        for &window in self.0.windows {
            let mut start = u32::from(window.start);
            while start < window.end() {
                let secrets = private_registers(self.generation()).iter();
                let inside =
                    |secret: &&Block| u32::from(secret.start) <= start && start < secret.end();
                if let Some(secret) = secrets.clone().find(inside) {
                    start = secret.end();
                    continue;
                }
                let ahead = secrets.map(|secret| u32::from(secret.start));
                let secret = ahead.filter(|&ahead| ahead > start).min();
                let end = window.end().min(secret.unwrap_or(u32::MAX));
                let count = (end - start).min(u32::from(limit.registers()));
                if let (Ok(first), Ok(count)) = (u16::try_from(start), u16::try_from(count)) {
                    blocks.push(Block::new(first, count));
                }
                start += count;
            }
        }
        blocks.sort_unstable();
        blocks
    }

    /// One block for both, if that may be read as a whole.
    fn join(self, first: Block, second: Block, limit: ReadLimit, private: bool) -> Option<Block> {
        let end = second.end().max(first.end());
        let count = u16::try_from(end - u32::from(first.start)).ok()?;
        let joined = Block::new(first.start, count);
        let mut windows = self.0.windows.iter();
        let readable = windows.any(|window| window.contains(joined));
        let mut secrets = private_registers(self.generation()).iter();
        let public = private || !secrets.any(|secret| secret.overlaps(joined));
        let overlapping = first.overlaps(second);
        (overlapping || (count <= limit.registers() && readable && public)).then_some(joined)
    }
}
