//! The gateway behind the program `telemetry`. The library is internal: only
//! the program, its tests and its benchmarks use it, and it changes at will.
//!
//! # Who imports whom
//!
//! Events flow from left to right. Sources and sinks import the hub, never one
//! another, and the hub knows neither:
//!
//! ```text
//!   source ──▶ hub ──▶ sink            what happens to a reading:
//!     │         │        ▲             plausibility, derived values, last known
//!   radio    journal ────┘             state, followers, change filter, journal
//! ```
//!
//! Commands go the other way, through [`control`]: from a sink or a subcommand
//! into the inbox of the source that offered them.
//!
//! A layer imports from those above it that it names, and within itself:
//!
//! | Layer | Modules | Imports |
//! |---|---|---|
//! | words | [`value`], [`metric`], [`event`], [`native`], [`registers`], the rows of [`control`] | nothing that waits; [`native`] and [`registers`] the values of the SDK crates |
//! | rules | [`mod@derive`], [`filter`], [`schedule`], [`summary`] | words; pure functions of state and time |
//! | storage | [`database`], [`store`], [`journal`], [`budget`] | words, rules |
//! | middle | [`hub`], [`control`], [`stats`], [`supervisor`] | words, rules, [`journal`] |
//! | alone | [`exit`], [`shutdown`], [`file_lock`], [`mod@lock`], [`broker`], [`cloud`] | nothing of ours but locks; [`cloud`] the SDK simulators |
//! | outside | [`config`], [`log`], [`state_dir`], [`cli`] | words, rules, alone |
//! | radio | [`radio`] | the SDK crates' transports and simulators, [`config`] for PINs, [`exit`] for its codes |
//! | sources | [`source`] | the SDK crates, words, rules, storage, middle, radio, their table of [`config`], [`exit`] for its codes |
//! | sinks | [`sink`] | words, rules, storage, middle, their table of [`config`], [`exit`] for its codes; no SDK crate |
//! | drop-ins | [`compat`] | words, the values of the SDK crates, [`sink`], [`config`], their arguments of [`cli`], [`exit`] for its codes; [`compat::saic`] also the client of its SDK crate |
//! | whole | [`gateway`] | all of these; the one place that names every component |
//! | commands | [`command`] | everything |
//!
//! A new metric is one row in [`metric`] and one line in the source that
//! measures it; topics, discovery, columns and the plausibility check follow.
//! A new command is one row in [`control`] and one line in the source that carries
//! it out; topics, switches and allow lists follow.
//! A new source or sink is one file with `run(config, …) -> Exit`, one table in
//! [`config`], and one line in [`gateway`].

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod broker;
pub mod budget;
pub mod cli;
pub mod cloud;
pub mod command;
pub mod compat;
pub mod config;
pub mod control;
pub mod database;
pub mod derive;
pub mod event;
pub mod exit;
pub mod file_lock;
pub mod filter;
pub mod gateway;
pub mod hub;
pub mod journal;
pub mod lock;
pub mod log;
pub mod metric;
pub mod native;
pub mod radio;
pub mod registers;
pub mod schedule;
pub mod shutdown;
pub mod sink;
pub mod source;
pub mod state_dir;
pub mod stats;
pub mod store;
pub mod summary;
pub mod supervisor;
pub mod value;
pub mod zone;
