//! A BlueZ in a thread: owns `org.bluez` on a private bus, answers what real
//! ones were seen to answer, in their order, and goes wrong on demand. Behind
//! its peripherals live the SDKs' simulated devices.

use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

pub use bus::{Bus, Policy};
pub use fault::Fault;
pub use peripheral::{Attributes, Config, Peripheral, Security};
pub use service::{Answer, Service};
pub use stage::{Stage, radio, settings};

mod bus;
mod device;
mod fault;
mod object;
mod peripheral;
mod service;
mod stage;

/// How often the thread looks for work that no message announces.
const IDLE: Duration = Duration::from_millis(2);

type Work = Box<dyn FnOnce(&mut Service) + Send>;

/// The running service; stops, without a goodbye, when dropped.
#[derive(Debug)]
pub struct Bluez {
    work: Option<mpsc::Sender<Work>>,
    thread: Option<JoinHandle<()>>,
}

impl Bluez {
    /// A service on `bus` with one adapter that is on.
    pub fn start(bus: &Bus) -> Self {
        let address = bus.address().to_owned();
        let (work, queue) = mpsc::channel::<Work>();
        let (ready, started) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut service = Service::new(&address);
            service.come();
            ready.send(()).expect("the test waits");
            loop {
                match queue.try_recv() {
                    Ok(work) => work(&mut service),
                    Err(mpsc::TryRecvError::Empty) => service.turn(IDLE),
                    Err(mpsc::TryRecvError::Disconnected) => return,
                }
            }
        });
        started.recv().expect("the emulated BlueZ starts");
        Self {
            work: Some(work),
            thread: Some(thread),
        }
    }

    /// Does something to the service, between two messages, and tells its result.
    pub fn with<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Service) -> R + Send + 'static,
    ) -> R {
        let (reply, result) = mpsc::channel();
        let work: Work = Box::new(move |service| {
            // Received below.
            let _ = reply.send(work(service));
        });
        let queue = self.work.as_ref().expect("present until the drop");
        queue.send(work).expect("the emulated BlueZ runs");
        result.recv().expect("the emulated BlueZ runs")
    }

    /// Adds a peripheral within reach.
    pub fn add(&self, config: Config) {
        self.with(|service| service.add(config));
    }

    /// Makes calls go wrong from now on.
    pub fn fault(&self, fault: Fault) {
        self.with(|service| service.faults.push(fault));
    }

    /// How often a method was called.
    pub fn calls(&self, method: &'static str) -> usize {
        self.with(move |service| service.calls.get(method).copied().unwrap_or_default())
    }
}

impl Drop for Bluez {
    fn drop(&mut self) {
        drop(self.work.take());
        if let Some(thread) = self.thread.take() {
            let outcome = thread.join();
            if !std::thread::panicking() {
                outcome.expect("the emulated BlueZ did not panic");
            }
        }
    }
}
