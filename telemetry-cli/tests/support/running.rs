//! A program that runs beside the test.

use std::process::{Child, Command, ExitStatus};

/// Ends with the test, however that ends.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Starts it.
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().expect("it was built"))
    }

    /// One that was started already.
    pub fn of(child: Child) -> Self {
        Self(child)
    }

    /// Its process number.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Kills it, as a power failure would.
    pub fn kill(&mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("a child of ours");
    }

    /// Asks it to end, and waits for that.
    pub fn stop(mut self) -> ExitStatus {
        let asked = Command::new("kill").arg(self.id().to_string()).status();
        assert!(asked.expect("a tool").success(), "it had ended before");
        self.0.wait().expect("a child of ours")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended by itself if all went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
