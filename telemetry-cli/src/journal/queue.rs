//! What waits to be written.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

use crate::event::{Device, DeviceId, Reading};
use crate::lock::lock;

/// Readings that wait, at most; beyond it the oldest is lost.
pub(super) const CAPACITY: usize = 20_000;

#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    filled: Notify,
    touched: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    readings: VecDeque<Arc<Reading>>,
    /// Descriptions replace each other and are never lost.
    devices: BTreeMap<DeviceId, Arc<Device>>,
    /// Readings that had to make room.
    lost: u64,
}

/// The head of the queue, and what to tell the queue once it is written.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) readings: Vec<Arc<Reading>>,
    pub(super) devices: Vec<Arc<Device>>,
    lost_before: u64,
}

impl Group {
    pub(super) fn is_empty(&self) -> bool {
        self.readings.is_empty() && self.devices.is_empty()
    }
}

impl Queue {
    pub(super) fn describe(&self, device: Arc<Device>) {
        self.waiting().devices.insert(device.id.clone(), device);
        self.filled.notify_one();
    }

    pub(super) fn append(&self, reading: Arc<Reading>) {
        let mut waiting = self.waiting();
        if waiting.readings.len() >= CAPACITY {
            waiting.readings.pop_front();
            waiting.lost += 1;
        }
        waiting.readings.push_back(reading);
    }

    /// What was appended is to be written.
    pub(super) fn announce(&self) {
        self.filled.notify_one();
    }

    /// What was appended is to be written, but not for its own sake.
    pub(super) fn announce_some_time(&self) {
        self.touched.notify_one();
    }

    /// Waits for something to write. Cancel safe.
    pub(super) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Waits for something that may wait. Cancel safe.
    pub(super) async fn touched(&self) {
        self.touched.notified().await;
    }

    /// Up to `most` readings from the head, which stay until
    /// [`Queue::written`].
    pub(super) fn group(&self, most: usize) -> Group {
        let waiting = self.waiting();
        Group {
            readings: waiting.readings.iter().take(most).cloned().collect(),
            devices: waiting.devices.values().cloned().collect(),
            lost_before: waiting.lost,
        }
    }

    /// `group` is written and leaves the queue. What had to make room since
    /// it was taken was its head, and is not lost after all.
    pub(super) fn written(&self, group: &Group) {
        let mut waiting = self.waiting();
        let gone = (waiting.lost - group.lost_before).min(group.readings.len() as u64);
        waiting.lost -= gone;
        let left = group.readings.len() - gone as usize;
        waiting.readings.drain(..left);
        for device in &group.devices {
            if waiting.devices.get(&device.id) == Some(device) {
                waiting.devices.remove(&device.id);
            }
        }
    }

    pub(super) fn lost(&self) -> u64 {
        self.waiting().lost
    }

    pub(super) fn len(&self) -> usize {
        self.waiting().readings.len()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        lock(&self.waiting)
    }
}
