use alloc::vec::Vec;

use super::Model;
use crate::register::{Block, Group, ReadLimit};

impl Model {
    /// The blocks to read for all fields of these groups: few requests, no field
    /// cut in two, nothing across the edge of a block that is known to be readable
    /// as a whole, no block longer than the limit allows.
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
        let mut plan: Vec<Block> = Vec::new();
        for block in wanted {
            if let Some(last) = plan.last_mut() {
                let end = block.end().max(last.end());
                let count = end - u32::from(last.start);
                if let Ok(count) = u16::try_from(count) {
                    let merged = Block::new(last.start, count);
                    let inside = last.contains(block);
                    if inside || (count <= limit.registers() && self.in_one_window(merged)) {
                        *last = merged;
                        continue;
                    }
                }
            }
            plan.push(block);
        }
        plan
    }

    fn in_one_window(self, block: Block) -> bool {
        let mut windows = self.0.windows.iter();
        windows.any(|window| window.contains(block))
    }
}
