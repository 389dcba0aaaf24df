//! A real Mosquitto as a child process, on a port and in a directory of its
//! own.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running broker; killed when dropped.
#[derive(Debug)]
pub struct Mosquitto {
    directory: TempDir,
    port: u16,
    second: u16,
    child: Child,
}

impl Mosquitto {
    /// Lets everybody in.
    pub fn open() -> Self {
        Self::start("allow_anonymous true", |_| {})
    }

    /// Lets in only `user` with `password`.
    pub fn with_login(user: &str, password: &str) -> Self {
        let file = "password_file passwords";
        Self::start(&format!("allow_anonymous false\n{file}"), |directory| {
            let status = tool("mosquitto_passwd")
                .args(["-b", "-c"])
                .arg(directory.join("passwords"))
                .args([user, password])
                .stderr(Stdio::null())
                .status();
            assert!(started(status).success());
        })
    }

    /// With more lines of configuration, and what they need in the directory.
    /// `{second}` stands for the port of another listener.
    pub fn start(lines: &str, prepare: impl FnOnce(&PathBuf)) -> Self {
        let directory = tempfile::tempdir().expect("temporary directory");
        prepare(&directory.path().to_path_buf());
        for _ in 0..ATTEMPTS {
            let (port, second) = (free_port(), free_port());
            let lines = lines.replace("{second}", &second.to_string());
            let config = format!(
                "listener {port} 127.0.0.1\n\
                 max_queued_messages 0\n\
                 set_tcp_nodelay true\n\
                 persistence false\n\
                 {lines}\n"
            );
            fs::write(directory.path().join("mosquitto.conf"), config).expect("configuration");
            let mut child = spawn(&directory);
            if comes_up(&mut child, &directory) {
                return Self {
                    directory,
                    port,
                    second,
                    child,
                };
            }
        }
        let log = fs::read_to_string(directory.path().join(LOG));
        panic!("mosquitto does not start: {}", log.unwrap_or_default());
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// The port of another listener.
    pub fn second_port(&self) -> u16 {
        self.second
    }

    /// Kills it, and with it everything that it had retained.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Starts it again on the same port, empty. It has to be killed first.
    pub fn restart(&mut self) {
        self.child = spawn(&self.directory);
        let up = comes_up(&mut self.child, &self.directory);
        assert!(
            up,
            "mosquitto ended: does another program listen on its port?"
        );
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command of the packages `mosquitto` or `mosquitto-clients`.
pub fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    // Debian keeps servers where only root looks.
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/local/sbin:/usr/sbin:/sbin"));
    if let Some(found) = ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin"]
        .iter()
        .map(|directory| PathBuf::from(directory).join(name))
        .find(|path| path.exists())
    {
        command = Command::new(found);
    }
    command
}

/// What came of starting a command; a missing one is a failure that says what
/// to install.
pub fn started<T>(result: std::io::Result<T>) -> T {
    result.unwrap_or_else(|error| {
        panic!(
            "a tool of Mosquitto cannot be started ({error}): \
             sudo apt-get install mosquitto mosquitto-clients"
        )
    })
}

fn spawn(directory: &TempDir) -> Child {
    let log = fs::File::create(directory.path().join(LOG)).expect("log");
    let child = tool("mosquitto")
        .args(["-v", "-c", "mosquitto.conf"])
        .current_dir(directory.path())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn();
    started(child)
}

/// Ports that may turn out to be taken.
const ATTEMPTS: u32 = 5;

const LOG: &str = "mosquitto.log";

/// Waits until it says that it runs; false if it ends before, because somebody
/// else took the port. A connection alone would prove nothing about who
/// listens there.
fn comes_up(child: &mut Child, directory: &TempDir) -> bool {
    let deadline = Instant::now() + Duration::from_secs(60);
    let log = directory.path().join(LOG);
    while !fs::read_to_string(&log).is_ok_and(|text| text.contains(" running")) {
        if child.try_wait().expect("a child").is_some() {
            return false;
        }
        assert!(Instant::now() < deadline, "mosquitto does not come up");
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}
