//! The program as a user runs it: arguments, environment and files in; stdout,
//! stderr and exit code out.

mod call;
mod command_line;
mod commands;
mod config;
mod demo;
mod environment;
mod history;
