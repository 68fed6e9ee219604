use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use covey_kernel::NetworkId;
use rocksdb::{ColumnFamilyDescriptor, DB, checkpoint::Checkpoint};

use super::{Family, Migration, Schema, StoreError, options, schema};

const META: &str = "meta";

pub(super) struct Inner {
    pub(super) db: DB,
    pub(super) path: PathBuf,
}

/// The database of one node on one network. Open by one process at a time.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
    families: Vec<&'static str>,
}

impl Db {
    /// Opens or creates the database in the directory `path`, checks that it belongs to this
    /// network and is not newer than this release, and migrates what is older.
    pub fn open(path: &Path, network: NetworkId, schemas: &[Schema]) -> Result<Self, StoreError> {
        private_directory(path).map_err(|error| directory_error(path, &error))?;
        let present = present_families(path)?;
        let inner = Arc::new(open_inner(path, &present, schemas)?);
        let meta = Family::new(inner.clone(), META);
        refuse_unknown(&inner, &meta, &present, schemas)?;
        schema::bind(&inner, &meta, network)?;
        let db = Self { inner, families: schemas.iter().map(|schema| schema.family).collect() };
        db.migrate(&meta, schemas)?;
        Ok(db)
    }

    /// A machine's part, if it was among the schemas.
    #[must_use]
    pub fn family(&self, name: &str) -> Option<Family> {
        let name = self.families.iter().find(|known| **known == name)?;
        Some(Family::new(self.inner.clone(), name))
    }

    /// Writes a consistent copy of the whole database into a directory that does not exist yet;
    /// on the same file system it costs hard links only.
    pub fn checkpoint(&self, to: &Path) -> Result<(), StoreError> {
        let made = Checkpoint::new(&self.inner.db).and_then(|new| new.create_checkpoint(to));
        made.map_err(|error| StoreError::classify(to, error))
    }

    fn migrate(&self, meta: &Family, schemas: &[Schema]) -> Result<(), StoreError> {
        let mut open: Vec<(&Schema, &[Migration])> = Vec::new();
        for schema in schemas {
            open.push((schema, schema::steps(&self.inner, meta, schema)?));
        }
        open.retain(|(_, steps)| !steps.is_empty());
        if open.is_empty() {
            return Ok(());
        }
        self.checkpoint(&before_migration(&self.inner.path))?;
        for (schema, steps) in open {
            let family = Family::new(self.inner.clone(), schema.family);
            schema::migrate(&self.inner, meta, &family, schema, steps)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Db({})", self.inner.path.display())
    }
}

/// Beside the database, named by the time: an earlier attempt's copy is never overwritten.
fn before_migration(path: &Path) -> PathBuf {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".before-{}-{millis}", env!("CARGO_PKG_VERSION")));
    path.with_file_name(name)
}

fn directory_error(path: &Path, error: &std::io::Error) -> StoreError {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem, StorageFull};
    let (path, detail) = (path.to_path_buf(), error.to_string());
    match error.kind() {
        StorageFull => StoreError::Full { path, detail },
        PermissionDenied | ReadOnlyFilesystem => StoreError::ReadOnly { path, detail },
        _ => StoreError::Io { path, detail },
    }
}

/// The families that an existing database has. RocksDB opens none without naming all.
fn present_families(path: &Path) -> Result<Vec<String>, StoreError> {
    if !path.join("CURRENT").exists() {
        return Ok(Vec::new());
    }
    DB::list_cf(&options::database(), path).map_err(|error| StoreError::classify(path, error))
}

fn open_inner(path: &Path, present: &[String], schemas: &[Schema]) -> Result<Inner, StoreError> {
    let cache = options::cache();
    let mut names: Vec<&str> = vec![META];
    names.extend(schemas.iter().map(|schema| schema.family));
    names.extend(present.iter().map(String::as_str));
    names.sort_unstable();
    names.dedup();
    let appends = |name: &str| schemas.iter().any(|one| one.family == name && one.appends);
    let tuned = |name| {
        if appends(name) { options::appended(&cache) } else { options::family(&cache) }
    };
    let families = names.into_iter().map(|name| ColumnFamilyDescriptor::new(name, tuned(name)));
    let db = DB::open_cf_descriptors(&options::database(), path, families)
        .map_err(|error| StoreError::classify(path, error))?;
    Ok(Inner { db, path: path.to_path_buf() })
}

/// A family that only a newer release knows makes the whole database a newer one.
fn refuse_unknown(
    inner: &Inner,
    meta: &Family,
    present: &[String],
    schemas: &[Schema],
) -> Result<(), StoreError> {
    let known = |name: &&String| schemas.iter().any(|schema| schema.family == name.as_str());
    for name in present.iter().filter(|name| !known(name)) {
        if let Some(stamp) = schema::stamp(inner, meta, name)? {
            schema::not_newer(name, &stamp, 0)?;
        }
    }
    Ok(())
}

/// Nobody else reads what lies in the database, however open the folder above it is.
fn private_directory(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::create_dir_all(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}
