//! A real MariaDB as a child process, on a port, a socket and in a directory
//! of its own.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use tempfile::TempDir;

/// Nothing that is waited for takes longer, however slow the machine is.
pub const DEADLINE: Duration = Duration::from_secs(180);

/// The password of every user that [`MariaDb::database`] makes.
pub const PASSWORD: &str = "opensesame";

/// Ports that may turn out to be taken.
const ATTEMPTS: u32 = 5;

/// Waits until its input ends, which it does with the test process, however
/// that ends; then kills the server and removes the directory.
const GUARD: &str = r#"directory=$1; shift
"$@" >"$directory/output" 2>&1 </dev/null & server=$!
cat >/dev/null
kill -KILL $server 2>/dev/null; wait $server 2>/dev/null
[ -e "$directory/keep" ] || rm -rf "$directory""#;

/// A running server; ended when dropped, or with the process.
#[derive(Debug)]
pub struct MariaDb {
    directory: PathBuf,
    port: u16,
    arguments: Vec<String>,
    guard: Option<Child>,
}

/// A database of a server, with a user of the same name.
#[derive(Clone, Debug)]
pub struct Database {
    pub name: String,
    /// Its lines of `[mariadb]`.
    pub config: String,
    root: MySqlConnectOptions,
}

impl MariaDb {
    /// Starts one.
    pub fn start() -> Self {
        Self::with(&[], |_| {})
    }

    /// With more arguments, and what they need in its directory.
    pub fn with(arguments: &[&str], prepare: impl FnOnce(&Path)) -> Self {
        // Short: the path of a socket is limited.
        let directory = TempDir::with_prefix("maria").expect("temporary directory");
        let directory = directory.keep();
        prepare(&directory);
        // Servers that share one clear each other's tables out of it.
        let scratch = directory.join("tmp");
        fs::create_dir(&scratch).expect("a directory");
        let output = tool("mariadb-install-db")
            .args(["--no-defaults", "--skip-test-db"])
            .arg("--auth-root-authentication-method=normal")
            .arg(format!("--datadir={}", directory.join("data").display()))
            .args(user())
            .env("TMPDIR", &scratch)
            .stdin(Stdio::null())
            .output();
        let output = started(output);
        assert!(output.status.success(), "{output:?}");
        let mut server = Self {
            port: free_port(),
            arguments: arguments.iter().map(|&text| text.to_owned()).collect(),
            directory,
            guard: None,
        };
        for _ in 0..ATTEMPTS {
            if server.try_start() {
                return server;
            }
            server.kill();
            server.port = free_port();
        }
        panic!("MariaDB does not start: {}", server.output());
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// A new database with a user who may do everything in it.
    pub async fn database(&self) -> Database {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("home_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let database = Database {
            config: format!(
                "host = '127.0.0.1'\nport = {}\nuser = '{name}'\npassword = '{PASSWORD}'\n\
                 database = '{name}'\n",
                self.port
            ),
            root: self.root(),
            name: name.clone(),
        };
        let mut root = database.root().await;
        for statement in [
            format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"),
            format!("CREATE USER '{name}'@'%' IDENTIFIED BY '{PASSWORD}'"),
            format!("GRANT ALL ON {name}.* TO '{name}'@'%'"),
        ] {
            execute(&mut root, &statement).await;
        }
        database
    }

    /// The administrator, by the socket.
    pub fn root(&self) -> MySqlConnectOptions {
        MySqlConnectOptions::new()
            .socket(self.socket())
            .username("root")
            .ssl_mode(MySqlSslMode::Disabled)
            .disable_statement_logging()
    }

    /// Path of its socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.join("s")
    }

    /// Kills it, with all that it had not written.
    pub fn kill(&mut self) {
        fs::write(self.directory.join("keep"), "").expect("a file");
        self.end();
        fs::remove_file(self.directory.join("keep")).expect("a file");
    }

    /// Starts it again on the same port with what it had. It has to be killed
    /// first.
    pub fn restart(&mut self) {
        assert!(
            self.try_start(),
            "MariaDB does not start: {}",
            self.output()
        );
    }

    /// False if somebody else has taken the port.
    fn try_start(&mut self) -> bool {
        // Of an earlier start: it may not be there.
        let _ = fs::remove_file(self.directory.join("output"));
        let directory = self.directory.display();
        let guard = Command::new("sh")
            .args(["-c", GUARD, "sh"])
            .arg(&self.directory)
            .arg(program("mariadbd"))
            .arg("--no-defaults")
            .args(user())
            .arg(format!("--datadir={directory}/data"))
            .arg(format!("--tmpdir={directory}/tmp"))
            .arg(format!("--socket={directory}/s"))
            .arg(format!("--pid-file={directory}/pid"))
            .arg(format!("--port={}", self.port))
            .args([
                "--bind-address=127.0.0.1",
                "--innodb-buffer-pool-size=16M",
                "--innodb-log-file-size=8M",
                // A commit survives a kill of the server, as on a real one.
                "--innodb-flush-log-at-trx-commit=2",
                "--skip-log-bin",
                "--performance-schema=OFF",
                "--skip-name-resolve",
            ])
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .spawn();
        self.guard = Some(started(guard));
        let deadline = Instant::now() + DEADLINE;
        loop {
            let output = self.output();
            if output.contains("ready for connections") {
                return true;
            }
            if output.contains("Bind on TCP/IP port") {
                return false;
            }
            assert!(Instant::now() < deadline, "MariaDB is not up: {output}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What it said since its last start.
    fn output(&self) -> String {
        fs::read_to_string(self.directory.join("output")).unwrap_or_default()
    }

    /// Lets it hang: it holds its connections, takes new ones, and says nothing.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = fs::read_to_string(self.directory.join("pid")).expect("it runs");
        let status = Command::new("kill").args([signal, pid.trim()]).status();
        assert!(started(status).success());
    }

    fn end(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            // The end of its input is what it waits for.
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        self.end();
    }
}

impl Database {
    /// The administrator, in this database.
    pub async fn root(&self) -> MySqlConnection {
        self.root.connect().await.expect("root gets in")
    }

    /// The same, in this database's tables.
    pub async fn inside(&self) -> MySqlConnection {
        let options = self.root.clone().database(&self.name);
        options.connect().await.expect("root gets in")
    }

    /// The configuration, with more lines.
    pub fn with(&self, more: &str) -> String {
        format!("{}{more}\n", self.config)
    }
}

/// Does what `sql` says.
pub async fn execute(connection: &mut MySqlConnection, sql: &str) {
    let result = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await;
    result.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

fn tool(name: &str) -> Command {
    Command::new(program(name))
}

/// Debian keeps servers where only root looks.
fn program(name: &str) -> PathBuf {
    ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin"]
        .iter()
        .map(|directory| PathBuf::from(directory).join(name))
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("there is no {name}: sudo apt-get install mariadb-server"))
}

fn started<T>(result: std::io::Result<T>) -> T {
    result.unwrap_or_else(|error| {
        panic!("MariaDB cannot be started ({error}): sudo apt-get install mariadb-server")
    })
}

/// Root has to say that it means it.
fn user() -> Option<&'static str> {
    use std::os::unix::fs::MetadataExt as _;
    let is_root = fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    is_root.then_some("--user=root")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}
