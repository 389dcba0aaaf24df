//! The program `telemetry`: parses, calls the library, gives the exit code.

#![forbid(unsafe_code)]

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use futures_util::FutureExt as _;
use telemetry_cli::cli::Cli;
use telemetry_cli::command;
use telemetry_cli::exit::{Code, Failure};

fn main() -> ExitCode {
    // First of all: a TLS client that is built without a provider panics. It
    // fails only if there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = Cli::of_process();
    // One thread: it mostly waits, and each thread has a heap of its own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return Failure::new(Code::Internal, error.to_string()).report(),
    };
    // A panic becomes an exit code, too; nothing is used after it.
    let result = runtime.block_on(AssertUnwindSafe(command::run(cli)).catch_unwind());
    // A blocking call that hangs must not keep the process from ending.
    runtime.shutdown_background();
    match result {
        Ok(Ok(())) => Code::Ok.into(),
        Ok(Err(failure)) => failure.report(),
        Err(_) => Failure::new(Code::Internal, "a bug in telemetry")
            .hint("please report it with the panic above")
            .report(),
    }
}
