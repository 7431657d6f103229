#![doc = include_str!("../README.md")]

mod curves;
mod draw;
mod gpu;
mod plain;
mod plot;
mod process;
mod run;
mod terminal;
mod watch;
mod watched;

#[cfg(test)]
mod tests;
