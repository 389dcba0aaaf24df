//! The program as a user runs it: arguments, environment and files in; stdout,
//! stderr and exit code out.

mod btsnoop;
mod call;
mod command_line;
mod commands;
mod config;
mod decode;
mod decode_bluetti;
mod demo;
mod environment;
mod history;
mod status;
