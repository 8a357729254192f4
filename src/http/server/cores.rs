//! Which of the machine's cores a thread may use. Linux numbers them, and lets threads choose; elsewhere they go where they are sent.

/// The cores of the calling thread, and of those that it will start. None where nobody says.
pub(super) fn allowed() -> Vec<usize> {
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{CpuSet, sched_getaffinity};

        let allowed = sched_getaffinity(None).unwrap_or_default();
        (0..CpuSet::MAX_CPU)
            .filter(|&core| allowed.is_set(core))
            .collect()
    }
    #[cfg(not(target_os = "linux"))]
    Vec::new()
}

/// Keeps the calling thread on these.
pub(super) fn stay_on(cores: &[usize]) {
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{CpuSet, sched_setaffinity};

        let mut own = CpuSet::new();
        for &core in cores {
            own.set(core);
        }
        if let Err(error) = sched_setaffinity(None, &own) {
            tracing::debug!(%error, ?cores, "a thread does not stay on its cores");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = cores;
}
