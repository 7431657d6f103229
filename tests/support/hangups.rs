//! SIGHUP where the tests themselves were started without it.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// Lets a command hear SIGHUP where the tests do not (`nohup`): what is ignored is inherited.
pub fn hear_hangups(command: &mut Command) {
    // SAFETY: between fork and exec only `signal` is called, which may be.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGHUP, libc::SIG_DFL);
            Ok(())
        });
    }
}
