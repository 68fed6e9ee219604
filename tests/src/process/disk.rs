//! A disk that fills up.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What fills it.
const BALLAST: &str = "ballast";

/// A small file system of its own; gone when dropped.
pub struct Disk(PathBuf);

impl Disk {
    /// Needs the right to mount. Where `COVEY_MUST_MOUNT` is set, it is there.
    ///
    /// # Panics
    /// If it must be there and is not.
    #[must_use]
    pub fn new(parent: &Path, mebibytes: u32) -> Option<Self> {
        let at = parent.join("disk");
        fs::create_dir(&at).expect("a folder");
        let size = format!("size={mebibytes}m,mode=700");
        if mount(&["-t", "tmpfs", "-o", &size, "covey-test"], &at) {
            return Some(Self(at));
        }
        let must = std::env::var_os("COVEY_MUST_MOUNT").is_some();
        assert!(!must, "cannot mount a small file system, but COVEY_MUST_MOUNT is set");
        None
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Fills it to the last byte.
    pub fn fill(&self) {
        fill(&self.0.join(BALLAST));
    }

    /// Makes room again.
    pub fn free(&self) {
        fs::remove_file(self.0.join(BALLAST)).expect("it was filled");
    }

    /// Mounts it anew: `ro` or `rw`.
    pub fn remount(&self, how: &str) {
        assert!(mount(&["-o", &format!("remount,{how}")], &self.0), "remount {how}");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a node that is being killed may have files open.
        drop(Command::new("umount").arg("-l").arg(&self.0).output());
    }
}

fn mount(arguments: &[&str], at: &Path) -> bool {
    let outcome = Command::new("mount").args(arguments).arg(at).output();
    outcome.is_ok_and(|output| output.status.success())
}

/// Fills a disk to the last byte.
fn fill(path: &Path) {
    use std::io::Write as _;
    let mut file = fs::File::create(path).expect("a file");
    for size in [1 << 20, 1 << 12, 1] {
        let block = vec![0; size];
        while file.write_all(&block).is_ok() {}
    }
}
