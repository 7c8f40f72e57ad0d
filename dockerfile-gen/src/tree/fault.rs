//! Where tests let a write fail or end: in front of each call to the operating system.

use std::io;

/// Nothing, outside of tests.
#[cfg(not(test))]
#[inline]
pub(super) fn step() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(super) use on_demand::*;

#[cfg(test)]
mod on_demand {
    use super::io;
    use std::cell::Cell;

    /// What happens at a step.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(in crate::tree) enum Fault {
        /// The call fails, and the next ones work.
        Fails,
        /// The process is killed: no later call does anything.
        Killed,
    }

    thread_local! {
        static NEXT: Cell<Option<(usize, Fault)>> = const { Cell::new(None) };
        static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    /// Sets what happens at which step of this thread, and returns how many steps there were so far.
    pub(in crate::tree) fn plan(next: Option<(usize, Fault)>) -> usize {
        NEXT.set(next);
        STEPS.replace(0)
    }

    pub(in crate::tree) fn step() -> io::Result<()> {
        let step = STEPS.replace(STEPS.get() + 1);
        match NEXT.get() {
            Some((at, Fault::Fails)) if step == at => Err(io::Error::other("injected")),
            Some((at, Fault::Killed)) if step >= at => Err(io::Error::other("killed")),
            _ => Ok(()),
        }
    }
}
